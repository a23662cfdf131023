"""The reader: the one place of a process that answers what an account has.

Whoever wants to know asks and waits. The reader takes all who have gathered, asks the database once
for all of their accounts, and reckons each of these once: to ask for fifty costs little more than
to ask for one. Who asks while a question is under way waits for the next one. So all are told what
was in the books after they had asked, whichever process wrote it; nothing is remembered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice

from prepaid.core.balances import Balance, balance_of
from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.storage.balances import ALL, Balances, Found
from prepaid.storage.database import FINISH_SECONDS, Database
from prepaid.storage.telling import stopping, tell

AT_ONCE = 500
"""Accounts in one question."""

FEW = 20
"""Open reservations up to which an account is read with others. One that has more is asked for
alone: two thousand are a megabyte, and twenty milliseconds of reckoning."""

QUEUE = 10_000
"""How many may wait. Beyond it a caller is told to come back."""

_Told = Balance | Exception | None
_Asking = dict[str, list[asyncio.Future[Balance | None]]]


class Reader:
    """The reader of a running service. Use it as `async with Reader(...).open() as reader`.

    `clock` gives the instant that balances are reckoned for: aware, UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._balances = Balances(database)
        self._asking: _Asking = {}
        self._asked = asyncio.Event()
        self._waiting = 0
        self._is_open = False
        self._loop: asyncio.AbstractEventLoop  # known once it is open; to ask costs a system call

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Reader"]:
        """Runs the reader. Who has asked is answered before it stops, unless the database hangs:
        then they are refused."""
        self._is_open, self._loop = True, asyncio.get_running_loop()
        reading = asyncio.create_task(self._read_until_closed(), name="reader")
        try:
            yield self
        finally:
            self._is_open = False
            self._asked.set()
            await asyncio.wait([reading], timeout=FINISH_SECONDS)
            reading.cancel()
            await asyncio.wait([reading], timeout=FINISH_SECONDS)
            _tell_all(self._asking, stopping())
            await self._balances.close()

    async def balance(self, uid: str) -> Balance | None:
        """What an account has; None if there is no such account.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        return await self.asking(uid)

    def asking(self, uid: str) -> asyncio.Future[Balance | None]:
        """What `balance` will tell, or raise.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        if not self._is_open:
            raise stopping()
        if self._waiting >= QUEUE:
            raise LedgerBusy(f"{QUEUE} wait for a balance already; try again in a second.")
        answer: asyncio.Future[Balance | None] = self._loop.create_future()
        self._asking.setdefault(uid, []).append(answer)
        self._asked.set()
        self._waiting += 1
        return answer

    async def _read_until_closed(self) -> None:
        while self._is_open or self._asking:
            await self._asked.wait()
            group = self._taken()
            try:
                await self._answer(group)
            finally:
                _tell_all(group, stopping())
                self._waiting -= sum(map(len, group.values()))

    def _taken(self) -> _Asking:
        """Those who are answered next. Whoever asks from now on waits for the ones after."""
        group = dict(islice(self._asking.items(), AT_ONCE))
        for uid in group:
            del self._asking[uid]
        if self._is_open and not self._asking:
            self._asked.clear()
        return group

    async def _answer(self, group: _Asking, most: int = FEW) -> None:
        """One that can't be asked about is no concern of the others."""
        try:
            await self._read(group, most)
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            if isinstance(fault, LedgerUnavailable) or len(group) == 1:
                _tell_all(group, fault)
                return
            for uid, asking in group.items():
                await self._answer({uid: asking}, most)

    async def _read(self, group: _Asking, most: int) -> None:
        """Whoever else has something to do in this process has a turn between two accounts in
        which something runs."""
        found = {one.account.uid: one for one in await self._balances.find(group, most)}
        at = self._clock()
        for uid in group.keys() - found:
            _tell(group[uid], None)
        for uid, one in found.items():
            if one.account.open <= most:
                _tell(group[uid], _reckoned(one, at))
            if one.account.open:
                await asyncio.sleep(0)
        for uid, one in found.items():
            if one.account.open > most:
                await self._answer({uid: group[uid]}, ALL)


def _reckoned(found: Found, at: datetime) -> _Told:
    """A balance; or the fault of books that are damaged."""
    try:
        return balance_of(found.account, found.reservations(), at)
    except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
        return fault


def _tell(asking: Iterable[asyncio.Future[Balance | None]], told: _Told) -> None:
    for one in asking:
        tell(one, told)


def _tell_all(group: _Asking, told: _Told) -> None:
    """Answers whoever has no answer yet."""
    for asking in group.values():
        _tell(asking, told)
