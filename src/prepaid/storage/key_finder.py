"""Finds who has an API key, through the driver itself: those that have gathered, by one question.

Each kernel may have a key of its own, and comes with it every ten seconds; in a transaction of
SQLAlchemy's, to look up a key takes ten times what its heartbeat does.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.api_keys import ApiKey, api_key
from prepaid.storage.database import FINISH_SECONDS, Database
from prepaid.storage.direct import direct
from prepaid.storage.rows import Rows
from prepaid.storage.tables import api_keys

AT_ONCE = 100
"""Keys in one question."""


class KeyFinder:
    """Finds keys over a connection of its own. Use it as `async with KeyFinder(...).open() as
    finder`. Nothing is remembered: a key that was revoked before it is asked for is not found."""

    def __init__(self, database: Database) -> None:
        self._direct = direct(database)
        self._rows = Rows([*api_keys.columns], database.engine.dialect)
        self._sqlite = database.sqlite
        self._asking: list[_Asking] = []
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
            await self._direct.close()

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """The key with this hash, unless it was revoked.

        Raises:
            LedgerUnavailable: the database is away.
        """
        if self._is_closed:
            raise _stopping()
        asking = _Asking(secret_hash)
        self._asking.append(asking)
        if self._finding is None:
            self._finding = asyncio.create_task(self._find_all(), name="key finder")
        return await asking.told

    async def _find_all(self) -> None:
        try:
            while self._asking:
                group, self._asking = self._asking[:AT_ONCE], self._asking[AT_ONCE:]
                await self._answer(group)
        finally:
            self._finding = None
            _refuse(self._asking)

    async def _answer(self, group: Sequence["_Asking"]) -> None:
        try:
            found = await self._found([*{one.secret_hash for one in group}])
        except Exception as fault:  # noqa: BLE001 - it is told to whoever waits for it
            _refuse(group, fault)
        else:
            for one in group:
                one.tell(found.get(one.secret_hash))
        finally:
            _refuse(group)

    async def _found(self, hashes: Sequence[bytes]) -> dict[bytes, ApiKey]:
        if self._sqlite:
            marks = ", ".join("?" for _ in hashes)
            rows = await self._direct.fetch(self._live(f"hash IN ({marks})"), *hashes)
        else:
            rows = await self._direct.fetch(self._live("hash = ANY($1)"), hashes)
        return {row.hash: api_key(row) for row in self._rows.read(rows)}

    def _live(self, sought: str) -> str:
        return self._rows.where(f"{sought} AND revoked_at IS NULL")


class _Asking:
    """Somebody who waits for a key."""

    def __init__(self, secret_hash: bytes) -> None:
        self.secret_hash = secret_hash
        self.told: asyncio.Future[ApiKey | None] = asyncio.get_running_loop().create_future()

    def tell(self, key: ApiKey | None) -> None:
        if not self.told.done():  # or they have gone away meanwhile
            self.told.set_result(key)

    def refuse(self, fault: Exception) -> None:
        if not self.told.done():
            self.told.set_exception(fault)


def _refuse(group: Sequence[_Asking], fault: Exception | None = None) -> None:
    """Answers whoever has no answer yet: the service is stopping, if nothing else is said."""
    for one in group:
        one.refuse(fault or _stopping())


def _stopping() -> LedgerUnavailable:
    return LedgerUnavailable("The service is stopping; ask again.")
