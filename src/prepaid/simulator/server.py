"""The simulator as an application, and as a server of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from prepaid.simulator import control, listen, pages
from prepaid.simulator.api import Api
from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.faults import Faults
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.store import Store
from prepaid.simulator.worker import Worker

_GRACE_SECONDS = 1


def create_app(config: SimulatorConfig) -> Starlette:
    """Make the application of one simulated account. Its lifespan runs the deliveries."""
    box = Sandbox(config, Store(config.database), Faults())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = asyncio.create_task(Worker(box).run())
        try:
            yield
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
            box.store.close()

    async def talk(socket: WebSocket) -> None:
        await listen.talk(box, socket)

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
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started and not serving.done():  # uvicorn tells no other way
            await asyncio.sleep(0.01)
        if server.started and on_ready is not None:
            bound = server.servers[0].sockets[0].getsockname()
            on_ready(f"http://{bound[0]}:{bound[1]}")
        await serving
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
