"""``stripe listen``: the official CLI takes events over a websocket and forwards them itself.

A CLI that isn't connected misses what happens; ``stripe events resend`` tells it again.
"""

import asyncio
import json

from starlette.websockets import WebSocket, WebSocketDisconnect

from prepaid.simulator import deliveries
from prepaid.simulator.config import CURRENT_VERSION
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json

_PROTOCOL = "stripecli-devproxy-v1"


def opened(call: Call) -> Json:
    """Answer what the CLI needs to connect. Its secret stays the same, as at Stripe."""
    box, key = call.box, new_id("cliws")
    return {
        "default_version": box.config.account_version,
        "display_connect_filter_warning": False,
        "latest_version": CURRENT_VERSION,
        "reconnect_delay": 3600,
        "secret": _secret(box),
        "websocket_authorized_feature": "webhook-payloads",
        "websocket_id": key,
        "websocket_url": f"ws{call.base_url.removeprefix('http')}/_simulator/listen/{key}",
    }


def tell(box: Sandbox, event: Json) -> None:
    """Have an event told to whoever listens, once it is kept."""
    box.told.append(event)


async def talk(box: Sandbox, socket: WebSocket) -> None:
    """Push events to one CLI until it goes."""
    await socket.accept(subprotocol=_PROTOCOL)
    key = new_id("cli")
    queue = box.listeners[key] = asyncio.Queue()
    pushing = asyncio.create_task(_push(box, socket, queue))
    try:
        while True:  # its acknowledgements, and what its own target answered
            _note(box, json.loads(await socket.receive_text()))
    except WebSocketDisconnect:
        pass
    finally:
        del box.listeners[key]
        pushing.cancel()


async def _push(box: Sandbox, socket: WebSocket, queue: "asyncio.Queue[Json]") -> None:
    while True:
        event = await queue.get()
        payload = json.dumps(deliveries.snapshot(box, event), indent=2)
        message: Json = {
            "type": "webhook_event",
            "webhook_id": "wh_simulator",
            "webhook_conversation_id": new_id("wc"),
            "event_payload": payload,
            "http_headers": {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "Stripe-Signature": deliveries.signature(box, payload.encode(), _secret(box)),
            },
            "endpoint": {"api_version": None},
        }
        await socket.send_text(json.dumps(message))


def _note(box: Sandbox, message: Json) -> None:
    if message.get("type") == "webhook_response":
        kept = ("forward_url", "status", "webhook_conversation_id")
        box.forwarded.append({name: message.get(name) for name in kept})


def _secret(box: Sandbox) -> str:
    """The listening secret, made once and kept in the file."""
    found = box.store.hidden("listen_secret").get("secret")
    if found is None:
        found = new_id("whsec")
        box.store.add({"id": "listen_secret", "object": "secret"}, {"secret": found})
    return str(found)
