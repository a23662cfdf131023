"""The database: how it is opened, and how a transaction begins."""

import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from prepaid.core.errors import LedgerUnavailable

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",  # libpq's other name, which hosting services write
}

OPTIONS = frozenset(("host", "passfile", "port", "prepared_statement_cache_size", "ssl"))
"""What a PostgreSQL URL may say behind its question mark."""

SQLITE_WAIT_MS = 10_000
"""How long a writer waits for another process's transaction; batches last milliseconds."""

LONGEST_LOG = 256_000_000
"""Bytes that SQLite's log keeps on the disk, whatever a rush or a long reading has made of it."""

POOL = 10
"""Connections of one process that all share, besides those of one's own (`direct.py`). None is
made beyond them for a moment: each costs SQLite a thread."""

ANSWER_SECONDS = 10
"""How long PostgreSQL may take to connect or to answer before it counts as away; and how long a
connection is waited for."""

FINISH_SECONDS = 1.5
"""How long each part of a stopping service waits for a database that hangs."""


ASKED = 3
"""How often PostgreSQL is asked for the instant: a stall in one answer is none in another."""


class InvalidDatabaseUrl(ValueError):  # noqa: N818 - as the core's refusals are named
    """A URL that names no database we can use; the sentence follows the setting's name."""


_POOLED: Mapping[str, Any] = {
    "hide_parameters": True,  # an error is logged, and they hold what buyers told Stripe
    "pool_size": POOL,
    "max_overflow": 0,
    "pool_timeout": ANSWER_SECONDS,
}
_REPEATABLE = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class _Cursor(Protocol):
    def execute(self, sql: str) -> object: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> _Cursor: ...


class Database:
    """One database, SQLite (`sqlite+aiosqlite:///file`) or PostgreSQL (`postgresql+asyncpg://`)."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._writing = self.engine.execution_options(prepaid_write=True)
        self._snapshot = self.engine.execution_options(**({} if self.sqlite else _REPEATABLE))

    @property
    def sqlite(self) -> bool:
        """Whether it is SQLite: the two differ in how a row is locked and how guards are read."""
        return self.engine.dialect.name == "sqlite"

    @property
    def product(self) -> str:
        """Which database it is, with its version, once it has answered: "SQLite 3.40.1"."""
        version = self.engine.dialect.server_version_info or ()
        return " ".join(["SQLite" if self.sqlite else "PostgreSQL", ".".join(map(str, version))])

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads: one consistent picture on SQLite."""
        with _translated():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, and sees one consistent picture on PostgreSQL too."""
        with _translated():
            async with self._snapshot.begin() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes, committed at the end. On SQLite it is the only one."""
        with _translated():
            async with self._writing.begin() as connection:
                yield connection

    async def answers(self) -> None:
        """Raises LedgerUnavailable if the database doesn't answer."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def now(self, ticks: Callable[[], timedelta]) -> datetime | None:
        """The instant that the database's server has; None for SQLite, which has none of its
        own. `ticks` gives what has passed since some instant.

        An answer is as old as its way here, and older by what comes after it. The ticks are read
        as soon as it is here, never before: who counts on from this may be behind the server by
        that way, but not ahead of it, and nobody pays for a time that has not come. The answer
        that came soonest counts.
        """
        if self.sqlite:
            return None
        async with self.reading() as connection:
            began = max([await self._instant(connection) - ticks() for _ in range(ASKED)])
        return (began + ticks()).astimezone(UTC)

    async def _instant(self, connection: AsyncConnection) -> datetime:
        at: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return at

    async def close(self) -> None:
        """Gives all connections back."""
        await self.engine.dispose()


def with_driver(written: str) -> str:
    """A database's URL with the driver that we use, whichever it names.

    Raises:
        InvalidDatabaseUrl: it is no URL, or of another kind of database.
    """
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        raise InvalidDatabaseUrl(
            "is not a database's URL, such as postgresql://user:password@host/name."
        ) from None
    driver = DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise InvalidDatabaseUrl(f"is for {url.get_backend_name()}: use PostgreSQL or SQLite.")
    if driver == DRIVERS["postgresql"]:
        url = _with_options(url)
    return url.set(drivername=driver).render_as_string(hide_password=False)


def _with_options(url: URL) -> URL:
    """The URL with libpq's `sslmode`, which every provider writes, under our driver's name."""
    if mode := url.query.get("sslmode"):
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    if strange := url.query.keys() - OPTIONS:
        raise InvalidDatabaseUrl(f"has options that are not understood: {sorted(strange)}.")
    return url


def exists(url: str) -> bool:
    """Whether there is a database to open: SQLite would make an empty file of any name."""
    parts = make_url(url)
    return parts.get_backend_name() != "sqlite" or Path(parts.database or "").is_file()


def _engine(url: str) -> AsyncEngine:
    if url.startswith("sqlite"):
        engine = create_async_engine(url, **_POOLED)
        event.listen(engine.sync_engine, "do_connect", _check_folder)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url,
        **_POOLED,
        pool_pre_ping=True,
        connect_args={"timeout": ANSWER_SECONDS, "command_timeout": ANSWER_SECONDS},
    )


def _check_folder(_: object, __: object, arguments: Sequence[str], ___: object) -> None:
    """A file that can't be opened is found out here: the driver would leave a thread behind that
    outlives the event loop, and complains."""
    folder = Path(arguments[0]).parent
    if not os.access(folder, os.R_OK | os.X_OK):
        raise FileNotFoundError(f"There is no folder {folder} to open a database in.")


def _prepare_sqlite(connection: _DriverConnection, _: object) -> None:
    """With isolation_level None the driver leaves BEGIN to `_begin_sqlite`: it would otherwise
    begin late, and two transactions that both read first could not both go on to write."""
    connection.isolation_level = None
    cursor = connection.cursor()
    set_pragmas(cursor)
    cursor.close()


def set_pragmas(cursor: _Cursor) -> None:
    """Makes a connection to SQLite durable at every commit (FULL), with readers beside the writer
    (WAL) and foreign keys checked."""
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}")
    _keep_a_log(cursor)
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "wal_autocheckpoint = 0",  # storage/checkpoints.py does it
        f"journal_size_limit = {LONGEST_LOG}",
    ):
        cursor.execute(f"PRAGMA {pragma}")


def _keep_a_log(cursor: _Cursor) -> None:
    """While another process gives the file its log, or takes it away, this fails at once, whatever
    busy_timeout says. To begin to write waits for that process, on the driver's own thread."""
    until = time.monotonic() + SQLITE_WAIT_MS / 1_000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > until:
                raise
        else:
            return
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("COMMIT")


def is_busy(error: sqlite3.Error) -> bool:
    """The lowest byte says so; those above it say why."""
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("prepaid_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """A database that is away is a refusal; a constraint that is hurt stays what it is."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:
        if isinstance(error, DBAPIError) and not _is_away(error):
            raise
        raise LedgerUnavailable(sentence(error)) from error


def sentence(error: Exception) -> str:
    """What is told to whoever needed a database that is away."""
    if "not a database" in str(error):
        return "The file is not a SQLite database: look at PREPAID_DATA or PREPAID_DATABASE_URL."
    return "The database does not answer; try again."


def _is_away(error: DBAPIError) -> bool:
    return error.connection_invalidated or is_away(error.orig)


def is_away(error: BaseException | None) -> bool:
    """Whether a driver's error says that the database is away: lost connections, and PostgreSQL's
    classes 08 (connection), 53 (resources), 57 (shutting down), 40 (deadlock, serialization), 28
    and 3D (it doesn't let us in, or has no such database any more) and 25006 (it has become a
    replica); SQLite's locked or unwritable file."""
    if isinstance(error, OSError):
        return True
    state = getattr(error, "sqlstate", None) or ""
    if state:
        return state == "25006" or state[:2] in {"08", "53", "57", "40", "28", "3D"}
    words = (
        "locked",
        "busy",
        "readonly",
        "unable to open",
        "disk i/o",
        "full",
        "connection",
        "not a database",
    )
    return any(word in str(error).lower() for word in words)
