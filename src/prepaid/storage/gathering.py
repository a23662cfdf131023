"""Gathering: what many ask one by one, the database is asked for all of them together.

Whoever wants to know asks and waits. Those who have gathered are answered by one question: to ask
for fifty costs little more than to ask for one. Who asks while a question is under way waits for
the next one. So all are told what was so after they had asked, whichever process wrote it; nothing
is remembered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Generic, TypeVar

from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.storage.database import FINISH_SECONDS
from prepaid.storage.telling import stopping, tell

QUEUE = 10_000
"""How many may wait. Beyond it a caller is told to come back."""

K = TypeVar("K")
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """Those who wait, by what they ask about. Use it as `async with gathering.open()`.

    `find` is given up to `at_once` of that, and yields for each of them what it is, or a fault, as
    soon as it is known. `what` says in a refusal what they wait for. They are answered for up to
    `patience` seconds more when all ends.
    """

    def __init__(
        self,
        find: Callable[[Sequence[K]], AsyncIterator[tuple[K, V | Exception]]],
        at_once: int,
        what: str,
        patience: float = FINISH_SECONDS,
    ) -> None:
        self._find = find
        self._at_once = at_once
        self._what = what
        self._patience = patience
        self._asking: dict[K, list[asyncio.Future[V]]] = {}
        self._waiting = 0
        self._answering: asyncio.Task[None] | None = None
        self._is_open = False
        self._loop: asyncio.AbstractEventLoop  # known once it is open; to ask costs a system call

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answers. Who has asked is answered before the end, unless that takes too long: then they
        are refused."""
        self._is_open, self._loop = True, asyncio.get_running_loop()
        try:
            yield
        finally:
            self._is_open = False
            if (answering := self._answering) is not None:
                await asyncio.wait([answering], timeout=self._patience)
                answering.cancel()
                await asyncio.wait([answering], timeout=FINISH_SECONDS)
            self._refuse_all(stopping())  # of whom it may not have heard yet

    def ask(self, key: K) -> asyncio.Future[V]:
        """What is so, as it will be told.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        if not self._is_open:
            raise stopping()
        if self._waiting >= QUEUE:
            raise LedgerBusy(f"{QUEUE} wait for {self._what} already; try again in a second.")
        answer: asyncio.Future[V] = self._loop.create_future()
        self._asking.setdefault(key, []).append(answer)
        self._waiting += 1
        if self._answering is None:
            self._answering = self._loop.create_task(
                self._answer_all(), name=f"answers: {self._what}"
            )
        return answer

    async def _answer_all(self) -> None:
        try:
            while group := self._taken():
                await self._answer_group(group)
        finally:
            self._answering = None

    def _taken(self) -> dict[K, list[asyncio.Future[V]]]:
        """Those who are answered next. Whoever asks from now on waits for the ones after."""
        keys = [*islice(self._asking, self._at_once)]
        return {key: self._asking.pop(key) for key in keys}

    async def _answer_group(self, group: Mapping[K, Sequence[asyncio.Future[V]]]) -> None:
        """All are refused who wait while the database is away: to ask it anew for each group would
        take its time for each."""
        try:
            await self._answer(group)
        except LedgerUnavailable as away:
            _tell_all(group.values(), away)
            self._refuse_all(away)
        finally:
            _tell_all(group.values(), stopping())
            self._waiting -= sum(map(len, group.values()))

    async def _answer(self, group: Mapping[K, Sequence[asyncio.Future[V]]]) -> None:
        """One that can't be asked about is no concern of the others; nor is who has gone away."""
        keys = [key for key, asking in group.items() if not all(one.done() for one in asking)]
        if not keys:
            return
        try:
            async for key, told in self._find(keys):
                _tell_all([group[key]], told)
        except LedgerUnavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            if len(keys) == 1:
                _tell_all([group[keys[0]]], fault)
                return
            for key in keys:
                await self._answer({key: group[key]})

    def _refuse_all(self, fault: LedgerUnavailable) -> None:
        """Tells it to whoever waits for their turn."""
        _tell_all(self._asking.values(), fault)
        self._waiting -= sum(map(len, self._asking.values()))
        self._asking.clear()


def _tell_all(asking: Iterable[Iterable[asyncio.Future[V]]], told: V | Exception) -> None:
    """Tells it to whoever has no answer yet."""
    for some in asking:
        for one in some:
            tell(one, told)
