"""A connection that writes to SQLite in the loop, and waits beside it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.direct_writes import SqliteWrites


class WrongError(Exception):
    """What some work may raise."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a table of numbers, each there once, and one that has to have its number."""
    made = tmp_path / "numbers.sqlite"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
        connection.execute(
            "CREATE TABLE named (number INTEGER"
            " REFERENCES numbers DEFERRABLE INITIALLY DEFERRED, name TEXT)"
        )
    return made


@pytest.fixture
async def writes(file: Path) -> AsyncIterator[SqliteWrites]:
    """A connection to it."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}")
    one = SqliteWrites(engine)
    yield one
    await one.close()
    await engine.dispose()


def numbers(file: Path) -> list[int]:
    """The numbers that are committed."""
    with closing(sqlite3.connect(file)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers")]


def add(connection: sqlite3.Connection, *added: int) -> None:
    """Adds some."""
    connection.executemany("INSERT INTO numbers VALUES (?)", [(one,) for one in added])


def adding(*added: int) -> Callable[[sqlite3.Connection], None]:
    """Work that adds some."""
    return lambda connection: add(connection, *added)


async def test_what_is_written_is_committed(writes: SqliteWrites, file: Path) -> None:
    await writes.write(adding(1, 2))
    assert numbers(file) == [1, 2]


async def test_the_loop_goes_on_while_another_process_writes(
    writes: SqliteWrites, file: Path
) -> None:
    await writes.write(adding(1))
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(writes.write(adding(3)))
        await asyncio.sleep(0)  # it can't begin, and this loop is here all the same
        add(other, 2)
        assert not writing.done()
        other.execute("COMMIT")
    await writing
    assert numbers(file) == [1, 2, 3]


async def test_the_loop_goes_on_each_time(writes: SqliteWrites, file: Path) -> None:
    """Whoever has waited once in the thread waits nowhere else the next time."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        for number in (1, 3):
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(writes.write(adding(number)))
            await asyncio.sleep(0)
            add(other, number + 1)
            other.execute("COMMIT")
            await writing
    assert numbers(file) == [1, 2, 3, 4]


async def test_what_is_cancelled_leaves_no_transaction_open(
    writes: SqliteWrites, file: Path
) -> None:
    """Whether it was committed nobody knows; whoever comes next can write."""
    await writes.write(adding(1))
    writing = asyncio.create_task(writes.write(adding(2)))
    await asyncio.sleep(0)  # its commit is in the thread, or on its way there
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await writes.write(adding(3))
    assert {1, 3} <= set(numbers(file))


async def test_a_connection_that_is_given_back_commits_first(file: Path) -> None:
    one = SqliteWrites(create_async_engine(f"sqlite+aiosqlite:///{file}"))
    await one.write(adding(1))
    writing = asyncio.create_task(one.write(adding(2)))
    await asyncio.sleep(0)
    await one.close()
    await writing
    assert numbers(file) == [1, 2]


async def test_a_disk_that_is_full_is_a_database_that_is_away(
    writes: SqliteWrites, file: Path
) -> None:
    def much(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 10")
        add(connection, 1)
        connection.execute("INSERT INTO named VALUES (1, hex(zeroblob(100000)))")

    with pytest.raises(LedgerUnavailable):
        await writes.write(much)
    await writes.write(adding(2))
    assert numbers(file) == [2]


async def test_work_that_fails_changes_nothing(writes: SqliteWrites, file: Path) -> None:
    def half(connection: sqlite3.Connection) -> None:
        add(connection, 1)
        raise WrongError

    with pytest.raises(WrongError):
        await writes.write(half)
    await writes.write(adding(2))
    assert numbers(file) == [2]


async def test_a_refusal_is_the_drivers_and_changes_nothing(
    writes: SqliteWrites, file: Path
) -> None:
    await writes.write(adding(1))
    with pytest.raises(sqlite3.IntegrityError):
        await writes.write(adding(2, 1))
    await writes.write(adding(3))
    assert numbers(file) == [1, 3]


async def test_a_commit_that_is_refused_leaves_nothing_open(
    writes: SqliteWrites, file: Path
) -> None:
    def nameless(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO named VALUES (7, 'seven')")

    with pytest.raises(sqlite3.IntegrityError):
        await writes.write(nameless)
    await writes.write(adding(1))
    assert numbers(file) == [1]


async def test_a_fault_that_ends_the_transaction_is_told_as_it_is(
    writes: SqliteWrites, file: Path
) -> None:
    def over(connection: sqlite3.Connection) -> None:
        add(connection, 1)
        connection.execute("INSERT OR ROLLBACK INTO numbers VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        await writes.write(over)
    assert numbers(file) == []


async def test_a_statement_that_is_wrong_is_no_database_that_is_away(
    writes: SqliteWrites, file: Path
) -> None:
    def wrong(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM nowhere")

    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await writes.write(wrong)
    await writes.write(adding(1))
    assert numbers(file) == [1]


async def test_a_file_that_is_gone_is_away_and_not_made_anew(
    writes: SqliteWrites, file: Path
) -> None:
    aside = await asyncio.to_thread(file.rename, file.with_name("aside.sqlite"))
    with pytest.raises(LedgerUnavailable):
        await writes.write(adding(1))
    assert not await asyncio.to_thread(file.exists)
    await asyncio.to_thread(aside.rename, file)
    await writes.write(adding(1))
    assert numbers(file) == [1]
