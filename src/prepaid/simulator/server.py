"""The simulator as an application, and as a server of its own."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from prepaid.simulator import control, listen, pages, receipts
from prepaid.simulator.api import Api
from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.faults import Faults
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.store import Store
from prepaid.simulator.worker import Worker

_GRACE_SECONDS = 1
_log = logging.getLogger("prepaid.simulator")


def create_app(config: SimulatorConfig) -> Starlette:
    """Make the application of one simulated account. Its lifespan runs the deliveries."""
    box = Sandbox(config, Store(config.database), Faults())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = asyncio.create_task(Worker(box).run())
        working.add_done_callback(_tell_crash)
        try:
            yield
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            box.store.close()

    async def talk(visitor: WebSocket) -> None:
        await listen.talk(box, visitor)

    api = Api(box)
    every = ["GET", "POST", "DELETE", "PUT", "PATCH"]
    return Starlette(
        routes=[
            Route("/v1/{rest:path}", api.__call__, methods=every),
            Route("/v2/{rest:path}", api.__call__, methods=every),
            *pages.scripts(box),
            Mount(
                "/_simulator",
                routes=[
                    WebSocketRoute("/listen/{id}", talk),
                    *control.routes(box),
                    *pages.routes(box),
                    *receipts.routes(box),
                ],
            ),
        ],
        lifespan=lifespan,
    )


async def serve(
    config: SimulatorConfig,
    host: str = "127.0.0.1",
    port: int = 12111,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled or interrupted. ``on_ready`` is told the address, port included.

    Port 0 takes a free one. The caller chooses the host; nothing but loopback is advisable.
    """
    settings = uvicorn.Config(
        create_app(config),
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(settings, on_ready or _nobody)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:  # uvicorn itself would drop everything where it stands
        server.should_exit = True
        await serving
        raise


class _Server(uvicorn.Server):
    """A server that tells when it listens, and where."""

    def __init__(self, settings: uvicorn.Config, on_ready: Callable[[str], None]) -> None:
        super().__init__(settings)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(f"http://{host}:{port}")


def _tell_crash(working: "asyncio.Task[None]") -> None:
    """Deliveries that stop without a word would look like a Stripe that is slow."""
    if not working.cancelled() and (problem := working.exception()) is not None:
        _log.critical("simulator: the worker has stopped", exc_info=problem)


def _nobody(_address: str) -> None:
    """Nobody asked to be told."""
