"""A connection of one's own that writes to SQLite.

SQLite works in whatever thread calls it, and Python lets only one thread go on at a time. In a
thread of its own each row would wait until the loop has nothing else to do, so that the two never
work at once. So a transaction is made in the loop's thread, which takes ten microseconds for a
charge; what waits is done beside it, in one call without Python: the commit, for the disk, and a
transaction that can't begin, for another process's.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.database import SQLITE_WAIT_MS, is_away, is_busy, sentence, set_pragmas
from prepaid.storage.direct import connected

T = TypeVar("T")


class SqliteWrites:
    """A connection that is opened by its first transaction, and makes one after the other."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._file = Path(engine.url.database or "")
        self._thread = ThreadPoolExecutor(1, "sqlite writes")
        self._connection: sqlite3.Connection | None = None

    async def write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Does some work in a transaction: all of it, or nothing if it raises.

        Raises:
            LedgerUnavailable: the database is away; it may have been done. Its refusals are the
                driver's own errors.
        """
        try:
            await self._write(work)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            self._give_back()
            if not is_away(error):
                raise
            raise LedgerUnavailable(sentence(error)) from error

    async def close(self) -> None:
        """Gives the connection back, when what it was asked is done."""
        self._give_back()
        self._thread.shutdown(wait=False)

    async def _write(self, work: Callable[[sqlite3.Connection], None]) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = await self._beside(self._open)
        await self._begin(connection)
        try:
            work(connection)
        except BaseException:
            if connection.in_transaction:  # some faults end it
                connection.execute("ROLLBACK")
            raise
        await self._beside(partial(connection.execute, "COMMIT"))

    async def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            await self._beside(partial(_begin_in_turn, connection))

    async def _beside(self, work: Callable[[], T]) -> T:
        """What comes of some work in the thread. If that isn't known, nobody knows either whether
        a transaction is open: the connection is given back when the work is done."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except BaseException:
            self._give_back()
            raise

    def _open(self) -> sqlite3.Connection:
        connection = connected(self._file)
        set_pragmas(connection.cursor())
        _wait(connection, 0)
        return connection

    def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._thread.submit(connection.close)


def _begin_in_turn(connection: sqlite3.Connection) -> None:
    """Begins when other processes let it, in a thread that may wait."""
    _wait(connection, SQLITE_WAIT_MS)
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        _wait(connection, 0)


def _wait(connection: sqlite3.Connection, milliseconds: int) -> None:
    connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
