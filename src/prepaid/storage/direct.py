"""Connections of one's own to the database, through the drivers themselves: SQLAlchemy's share of a
small statement is more than the driver's and the database's together.

One asks one thing after the other. A connection that was lost is opened anew by the next question.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.database import (
    ANSWER_SECONDS,
    SQLITE_WAIT_MS,
    Database,
    is_away,
    sentence,
)

if TYPE_CHECKING:
    import asyncpg

CLOSE_SECONDS = 1
"""How long a connection may take to say good-bye."""

BY_INDEX = """SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
SET jit = off"""
"""A plan is made once, perhaps while the tables are empty, and outlives that moment: to read all of
an empty table is right, and never again. And to compile one takes a hundred times as long as to
run it, which a plan that has to read all of a table looks as if it were worth."""

Row = Sequence[Any]
T = TypeVar("T")


class Direct(Protocol):
    """A connection of one's own, opened by its first question."""

    async def fetch(self, statement: str, *values: object) -> Sequence[Row]:
        """The rows that a statement finds. It changes nothing, and may be asked twice.

        Raises:
            LedgerUnavailable: the database is away.
        """

    async def close(self) -> None:
        """Gives the connection back."""


def direct(database: Database) -> Direct:
    """A connection of one's own to a database."""
    return Sqlite(database.engine) if database.sqlite else Postgres(database.engine)


class Postgres:
    """A connection of one's own to PostgreSQL."""

    def __init__(self, engine: AsyncEngine) -> None:
        _, self._options = engine.dialect.create_connect_args(engine.url)
        kept = self._options.pop("prepared_statement_cache_size", 100)  # 0 behind some poolers
        self._options["statement_cache_size"] = kept
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, statement: str, *values: object) -> Sequence[Row]:
        """The rows that a statement finds. If the connection was lost while nobody used it, that
        is found out here, and the statement asked again; not if it took its time."""
        was_open = self._connection is not None
        try:
            return await self._fetch(statement, values)
        except LedgerUnavailable as away:
            if not was_open or isinstance(away.__cause__, TimeoutError):
                raise
        return await self._fetch(statement, values)

    async def change(self, statement: str, *values: object) -> None:
        """Runs a statement that changes something: once, since it may have been done although
        its answer was lost.

        Raises:
            LedgerUnavailable: the database is away. Its refusals are the driver's own errors.
        """
        await self._fetch(statement, values)

    async def close(self) -> None:
        """Gives the connection back; it is broken off if the server doesn't answer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is gone in any case
                await connection.close(timeout=CLOSE_SECONDS)

    async def _fetch(self, statement: str, values: Sequence[object]) -> Sequence[Row]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await self._open()
            rows: Sequence[Row] = await self._connection.fetch(statement, *values)
        except Exception as error:
            if not is_away(error):
                raise
            self._break_off()
            raise LedgerUnavailable(sentence(error)) from error
        return rows

    async def _open(self) -> "asyncpg.Connection":
        import asyncpg  # noqa: PLC0415 - who has SQLite doesn't wait for it at the start

        connection = await asyncpg.connect(
            **self._options, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS
        )
        if self._options["statement_cache_size"]:  # behind a pooler, others have it next
            await connection.execute(BY_INDEX)
        return connection

    def _break_off(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


class Sqlite:
    """A connection of one's own to SQLite that only reads, in a thread of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._file = Path(engine.url.database or "")
        self._thread = ThreadPoolExecutor(1, "sqlite")
        self._connection: sqlite3.Connection | None = None

    async def fetch(self, statement: str, *values: object) -> Sequence[Row]:
        """The rows that a statement finds, read to the last: one that is not keeps its picture of
        the database."""
        return await self.run(lambda connection: connection.execute(statement, values).fetchall())

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What comes of some work in the connection's thread: several statements cost one hop.

        Raises:
            LedgerUnavailable: the database is away. Its refusals are the driver's own errors.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._run, work)
        except sqlite3.Error as error:
            if not is_away(error):
                raise
            raise LedgerUnavailable(sentence(error)) from error

    async def close(self) -> None:
        """Gives the connection back, when what it was asked is done."""
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection = self._connection or self._open()
        try:
            return work(connection)
        except sqlite3.Error:
            self._close()
            raise

    def _open(self) -> sqlite3.Connection:
        connection = connected(self._file)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def connected(file: Path) -> sqlite3.Connection:
    """A connection to SQLite that any thread may use, one after the other. A file that is gone is
    not made anew."""
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw",
        timeout=SQLITE_WAIT_MS / 1_000,
        isolation_level=None,
        check_same_thread=False,
        uri=True,
    )
