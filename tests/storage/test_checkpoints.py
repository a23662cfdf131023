"""SQLite's log is moved into its file beside the commits, and neither grows nor stays for ever."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from conftest import sqlite_url
from prepaid.storage.checkpoints import LONG, checkpointing, move
from prepaid.storage.database import Database

PAGE = 4_096


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a log and a table."""
    made = tmp_path / "logged.sqlite"
    with closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE pages (content BLOB)")
    return made


@pytest.fixture
def write(file: Path) -> Iterator[Callable[[int], None]]:
    """Writes so many pages, as a connection that leaves the log alone."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = OFF")  # nothing here is told to anybody

        def written(pages: int) -> None:
            connection.execute("BEGIN")
            connection.executemany(
                "INSERT INTO pages VALUES (zeroblob(?))", [(PAGE - 100,)] * pages
            )
            connection.execute("COMMIT")

        yield written


def size_of(file: Path) -> int:
    """Its bytes."""
    return file.stat().st_size


def log_of(file: Path) -> int:
    """Bytes of its log's file."""
    return size_of(Path(f"{file}-wal"))


def test_a_log_is_moved_while_somebody_writes(file: Path, write: Callable[[int], None]) -> None:
    write(100)
    assert move(file) >= 100
    assert size_of(file) > 100 * PAGE
    assert found(file) == 100


def test_a_log_begins_anew_in_the_same_file(file: Path, write: Callable[[int], None]) -> None:
    write(1_000)
    long = log_of(file)
    assert move(file, anew=True) == 0
    write(500)
    assert log_of(file) == long
    assert found(file) == 1_500


def test_what_somebody_still_reads_stays_and_writers_go_on(
    file: Path, write: Callable[[int], None]
) -> None:
    write(1)
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM pages").fetchone() == (1,)
        write(1_000)
        move(file, anew=True)
        write(1)
        assert reader.execute("SELECT count(*) FROM pages").fetchone() == (1,)
    assert found(file) == 1_002


def test_a_file_that_is_away_is_written_down(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert move(tmp_path / "nowhere.sqlite") == 0
    assert [line["event"] for line in logs] == ["checkpoint_failed"]


async def test_a_service_keeps_the_log_from_growing(
    file: Path, write: Callable[[int], None]
) -> None:
    """Nobody asks it to, and it tells nobody: so it is given time, and looked at."""
    database, before = Database(sqlite_url(file)), -1
    async with checkpointing(database), asyncio.timeout(60):
        while log_of(file) != before:
            before = log_of(file)
            write(100)
            await asyncio.sleep(0.01)
    await database.close()
    assert size_of(file) > LONG - 100 * PAGE


def found(file: Path) -> int:
    """How many pages whoever comes next finds."""
    with closing(sqlite3.connect(file)) as connection:
        count: int = connection.execute("SELECT count(*) FROM pages").fetchone()[0]
        return count
