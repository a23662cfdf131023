"""Readings: what many want to know at the same moment is read for all of them at once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prepaid.core.errors import Unavailable
from prepaid.flows import news
from prepaid.flows.news import Asked, News
from prepaid.storage.database import Database

AT_ONCE = 20
"""How many share a reading. An account may have thousands of reservations, and the loop in which
charges are decided waits while their rows are turned into values."""


@dataclass(slots=True, eq=False)
class _Waiting:
    asked: Asked
    told: News | Exception | None = None


class Readings:
    """Reads news, for one at a time and all who wait behind them: a batch may change a thousand
    accounts, and the writer must find a connection too.

    `clock` gives the instant that balances are reckoned for.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting: dict[_Waiting, None] = {}  # in order

    async def news(self, asked: Asked) -> News:
        """What has happened to an account since it was read.

        Raises:
            LedgerUnavailable: the database is away.
        """
        waiting = _Waiting(asked)
        self._waiting[waiting] = None
        try:
            async with self._turn:
                while waiting.told is None:
                    await self._read([one for one in self._waiting if one.told is None][:AT_ONCE])
        finally:
            del self._waiting[waiting]
        if isinstance(waiting.told, Exception):
            raise waiting.told
        return waiting.told

    async def _read(self, group: Sequence[_Waiting]) -> None:
        """Tells each of them. A row that can't be read is told to who asked for it alone."""
        found: Sequence[News | Exception]
        try:
            found = await news.news(self._database, [one.asked for one in group], self._clock())
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            if len(group) > 1 and not isinstance(fault, Unavailable):
                for one in group:
                    await self._read([one])
                return
            found = [fault] * len(group)
        for one, told in zip(group, found, strict=True):
            one.told = told
