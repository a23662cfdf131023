"""A TCP proxy for tests, before a service: it loses answers, says no by itself, or is away."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local_stripe import in_thread

HEAD_ENDS = b"\r\n\r\n"


@dataclass
class LocalProxy:
    """What it does to the next requests, and what it has seen.

    `shut` resets every connection, as if nothing listened. `stuck` takes requests and says
    nothing until it is undone. Of the next requests as many get the answers of `instead`, without
    the service's knowing; then `losing` are done by the service, and their answers lost.
    """

    upstream: str
    url: str = ""
    shut: bool = False
    stuck: bool = False
    losing: int = 0
    instead: deque[bytes] = field(default_factory=deque)
    seen: list[str] = field(default_factory=list)

    def count(self, ending: str) -> int:
        """How many requests were made whose path ends so."""
        return sum(path.endswith(ending) for path in self.seen)

    def refuse(self, status: int, headers: str = "", body: str = "", count: int = 1) -> None:
        """The next requests are answered so, in the service's place."""
        text = f"HTTP/1.1 {status} Made up\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}"
        self.instead.extend([text.encode()] * count)

    async def serve(self, ready: Callable[[str], None]) -> None:
        """Listens on loopback until it is cancelled."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        ready(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, request by request."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while answer := await self._answer(await _message(reader)):
                writer.write(answer)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, request: bytes) -> bytes | None:
        """What is said to a request; None breaks the connection."""
        if self.shut:
            return None
        self.seen.append(request.split(b" ", 2)[1].decode())
        while self.stuck:  # noqa: ASYNC110 - another thread undoes it
            await asyncio.sleep(0.01)
        if self.instead:
            return self.instead.popleft()
        answer = await self._pass_on(request)
        if self.losing:
            self.losing -= 1
            return None
        return answer

    async def _pass_on(self, request: bytes) -> bytes:
        place = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        try:
            writer.write(request)
            return await _message(reader)
        finally:
            writer.transport.abort()


async def _message(reader: StreamReader) -> bytes:
    """One HTTP message whose length is told in its head."""
    head = await reader.readuntil(HEAD_ENDS)
    for line in head.lower().split(b"\r\n"):
        name, _, told = line.partition(b":")
        if name == b"content-length":
            return head + await reader.readexactly(int(told))
    return head


@contextmanager
def local_proxy(upstream: str) -> Iterator[LocalProxy]:
    """A proxy before the service at an address, until the block ends."""
    proxy = LocalProxy(upstream)
    with in_thread(proxy.serve) as url:
        proxy.url = url
        yield proxy
        proxy.stuck = False
