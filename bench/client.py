"""Our own client: load at a rate, whatever is answered; and load where wrk isn't installed.

It is a process of its own, started as `python -m bench.client`: a load in JSON on its standard
input, how it went on its standard output. Given a file, it writes there the keys that were
accepted, also when the server dies meanwhile.
"""

import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import cast

import msgspec
import uvloop

from bench.asks import Ask, asks
from bench.load import Load, Spell

TICK_SECONDS = 0.001
"""How often a load with a rate looks at what is due."""

LAST_SECONDS = 5.0
"""How long answers to what was sent are waited for at the end."""

PATIENCE_SECONDS = 30
ROOT = Path(__file__).resolve().parent.parent


def run(load: Load) -> Spell:
    """Puts the load on in a process of its own, and says how it went."""
    with started(load) as client:
        return ended(client, load)


def started(load: Load, accepted: Path | None = None) -> subprocess.Popen[bytes]:
    """A client that has begun; `accepted` is a file for the keys that are."""
    told = [] if accepted is None else [str(accepted)]
    client = subprocess.Popen(
        [sys.executable, "-m", "bench.client", *told],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for who started it, who ends it
    )
    assert client.stdin is not None
    client.stdin.write(msgspec.json.encode(load))
    client.stdin.close()
    client.stdin = None
    return client


def ended(client: subprocess.Popen[bytes], load: Load) -> Spell:
    """How the load of a client went, once it has ended; one that doesn't end is killed."""
    try:
        said, _ = client.communicate(timeout=load.seconds + PATIENCE_SECONDS)
    finally:
        client.kill()
    if client.returncode != 0:
        raise RuntimeError(f"The client ended with {client.returncode}; its last words are above.")
    return msgspec.json.decode(said, type=Spell)


@dataclass
class _Run:
    """A load while it is on. Instants are `perf_counter`'s."""

    load: Load
    asks: Iterator[Ask]
    began: float = field(default_factory=perf_counter)
    last: float = 0.0
    taken: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    broken: int = 0
    open: int = 0
    waiting: int = 0
    timed: int = 0
    used_up: bool = False
    due: deque[float] = field(default_factory=deque)
    idle: "deque[_Connection]" = field(default_factory=deque)

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes due, and all that became due has been looked at."""
        if self.used_up:
            return True
        rate = self.load.rate or 0.0
        seconds = perf_counter() - self.began
        return seconds >= self.load.seconds and self.timed >= int(self.load.seconds * rate)

    @property
    def is_answered(self) -> bool:
        """Whether nobody waits for anything any more, or nobody is there to answer."""
        return not self.open or (self.is_over and not self.waiting and not self.due)

    def answered(self, connection: "_Connection", status: int, key: str, since: float) -> None:
        """Takes an answer, and gives its connection something to do."""
        self.last = perf_counter()
        self.taken.append(self.last - since)
        if status < 400:  # noqa: PLR2004 - HTTP's line between taken and refused
            self.accepted.append(key)
        else:
            self.refused += 1
        self.free(connection)

    def free(self, connection: "_Connection") -> None:
        """Takes a connection that can send."""
        if self.due:
            self._send(connection, self.due.popleft())
        elif self.load.rate is not None:
            self.idle.append(connection)
        elif not self.is_over:
            self._send(connection, perf_counter())

    def send_due(self) -> None:
        """Sends what is due by now; what finds no connection idle waits, and its wait counts."""
        rate = self.load.rate or 0.0
        by_now = int(min(perf_counter() - self.began, self.load.seconds) * rate)
        for number in range(self.timed, by_now):
            self.due.append(self.began + number / rate)
        self.timed = by_now
        while self.due and self.idle:
            self._send(self.idle.popleft(), self.due.popleft())

    def give_up(self) -> None:
        """What is due and wasn't sent by now never will be: it was not answered either."""
        self.broken += len(self.due)
        self.due.clear()

    def _send(self, connection: "_Connection", since: float) -> None:
        asked = next(self.asks, None)
        if asked is None:
            self.used_up = True
            self.due.clear()
        else:
            connection.send(*asked, since)


class _Connection(asyncio.Protocol):
    """One connection, with at most one request on its way."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._read = bytearray()
        self._key: str | None = None
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is only shaped like one
        self._run.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._run.open -= 1
        if self in self._run.idle:
            self._run.idle.remove(self)
        if self._key is not None:
            self._run.waiting -= 1
            self._run.broken += 1

    def send(self, key: str, asked: bytes, since: float) -> None:
        """Sends a request that was due at an instant."""
        assert self._transport is not None
        self._key, self._since = key, since
        self._run.waiting += 1
        self._transport.write(asked)

    def data_received(self, data: bytes) -> None:
        self._read += data
        status = whole(self._read)
        if status is not None and self._key is not None:
            self._read.clear()
            key, self._key = self._key, None
            self._run.waiting -= 1
            self._run.answered(self, status, key, self._since)


def whole(read: bytearray) -> int | None:
    """The status of an answer once all of it is there. Only answers that tell their length come:
    our server's do."""
    head = read.find(b"\r\n\r\n")
    if head < 0:
        return None
    at = read.lower().find(b"\r\ncontent-length:", 0, head)
    length = int(read[at + 17 : read.find(b"\r\n", at + 2)]) if at >= 0 else 0
    return int(read[9:12]) if len(read) >= head + 4 + length else None


async def _put_on(load: Load) -> _Run:
    run, loop = _Run(load, asks(load)), asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", load.port)
        for _ in range(load.connections)
    ]
    run.began = perf_counter()
    for _, connection in made:
        run.free(connection)
    while not run.is_answered and perf_counter() - run.began < load.seconds + LAST_SECONDS:
        await asyncio.sleep(TICK_SECONDS)
        run.send_due()
    run.give_up()
    for transport, _ in made:
        transport.close()
    return run


def percentile(taken: list[float], percent: float) -> float:
    """The least of them that so many percent don't exceed, in microseconds; of seconds, sorted."""
    if not taken:
        return 0.0
    return taken[min(len(taken) - 1, int(len(taken) * percent / 100))] * 1e6


def main() -> None:
    """Reads a load, puts it on, and says how it went."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    run = uvloop.run(_put_on(load))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text("".join(f"{key}\n" for key in run.accepted))
    taken = sorted(run.taken)
    spell = Spell(
        *(len(run.accepted), run.refused, run.broken, max(run.last - run.began, 1e-6)),
        *(percentile(taken, 50), percentile(taken, 99)),
    )
    sys.stdout.buffer.write(msgspec.json.encode(spell))


if __name__ == "__main__":
    main()
