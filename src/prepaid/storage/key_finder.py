"""Finds who has an API key, through the driver itself: those that have gathered, by one question.

Each kernel may have a key of its own, and comes with it every ten seconds; in a transaction of
SQLAlchemy's, to look up a key takes ten times what its heartbeat does.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row

from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.storage.api_keys import ApiKey, api_key
from prepaid.storage.database import FINISH_SECONDS, Database
from prepaid.storage.direct import direct
from prepaid.storage.rows import Rows
from prepaid.storage.tables import api_keys
from prepaid.storage.telling import stopping, tell

AT_ONCE = 100
"""Keys in one question."""

QUEUE = 10_000
"""How many may wait. Beyond it a caller is told to come back."""

_Asking = tuple[bytes, asyncio.Future[ApiKey | None]]


class KeyFinder:
    """Finds keys over a connection of its own. Use it as `async with KeyFinder(...).open() as
    finder`. Nothing is remembered: a key that was revoked before it is asked for is not found."""

    def __init__(self, database: Database) -> None:
        self._direct = direct(database)
        self._rows = Rows([*api_keys.columns], database.engine.dialect)
        self._sqlite = database.sqlite
        self._asking: deque[_Asking] = deque()
        self._finding: asyncio.Task[None] | None = None
        self._is_closed = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator["KeyFinder"]:
        """Gives the connection back at the end; who waits by then is refused."""
        try:
            yield self
        finally:
            self._is_closed = True
            if self._finding is not None:
                self._finding.cancel()
                await asyncio.wait([self._finding], timeout=FINISH_SECONDS)
            self._refuse_all(stopping())  # of whom it may not have heard yet
            await self._direct.close()

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """The key with this hash, unless it was revoked.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        if self._is_closed:
            raise stopping()
        if len(self._asking) >= QUEUE:
            raise LedgerBusy(f"{QUEUE} keys are looked up already; try again in a second.")
        told: asyncio.Future[ApiKey | None] = asyncio.get_running_loop().create_future()
        self._asking.append((secret_hash, told))
        if self._finding is None:
            self._finding = asyncio.create_task(self._find_all(), name="key finder")
        return await told

    async def _find_all(self) -> None:
        try:
            while group := self._taken():
                await self._answer(group)
        finally:
            self._finding = None

    def _taken(self) -> list[_Asking]:
        """Those who are answered next, less those who have gone away."""
        group: list[_Asking] = []
        while self._asking and len(group) < AT_ONCE:
            asking = self._asking.popleft()
            if not asking[1].done():
                group.append(asking)
        return group

    async def _answer(self, group: Sequence[_Asking]) -> None:
        """All are refused who wait while the database is away: to ask it anew for each group would
        take its time for each."""
        try:
            found = await self._found([*{secret_hash for secret_hash, _ in group}])
        except LedgerUnavailable as away:
            self._refuse_all(away, group)
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            _refuse(group, fault)
        else:
            for secret_hash, told in group:
                tell(told, _read(found.get(secret_hash)))
        finally:
            _refuse(group, stopping())

    async def _found(self, hashes: Sequence[bytes]) -> dict[bytes, Row[Any]]:
        if self._sqlite:
            marks = ", ".join("?" for _ in hashes)
            rows = await self._direct.fetch(self._live(f"hash IN ({marks})"), *hashes)
        else:
            rows = await self._direct.fetch(self._live("hash = ANY($1)"), hashes)
        return {row.hash: row for row in self._rows.read(rows)}

    def _live(self, sought: str) -> str:
        return self._rows.where(f"{sought} AND revoked_at IS NULL")

    def _refuse_all(self, fault: Exception, group: Sequence[_Asking] = ()) -> None:
        waiting = [*group, *self._asking]
        self._asking.clear()
        _refuse(waiting, fault)


def _refuse(group: Sequence[_Asking], fault: Exception) -> None:
    """Tells it to whoever has no answer yet."""
    for _, told in group:
        tell(told, fault)


def _read(row: Row[Any] | None) -> ApiKey | Exception | None:
    """The key of a row; or what is wrong with that row, which is no other's concern."""
    try:
        return None if row is None else api_key(row)
    except ValueError as fault:
        return fault
