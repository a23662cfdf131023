"""Events: what happened to which object, and to whom it is told."""

from prepaid.simulator import contract, deliveries, listen, listing
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json

_MOST_TYPES = 20


def emit(box: Sandbox, event_type: str, thing: Json, changed: Json | None = None) -> None:
    """Note that something happened, and schedule its deliveries in the same transaction.

    ``changed`` are the former values of what an update changed.
    """
    contract.check_object(thing)
    told: Json = {"object": thing} | ({"previous_attributes": changed} if changed else {})
    cause = {"id": box.origin.request_id, "idempotency_key": box.origin.idempotency_key}
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": box.config.account_version,
        "created": box.now(),
        "data": told,
        "livemode": False,
        "pending_webhooks": 0,
        "request": cause,
        "type": event_type,
    }
    contract.check_object(event)
    box.store.add(event)
    deliveries.schedule(box, event)
    listen.tell(box, event)


def retrieve(call: Call) -> Json:
    """Give one event, in the account's version."""
    return deliveries.snapshot(call.box, call.box.need("event", call.id))


def listed(call: Call) -> Json:
    """Give a page of events, which may be asked for by type and by whether all were delivered."""
    types = call.params.get("types")
    if types is not None and "type" in call.params:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    if types is not None and len(types) > _MOST_TYPES:
        raise invalid(f"types can't have more than {_MOST_TYPES} values", "types")
    where, values = _type_filter(types or [t for t in [call.params.get("type")] if t])
    if (delivered := call.params.get("delivery_success")) is not None:
        undelivered = "(SELECT event FROM deliveries WHERE state <> 'delivered')"
        where += f" AND id {'NOT IN' if delivered else 'IN'} {undelivered}"
    page = listing.page(call, "event", where=where, values=values)
    return {**page, "data": [deliveries.snapshot(call.box, event) for event in page["data"]]}


def retry(call: Call) -> Json:
    """Send an event again, to one endpoint or to whoever listens: ``stripe events resend``."""
    event = call.box.need("event", call.id)
    if endpoint := call.params.get("webhook_endpoint"):
        call.box.need_alive("webhook_endpoint", endpoint, "webhook_endpoint")
        deliveries.again(call.box, event, endpoint)
    else:
        listen.tell(call.box, event)
    return deliveries.snapshot(call.box, event)


def thin(call: Call) -> Json:
    """Give the thin form of an event, as ``v2.core.events.retrieve`` has it."""
    event = call.box.need("event", deliveries.snapshot_id(call.id))
    reason = {"type": "request", "request": event["request"]} if event["request"]["id"] else None
    return {**deliveries.thin(event), "changes": None, "reason": reason, "data": None}


def _type_filter(types: list[str]) -> tuple[str, list[str]]:
    """``charge.*`` names a whole family of types, as it does at Stripe."""
    if not types:
        return "1", []
    one = "json_extract(body, '$.type') GLOB ?"
    return f"({' OR '.join([one] * len(types))})", types
