"""Webhook endpoints: who is told of what. The secret is shown once, when one is made."""

from prepaid.simulator import listing, metadata, versions
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, new_id
from prepaid.simulator.shapes import Json


def create(call: Call) -> Json:
    """Make an endpoint. Its answer is the only one that carries ``secret``."""
    box, given = call.box, call.params
    _check_url(given["url"])
    first = not box.store.newest_first("webhook_endpoint")
    secret = (box.config.webhook_secret if first else None) or new_id("whsec")
    endpoint: Json = {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": versions.check(given["api_version"]) if "api_version" in given else None,
        "application": None,
        "created": box.now(),
        "description": given.get("description"),
        "enabled_events": given["enabled_events"],
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata")),
        "status": "enabled",
        "url": given["url"],
    }
    box.store.add(endpoint, {"secret": secret, "payload": "snapshot"})
    return {**endpoint, "secret": secret}


def retrieve(call: Call) -> Json:
    """Give one endpoint, without its secret."""
    return call.box.need_alive("webhook_endpoint", call.id, "")


def listed(call: Call) -> Json:
    """Give a page of endpoints, without their secrets."""
    return listing.page(call, "webhook_endpoint")


def update(call: Call) -> Json:
    """Change where and what is told, or stop it."""
    before, given = call.box.need_alive("webhook_endpoint", call.id, ""), call.params
    changes: Json = {k: given[k] for k in ("description", "enabled_events", "url") if k in given}
    if "url" in given:
        _check_url(given["url"])
    if "disabled" in given:
        changes["status"] = "disabled" if given["disabled"] else "enabled"
    if "metadata" in given:
        changes["metadata"] = metadata.merged(before["metadata"], given["metadata"])
    return call.box.store.put({**before, **changes})


def delete(call: Call) -> Json:
    """Tell nothing more to an endpoint."""
    call.box.need_alive("webhook_endpoint", call.id, "")
    return call.box.store.put({"id": call.id, "object": "webhook_endpoint", "deleted": True})


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            "url",
            "url_invalid",
        )
