"""Deliveries: which event goes to which endpoint, in which form, signed, and how it went.

Each delivery is a row that is written in the transaction of its event, so a crash between the two
is not possible; ``worker.py`` sends what is due.
"""

import json
from datetime import UTC, datetime

import stripe

from prepaid.simulator import versions
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_OPEN = "('pending', 'held', 'waiting')"
_THIN_PREFIX = "evt_test_"


def schedule(box: Sandbox, event: Json) -> None:
    """Have an event sent to each endpoint that wants it, with the faults that were asked for."""
    for endpoint in box.store.newest_first("webhook_endpoint"):
        wanted = endpoint.get("enabled_events", [])
        if endpoint.get("status") == "enabled" and ("*" in wanted or event["type"] in wanted):
            _schedule_one(box, event, endpoint["id"])


def again(box: Sandbox, event: Json, endpoint: str) -> None:
    """Send an event once more, whatever became of it before."""
    _insert(box, event, endpoint, "pending", box.config.clock())


def _schedule_one(box: Sandbox, event: Json, endpoint: str) -> None:
    rule, now = box.faults.for_delivery(event["type"]), box.config.clock()
    match rule.fault if rule else None:
        case None:
            _insert(box, event, endpoint, "pending", now)
        case "duplicate":
            _insert(box, event, endpoint, "pending", now, copies=rule.copies if rule else 2)
        case "parallel":
            for _ in range(rule.copies if rule else 2):
                _insert(box, event, endpoint, "pending", now)
        case "delay":
            _insert(box, event, endpoint, "pending", now + (rule.seconds if rule else 0))
        case "reorder":  # it waits until a later event has arrived, or for so many seconds
            _insert(box, event, endpoint, "waiting", now + (rule.seconds if rule else 0))
        case "hold":
            _insert(box, event, endpoint, "held", now)
        case "lose":
            _insert(box, event, endpoint, "lost", now)


def _insert(  # noqa: PLR0913 - the columns of a delivery
    box: Sandbox, event: Json, endpoint: str, state: str, due: float, *, copies: int = 1
) -> None:
    box.store.sql.execute(
        "INSERT INTO deliveries (event, type, endpoint, state, due, copies)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (event["id"], event["type"], endpoint, state, due, copies),
    )


def release(box: Sandbox, event_type: str) -> int:
    """Let held deliveries of these events go, and say how many they were."""
    return box.store.sql.execute(
        "UPDATE deliveries SET state = 'pending', due = ? WHERE state = 'held' AND type GLOB ?",
        (box.config.clock(), event_type),
    ).rowcount


def log(box: Sandbox) -> list[Json]:
    """Give every delivery in the order of their making, with the answer to each try."""
    rows = box.store.sql.execute(
        "SELECT seq, event, type, endpoint, state, due, copies, tries FROM deliveries ORDER BY seq"
    )
    names = ("id", "event", "type", "endpoint", "state", "due", "copies_left", "tries")
    return [{**dict(zip(names, row, strict=True)), "tries": json.loads(row[7])} for row in rows]


def body(box: Sandbox, event: Json, endpoint: Json) -> bytes:
    """The very bytes that are sent and signed, in the form the endpoint asked for."""
    if box.store.hidden(endpoint["id"]).get("payload") == "thin":
        return json.dumps(thin(event)).encode()
    version = endpoint["api_version"] or box.config.account_version
    return json.dumps(snapshot(box, event, version), indent=2).encode()


def signature(box: Sandbox, payload: bytes, secret: str) -> str:
    """Sign with the clock's moment: each try has a fresh ``t``, as receivers refuse old ones."""
    moment = box.now() + box.faults.clock_offset_seconds
    sign = stripe.WebhookSignature.generate_signature_header
    return str(sign(payload.decode(), secret, timestamp=moment))


def snapshot(box: Sandbox, event: Json, version: str | None = None) -> Json:
    """An event with the object as it was then, in one API version."""
    version = version or box.config.account_version
    thing = versions.rendered(event["data"]["object"], version)
    return {
        **event,
        "api_version": version,
        "data": {**event["data"], "object": thing},
        "pending_webhooks": _pending(box, event["id"]),
    }


def thin(event: Json) -> Json:
    """An event that only names its object, for an endpoint that asked for thin payloads."""
    thing, moment = event["data"]["object"], datetime.fromtimestamp(event["created"], UTC)
    return {
        "id": _THIN_PREFIX + event["id"].removeprefix("evt_"),
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "livemode": False,
        "context": None,
        "related_object": {"id": thing["id"], "type": thing["object"], "url": _url(thing)},
        "snapshot_event": event["id"],
    }


def snapshot_id(thin_id: str) -> str:
    """The id of the snapshot that a thin event stands for."""
    return "evt_" + thin_id.removeprefix(_THIN_PREFIX)


def _url(thing: Json) -> str:
    room = {"checkout.session": "checkout/sessions"}.get(thing["object"], thing["object"] + "s")
    return f"/v1/{room}/{thing['id']}"


def _pending(box: Sandbox, event: str) -> int:
    row = box.store.sql.execute(
        f"SELECT count(DISTINCT endpoint) FROM deliveries WHERE event = ? AND state IN {_OPEN}",  # noqa: S608
        (event,),
    ).fetchone()
    return int(row[0])
