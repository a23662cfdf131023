"""A proxy for tests that has a service under a path, and takes the path away before it asks."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local_stripe import in_thread

HEAD_ENDS = b"\r\n\r\n"
NOT_HERE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class LocalMount:
    """Where it listens, what it asks, and `strays`: what was asked of it beside its path."""

    path: str
    upstream: str = ""
    origin: str = ""
    strays: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the service is, as everybody else sees it."""
        return self.origin + self.path

    async def serve(self, ready: Callable[[str], None]) -> None:
        """Listens on loopback until it is cancelled."""
        async with asyncio.TaskGroup() as talking:

            def talk(reader: StreamReader, writer: StreamWriter) -> None:
                talking.create_task(self._talk(reader, writer))

            server = await asyncio.start_server(talk, "127.0.0.1", 0)
            ready(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with server:
                await server.serve_forever()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One request for each connection, so that an answer ends where its connection does."""
        try:
            head = await reader.readuntil(HEAD_ENDS)
            method, target, rest = head.split(b" ", 2)
            if below := self._below(target.decode()):
                once = rest.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
                await self._pass_on(b" ".join((method, below.encode(), once)), reader, writer)
            else:
                self.strays.append(target.decode())
                writer.write(NOT_HERE)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two has hung up
        finally:
            writer.transport.abort() if writer.is_closing() else writer.close()

    def _below(self, target: str) -> str:
        """What is asked for below the path; empty if it is beside it."""
        inside = target.startswith((f"{self.path}/", f"{self.path}?"))
        return target.removeprefix(self.path) if inside or target == self.path else ""

    async def _pass_on(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        place = urlsplit(self.upstream)
        from_service, to_service = await asyncio.open_connection(place.hostname, place.port)
        to_service.write(head)
        asking = asyncio.create_task(_copy(reader, to_service))
        try:
            await _copy(from_service, writer)
        finally:
            asking.cancel()
            to_service.transport.abort()


async def _copy(source: StreamReader, to: StreamWriter) -> None:
    with suppress(OSError):
        while part := await source.read(65_536):
            to.write(part)
            await to.drain()


@contextmanager
def local_mount(path: str) -> Iterator[LocalMount]:
    """A proxy until the block ends. What it asks has still to be named."""
    mount = LocalMount(path)
    with in_thread(mount.serve) as origin:
        mount.origin = origin
        yield mount
