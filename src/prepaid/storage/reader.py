"""The reader: the one place of a process that answers what an account has.

All who have asked are told by one question to the database (`storage/gathering.py`), for which each
account is reckoned once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from prepaid.core.balances import Balance, balance_of
from prepaid.core.errors import UnknownAccount
from prepaid.storage.balances import ALL, Balances, Found
from prepaid.storage.database import Database
from prepaid.storage.gathering import Gathering

AT_ONCE = 500
"""Accounts in one question."""

FEW = 20
"""Open reservations up to which an account is read with others. One that has more is asked for
alone: two thousand are a megabyte, and twenty milliseconds of reckoning."""

_Told = Balance | Exception


class Reader:
    """The reader of a running service. Use it as `async with Reader(...).open() as reader`.

    `clock` gives the instant that balances are reckoned for: aware, UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._balances = Balances(database)
        self._gathering = Gathering(self._find, AT_ONCE, "a balance")

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Reader"]:
        """Runs the reader. Who has asked is answered before it stops, unless the database hangs:
        then they are refused."""
        try:
            async with self._gathering.open():
                yield self
        finally:
            await self._balances.close()

    async def balance(self, uid: str) -> Balance:
        """What an account has.

        Raises:
            UnknownAccount: there is none.
            LedgerUnavailable, LedgerBusy: not now.
        """
        return await self.asking(uid)

    def asking(self, uid: str) -> asyncio.Future[Balance]:
        """What `balance` will tell, or raise.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        return self._gathering.ask(uid)

    async def _find(self, uids: Sequence[str]) -> AsyncIterator[tuple[str, _Told]]:
        """Whoever else has something to do in this process has a turn between two accounts in
        which something runs."""
        found = {one.account.uid: one for one in await self._balances.find(uids, FEW)}
        at = self._clock()
        for uid in uids:
            if uid not in found:
                yield uid, UnknownAccount(uid)
        for uid, one in found.items():
            if one.account.open <= FEW:
                yield uid, _reckoned(one, at)
            if one.account.open:
                await asyncio.sleep(0)
        for uid, one in found.items():
            if one.account.open > FEW:
                yield uid, await self._alone(uid)

    async def _alone(self, uid: str) -> _Told:
        """What befalls the question about this one is no concern of the others."""
        try:
            (found,) = await self._balances.find([uid], ALL)
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            return fault
        return _reckoned(found, self._clock())


def _reckoned(found: Found, at: datetime) -> _Told:
    """A balance; or the fault of books that are damaged."""
    try:
        return balance_of(found.account, found.reservations(), at)
    except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
        return fault
