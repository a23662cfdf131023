"""Finds who has an API key, through the driver itself: those that have gathered, by one question.

Each kernel may have a key of its own, and comes with it every ten seconds; in a transaction of
SQLAlchemy's, to look up a key takes ten times what its heartbeat does.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row

from prepaid.storage.api_keys import ApiKey, api_key
from prepaid.storage.database import Database
from prepaid.storage.direct import direct
from prepaid.storage.gathering import Gathering
from prepaid.storage.rows import Rows
from prepaid.storage.tables import api_keys

AT_ONCE = 100
"""Keys in one question."""

_Told = ApiKey | Exception | None


class KeyFinder:
    """Finds keys over a connection of its own. Use it as `async with KeyFinder(...).open() as
    finder`. Nothing is remembered: a key that was revoked before it is asked for is not found."""

    def __init__(self, database: Database) -> None:
        self._direct = direct(database)
        self._rows = Rows([*api_keys.columns], database.engine.dialect)
        self._sqlite = database.sqlite
        self._gathering = Gathering(self._find, AT_ONCE, "a key to be looked up", patience=0)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["KeyFinder"]:
        """Gives the connection back at the end. Who isn't known by then is refused: nothing that
        they asked for has begun, and others need the time."""
        try:
            async with self._gathering.open():
                yield self
        finally:
            await self._direct.close()

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        """The key with this hash, unless it was revoked.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        return await self._gathering.ask(secret_hash)

    async def _find(self, hashes: Sequence[bytes]) -> AsyncIterator[tuple[bytes, _Told]]:
        live = {row.hash: row for row in await self._live(hashes)}
        for secret_hash in hashes:
            yield secret_hash, _read(live.get(secret_hash))

    async def _live(self, hashes: Sequence[bytes]) -> Sequence[Row[Any]]:
        if self._sqlite:
            marks = ", ".join("?" for _ in hashes)
            found = await self._direct.fetch(self._sought(f"hash IN ({marks})"), *hashes)
        else:
            found = await self._direct.fetch(self._sought("hash = ANY($1)"), hashes)
        return self._rows.read(found)

    def _sought(self, by: str) -> str:
        return self._rows.where(f"{by} AND revoked_at IS NULL")


def _read(row: Row[Any] | None) -> _Told:
    """The key of a row; or what is wrong with that row."""
    try:
        return None if row is None else api_key(row)
    except ValueError as fault:
        return fault
