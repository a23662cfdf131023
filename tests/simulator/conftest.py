"""A simulator in a thread, Stripe's SDK that speaks to it, and a receiver of webhooks."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import stripe

from prepaid.simulator import SimulatorConfig, serve

T = TypeVar("T")
_DEADLINE_SECONDS = 20
USUAL = SimulatorConfig(retry_scale=0.02, delayed_seconds=0.05)


def _wait_for(ask: Callable[[], T]) -> T:
    """Ask again until the answer is true, or fail with the last one."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"still {answer!r} after {_DEADLINE_SECONDS} seconds"
        threading.Event().wait(0.01)
    return answer


@dataclass
class Simulated:
    """One running simulator."""

    config: SimulatorConfig
    url: str = ""
    _stop: Callable[[], None] = lambda: None
    _thread: threading.Thread | None = None
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # It closes an idle connection before the server does, which does so after five seconds.
        self._http = httpx.Client(
            timeout=_DEADLINE_SECONDS, limits=httpx.Limits(keepalive_expiry=1)
        )

    def start(self) -> "Simulated":
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)))
        self._thread.start()
        assert ready.wait(_DEADLINE_SECONDS)
        return self

    def stop(self) -> None:
        assert self._thread is not None
        self._http.close()
        self._stop()
        self._thread.join(_DEADLINE_SECONDS)
        assert not self._thread.is_alive()

    async def _run(self, ready: threading.Event) -> None:
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        assert serving is not None

        def stop() -> None:
            loop.call_soon_threadsafe(serving.cancel)

        self._stop = stop

        def on_ready(url: str) -> None:
            self.url = url
            ready.set()

        with contextlib.suppress(asyncio.CancelledError):
            await serve(self.config, port=0, on_ready=on_ready)

    def client(self, **options: Any) -> stripe.StripeClient:  # the SDK's own keyword arguments
        known: dict[str, Any] = {"base_addresses": {"api": self.url}, "max_network_retries": 0}
        return stripe.StripeClient(self.config.api_key, **{**known, **options})

    def control(self, path: str, method: str = "POST", /, **given: object) -> dict[str, Any]:
        body = given if method == "POST" else None
        answer = self._http.request(method, f"{self.url}/_simulator/{path}", json=body)
        told: dict[str, Any] = answer.json()
        assert answer.status_code == 200, told
        return told

    def deliveries(self, event_type: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("state", "GET")["deliveries"]
        return [d for d in found if event_type in {None, d["type"]}]

    def raw(self, method: str, path: str, text: str = "", **headers: str) -> httpx.Response:
        """A request as anything but the SDK would send it, with the right key."""
        sent = {"Authorization": f"Bearer {self.config.api_key}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        form = {"Content-Type": "application/x-www-form-urlencoded"} if text else {}
        return self._http.request(method, self.url + path, content=text, headers=form | sent)


@dataclass
class Receiver:
    """What a merchant's webhook endpoint hears. ``answers`` are given in turn, then 200; none is
    while ``goes_on`` is cleared."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def bodies(self, event_type: str | None = None) -> list[dict[str, Any]]:
        told = [json.loads(body) for _, body in list(self.heard)]
        return [body for body in told if event_type in {None, body["type"]}]

    def signed(self, secret: str) -> list[stripe.Event]:
        return [
            stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
            for headers, body in list(self.heard)
        ]


@pytest.fixture
def wait_for() -> Callable[[Callable[[], T]], T]:
    return _wait_for


@pytest.fixture
def config() -> SimulatorConfig:
    return USUAL


@pytest.fixture(scope="session")
def _shared() -> Iterator[Simulated]:
    running = Simulated(USUAL).start()
    yield running
    running.stop()


@pytest.fixture
def simulated(config: SimulatorConfig, _shared: Simulated) -> Iterator[Simulated]:
    """A simulator that knows nothing yet: the usual one after a reset, or one of its own."""
    if config is USUAL:
        _shared.control("reset")
        yield _shared
        return
    running = Simulated(config).start()
    yield running
    running.stop()


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[Callable[[], Simulated]]:
    """Start simulators over one file, one after the other."""
    started: list[Simulated] = []

    def start() -> Simulated:
        file = str(tmp_path / "stripe.sqlite")
        started.append(Simulated(SimulatorConfig(database=file, retry_scale=0.05)).start())
        return started[-1]

    yield start
    for one in started:
        if one._thread is not None and one._thread.is_alive():
            one.stop()


@pytest.fixture
def v1(simulated: Simulated) -> Any:  # its services are typed by the SDK, its objects are open
    return simulated.client().v1


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    hearing = Receiver()
    hearing.goes_on.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            hearing.heard.append((headers, body))
            hearing.goes_on.wait(_DEADLINE_SECONDS)
            self.send_response(hearing.answers.pop(0) if hearing.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hearing.url = f"http://127.0.0.1:{server.server_address[1]}/webhook"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield hearing
    hearing.goes_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def package(v1: Any) -> Any:  # a price; see v1
    """Fifty credits for five dollars."""
    product = v1.products.create({"name": "Credits"})
    transform = {"divide_by": 50, "round": "up"}
    return v1.prices.create(
        {
            "product": product.id,
            "currency": "usd",
            "unit_amount": 500,
            "nickname": "50 credits",
            "transform_quantity": transform,
        }
    )


@pytest.fixture
def open_session(v1: Any, package: Any) -> Callable[..., Any]:
    """Open a session for so many credits."""

    def opened(quantity: int = 50, **more: object) -> Any:
        known: dict[str, object] = {
            "mode": "payment",
            "ui_mode": "embedded_page",
            "redirect_on_completion": "never",
            "line_items": [{"price": package.id, "quantity": quantity}],
        }
        return v1.checkout.sessions.create({**known, **more})

    return opened
