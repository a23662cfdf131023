"""A TCP proxy for tests, before a service: it loses answers, says no by itself, or is away."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from local_stripe import in_thread

LOOKING_SECONDS = 0.2
"""What a client takes beside its requests, at most: to look, and to be given its turn."""

HEAD_ENDS = b"\r\n\r\n"


@dataclass
class LocalProxy:
    """What it does to the next requests, and what it has seen.

    `shut` resets every connection, as if nothing listened. `stuck` holds back requests to the
    paths that end so, until it is undone. `instead` has answers that the next requests to such
    paths get without the service's knowing. Of those that the service gets, the answers to the
    next `losing` are lost, and others come `late_seconds` late. `most_at_once` is how many
    requests were on their way together, `slowest_seconds` how long any of them took.
    """

    upstream: str
    url: str = ""
    shut: bool = False
    stuck: tuple[str, ...] = ()
    losing: int = 0
    late_seconds: float = 0
    instead: list[tuple[str, bytes]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    most_at_once: int = 0
    slowest_seconds: float = 0
    _at_once: int = 0
    _talking: set[asyncio.Task[None]] = field(default_factory=set)

    def count(self, ending: str) -> int:
        """How many requests were made whose path ends so."""
        return sum(path.endswith(ending) for path in self.seen)

    def least(self, limit: int, rate: int) -> Decimal:
        """What a block has cost at least that stopped when its credits were used up: it counts
        from when it asked, and the service from when it heard, no more than a request later."""
        early = self.slowest_seconds + LOOKING_SECONDS
        return limit - rate * Decimal(str(early))

    def refuse(
        self, status: int, headers: str = "", body: str = "", *, path: str = "", count: int = 1
    ) -> None:
        """The next requests to paths that end so are answered so, in the service's place."""
        text = f"HTTP/1.1 {status} Made up\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}"
        self.instead.extend([(path, text.encode())] * count)

    async def serve(self, ready: Callable[[str], None]) -> None:
        """Listens on loopback until it is cancelled."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        ready(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with server:
            await server.serve_forever()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, request by request. Once its client has hung up, nothing but this holds
        the task while it waits for something else: the loop has forgotten the connection."""
        task = asyncio.current_task()
        assert task is not None
        self._talking.add(task)
        try:
            while answer := await self._counted(await _message(reader)):
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two has hung up
        finally:
            writer.transport.abort()
            self._talking.discard(task)

    async def _counted(self, request: bytes) -> bytes | None:
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        began = time.monotonic()
        try:
            return await self._answer(request)
        finally:
            self._at_once -= 1
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)

    async def _answer(self, request: bytes) -> bytes | None:
        """What is said to a request; None breaks the connection."""
        if self.shut:
            return None
        path = request.split(b" ", 2)[1].decode()
        self.seen.append(path)
        while path.endswith(self.stuck):  # noqa: ASYNC110 - another thread undoes it
            await asyncio.sleep(0.01)
        for one in self.instead:
            if path.endswith(one[0]):
                self.instead.remove(one)
                return one[1]
        answer = await self._pass_on(request)
        await asyncio.sleep(self.late_seconds)
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
        proxy.stuck = ()
