"""The writer: the one place of a process that changes the ledger.

Whoever wants something posted submits a command and waits. The writer takes what has gathered,
loads what it touches, lets the core decide it all, saves and commits once: a commit costs a disk
flush, and a hundred commands that share one cost little more than one. Several processes may each
have a writer; the locked rows and the unique keys decide between them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import cast

from prepaid.core.commands import (
    Beat,
    Charge,
    Command,
    Expire,
    Expired,
    Held,
    Holding,
    Keyed,
    Open,
    Outcome,
    Posted,
    Tell,
    Told,
)
from prepaid.core.errors import LedgerBusy, Refusal
from prepaid.core.ledger import WARN_SECONDS
from prepaid.storage.batches import Batches, driver_of
from prepaid.storage.checkpoints import checkpointing
from prepaid.storage.database import FINISH_SECONDS, Database
from prepaid.storage.lookups import Lookups
from prepaid.storage.waiting import Alone, OneOf, Together, Waiting, refuse

BATCH = 1000
"""Commands in one transaction, as many as come in one request: half as many are slower by a tenth
where that is done, and with more each waits for all."""

GATHER_SECONDS = 0.01
"""How long a heartbeat waits for others: nobody waits for its answer, and ten thousand kernels send
a thousand a second, one by one. Whatever else is asked doesn't wait."""

QUEUE = 10_000
"""Commands that may wait: about a second's work. Beyond it a caller is told to come back."""


class Ledger:
    """The ledger of a running service. Use it as `async with Ledger(...).open() as ledger`.

    `clock` gives the instant that a batch is posted at: aware, UTC. `warn` are the seconds left at
    which the holder of a reservation is warned.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        warn: Sequence[int] = WARN_SECONDS,
    ) -> None:
        self.clock = clock
        self._database = database
        self._batches = Batches(database, clock, warn)
        self._lookups = Lookups(driver_of(database), self._batches.remembered, self._put)
        self._queue: deque[Waiting] = deque()
        self._asked: asyncio.Future[None]  # an event would ask which loop runs
        self._is_open = self._goes_ahead = False
        self._beats: list[Waiting] = []
        self._loop: asyncio.AbstractEventLoop  # known once it is open; to ask costs a system call

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Ledger"]:
        """Runs the writer. What has been submitted is finished before it stops, unless the
        database hangs: then it is refused, as whoever asked has to ask again anyway."""
        self._loop, self._is_open = asyncio.get_running_loop(), True
        self._asked = self._loop.create_future()
        writing = self._loop.create_task(self._write_until_closed(), name="ledger writer")
        try:
            async with checkpointing(self._database):
                yield self
        finally:
            self._release_beats()
            self._lookups.stop()
            self._is_open = False
            self._wake()
            await asyncio.wait([writing], timeout=FINISH_SECONDS)
            writing.cancel()
            await asyncio.wait([writing], timeout=FINISH_SECONDS)
            await asyncio.gather(self._batches.close(), self._lookups.close())
            refuse(self._queue)

    async def post(self, command: Keyed) -> Posted:
        """Posts a grant, a charge or a reversal, once for each key.

        Raises:
            Refusal: it was refused, and nothing changed; or (LedgerUnavailable) the database is
                away, and the same key may be tried again.
        """
        return await self.posting(command)

    def posting(self, command: Keyed) -> asyncio.Future[Posted]:
        """What `post` will tell, or raise."""
        return cast("asyncio.Future[Posted]", self._asking(command))

    async def post_all(self, commands: Sequence[Keyed]) -> list[Posted | Refusal]:
        """Posts several, each as if it were alone: one refusal is no other's."""
        return await self.posting_all(commands)

    def posting_all(self, commands: Sequence[Keyed]) -> asyncio.Future[list[Posted | Refusal]]:
        """What `post_all` will tell."""
        together = Together(len(commands), self._loop.create_future())
        for place, command in enumerate(commands):
            self._put(OneOf(command, together, place))
        return together.told

    async def hold(self, command: Open | Holding) -> Held:
        """Opens a reservation, or does something to one.

        Raises:
            Refusal: it was refused. Nothing changed but by time, which may have ended it.
        """
        return await self.holding(command)

    def holding(self, command: Open | Holding) -> asyncio.Future[Held]:
        """What `hold` will tell, or raise."""
        return cast("asyncio.Future[Held]", self._asking(command))

    async def expire(self, command: Expire) -> Expired:
        """Takes back what has expired of an account.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        return cast("Expired", await self._asking(command))

    async def tell(self, command: Tell) -> Told:
        """Takes an event: applied or quarantined, and in the inbox.

        Raises:
            LedgerUnavailable, LedgerBusy: it was not taken, and has to be sent again.
        """
        return await self.telling(command)

    def telling(self, command: Tell) -> asyncio.Future[Told]:
        """What `tell` will tell, or raise."""
        return cast("asyncio.Future[Told]", self._asking(command))

    def _asking(self, command: Command) -> asyncio.Future[Outcome]:
        """What will have become of it; a refusal, if too many wait."""
        waiting = Alone(command, self._loop.create_future())
        if isinstance(command, Beat):
            self._gather(waiting)
        elif isinstance(command, Tell) and self._is_open and self._has_room():
            self._lookups.add(waiting, command)
        else:
            self._put(waiting)
        return waiting.told

    def _gather(self, beat: Waiting) -> None:
        if not self._beats:
            self._loop.call_later(GATHER_SECONDS, self._release_beats)
        self._beats.append(beat)

    def _release_beats(self) -> None:
        gathered, self._beats = self._beats, []
        for beat in gathered:
            self._put(beat)

    def _put(self, waiting: Waiting) -> None:
        if not self._is_open:
            refuse([waiting])
        elif not self._has_room():
            waiting.tell(LedgerBusy(f"{QUEUE} commands wait already; try again in a second."))
        else:
            self._queue.append(waiting)
            self._wake()
            if self._batches.is_saving:
                self._go_ahead_soon()

    def _has_room(self) -> bool:
        return len(self._queue) + len(self._lookups) < QUEUE

    def _wake(self) -> None:
        if not self._asked.done():
            self._asked.set_result(None)

    async def _write_until_closed(self) -> None:
        while self._is_open or self._queue:
            if self._queue:
                await self._answer_next()
            else:
                self._asked = self._loop.create_future()
                await self._asked

    async def _answer_next(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        if self._queue:
            self._go_ahead_soon()
        try:
            await self._batches.answer(batch)
        finally:
            refuse(batch)

    def _next_part(self) -> list[Charge] | list[Tell]:
        """The charges that are in the next batch, if it begins now; if there are none, its
        events."""
        coming = [one.command for one in islice(self._queue, BATCH)]
        charges = [one for one in coming if isinstance(one, Charge)]
        return charges or [one for one in coming if isinstance(one, Tell)]

    def _go_ahead_soon(self) -> None:
        """Once what is being saved is on its way, and all that is here has been read."""
        if not self._goes_ahead:
            self._goes_ahead = True
            self._loop.call_soon(self._go_ahead)

    def _go_ahead(self) -> None:
        self._goes_ahead = False
        self._batches.go_ahead(self._next_part())
