"""A local Stripe for tests: the simulator in a thread of its own, and a merchant's hands on it."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from prepaid.simulator import SimulatorConfig, serve

DEADLINE_SECONDS = 60
WEBHOOK_SECRET = "whsec_local_stripe"

Json = dict[str, Any]  # Stripe's objects, as they are on the wire


@dataclass
class LocalStripe:
    """One simulated account that is running. `product` is the one that packages belong to."""

    url: str
    config: SimulatorConfig
    product: str = ""
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        key = {"Authorization": f"Bearer {self.config.api_key}"}
        limits = httpx.Limits(keepalive_expiry=1)  # sooner than the simulator closes what is idle
        self._http = httpx.Client(
            base_url=self.url, headers=key, timeout=DEADLINE_SECONDS, limits=limits
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, **form: object) -> Json:
        """Stripe's API as it is on the wire: `ask("POST", "/v1/prices", unit_amount=500)`."""
        told = {name: str(value) for name, value in form.items()}
        sent = {"params": told} if method == "GET" else {"data": told}
        return self._told(self._http.request(method, path, **sent))  # type: ignore[arg-type]  # one of two

    def control(self, what: str, **given: object) -> Json:
        """The simulator's own side: faults, payments, time."""
        return self._told(self._http.post(f"/_simulator/{what}", json=given))

    def fault(self, answer: str, **given: object) -> None:
        """The next request (or `count` of them) goes wrong; `path` and `method` say which."""
        self.control("faults/api", answer=answer, **given)

    def well(self) -> None:
        """Nothing goes wrong any more."""
        self._told(self._http.delete("/_simulator/faults"))

    def package(self, credits: int = 50, amount: int = 500, **more: object) -> str:  # noqa: A002
        """A price that sells so many credits for so much; its id."""
        form: Json = {
            "product": self.product,
            "currency": "usd",
            "unit_amount": amount,
            "nickname": f"{credits} credits",
            "transform_quantity[divide_by]": credits,
            "transform_quantity[round]": "up",
        }
        wanted = {name: value for name, value in (form | more).items() if value is not None}
        return str(self.ask("POST", "/v1/prices", **wanted)["id"])

    def pay(self, session_id: str, outcome: str = "succeeds") -> None:
        """A buyer pays."""
        self.control(f"sessions/{session_id}/pay", outcome=outcome, email="buyer@example.com")

    def event(self, session_id: str, type_: str = "checkout.session.completed") -> Json:
        """What Stripe says of a session."""
        events = self.ask("GET", "/v1/events", type=type_, limit=100)["data"]
        return next(e for e in events if e["data"]["object"]["id"] == session_id)

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        state = self._told(self._http.get("/_simulator/state"))
        return int(state["objects"].get(kind, 0))

    def _told(self, answer: httpx.Response) -> Json:
        told: Json = answer.json()
        assert answer.status_code == httpx.codes.OK, told
        return told


def signed(body: bytes | Json, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    """The Stripe-Signature of a body, made by the SDK's own signer."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    when = None if at is None else int(at)
    sign: Callable[..., str] = stripe.WebhookSignature.generate_signature_header
    return sign(payload.decode(), secret, timestamp=when)


def wait_for(fact: Callable[[], object]) -> None:
    """Returns once the fact is true, and fails if it isn't in time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not come true in time"
        threading.Event().wait(0.01)


@contextmanager
def local_stripe(**chosen: Any) -> Iterator[LocalStripe]:  # as SimulatorConfig is typed
    """A simulator with one product, running until the block ends."""
    usual: Json = {"webhook_secret": WEBHOOK_SECRET, "retry_scale": 0.02, "delayed_seconds": 0.02}
    config = SimulatorConfig(**(usual | chosen))
    with in_thread(lambda ready: serve(config, port=0, on_ready=ready)) as url:
        running = LocalStripe(url, config)
        running.product = running.ask("POST", "/v1/products", name="Credits")["id"]
        yield running
        running.close()


@contextmanager
def in_thread(serving: Callable[[Callable[[str], None]], Any]) -> Iterator[str]:
    """Runs a server in a thread and loop of its own; the address that it said it listens at.

    `serving` is given what to call when it listens; it is cancelled at the end.
    """
    ready, told, parts = threading.Event(), list[str](), list[Any]()

    def on_ready(url: str) -> None:
        told.append(url)
        ready.set()

    async def run() -> None:
        parts.extend((asyncio.get_running_loop(), asyncio.current_task()))
        with suppress(asyncio.CancelledError):
            await serving(on_ready)

    def work() -> None:
        try:
            asyncio.run(run())
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(DEADLINE_SECONDS)
    assert told, "the server ended before it listened"
    try:
        yield told[0]
    finally:
        loop, task = parts
        loop.call_soon_threadsafe(task.cancel)
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()
