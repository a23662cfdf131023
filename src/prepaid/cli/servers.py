"""Servers: one app or several in one process, on loopback or not, stopped together."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.loops.auto import auto_loop_factory

from prepaid.cli.protocol import HttpProtocol
from prepaid.settings import SettingsFault

IDLE_SECONDS = 75
"""How long a connection may be idle: longer than proxies keep theirs (60 seconds is usual). Who
closes first must be who asks, or a request meets a connection that is just being closed."""

GRACE_SECONDS = 2
"""How long requests may take to end when the service is told to stop."""


class Server(uvicorn.Server):
    """A server that says when it has started, ends what would go on for ever before it waits for
    the rest, and leaves signals to whoever runs it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and says so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops, as it stands in uvicorn, once the app has ended its streams: it says in the state
        of its lifespan how that is done."""
        if end_streams := self.lifespan.state.get("end_streams"):
            end_streams()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


def run(command: Coroutine[Any, Any, None]) -> None:
    """Runs a command that serves, in uvloop where the system has it: uvicorn chooses a loop only
    where it starts one, and asyncio's own costs a fifth more of each request."""
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(command)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        SettingsFault: something else listens there, or we may not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, proto=socket.IPPROTO_TCP)  # else asyncio delays answers
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise SettingsFault(
            f"Can't listen on {host}:{port} ({error.strerror}): set PREPAID_PORT to another port."
        ) from error
    listening.listen(1024)
    return listening


def address_of(listening: socket.socket) -> str:
    """Where a listening socket is reached, as a URL."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[Server]:
    """The app, answering on the socket until the block ends."""
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.ready.wait()
        if not server.started:
            raise SettingsFault("The service could not start; the lines above say why.")
        yield server
    finally:
        server.should_exit = True
        await running


async def until_stopped(servers: Sequence[Server]) -> None:
    """Waits for Ctrl-C or SIGTERM, and then tells the servers to take no more requests."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    for server in servers:
        server.should_exit = True
