"""SQLite's log is moved into its file beside the commits, and neither grows nor stays for ever."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from prepaid.storage.checkpoints import FULL, LITTLE, move

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


def log_of(file: Path) -> int:
    """Bytes of the log's file."""
    return Path(f"{file}-wal").stat().st_size


def test_a_log_that_is_full_begins_anew_in_the_same_file(
    file: Path, write: Callable[[int], None]
) -> None:
    write(FULL + 1)
    long = log_of(file)
    move(file, rests=False)
    write(10 * LITTLE)
    assert log_of(file) == long
    assert found(file) == FULL + 1 + 10 * LITTLE


def test_a_log_in_which_much_is_written_is_left_as_it_is(
    file: Path, write: Callable[[int], None]
) -> None:
    write(10 * LITTLE)
    before = log_of(file)
    move(file, rests=False)
    write(LITTLE)
    assert log_of(file) == before


def test_a_long_log_is_cut_off_when_the_rush_is_over(
    file: Path, write: Callable[[int], None]
) -> None:
    write(FULL + 1)
    move(file, rests=False)
    write(LITTLE // 2)
    move(file, rests=False)
    assert log_of(file) == 0


def test_a_log_is_cut_off_when_nobody_writes(file: Path, write: Callable[[int], None]) -> None:
    write(10 * LITTLE)
    move(file, rests=True)
    assert log_of(file) == 0
    assert found(file) == 10 * LITTLE


def test_what_somebody_still_reads_stays(file: Path, write: Callable[[int], None]) -> None:
    write(1)
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM pages").fetchone() == (1,)
        write(1)
        move(file, rests=True)
        assert log_of(file) > 0
        assert reader.execute("SELECT count(*) FROM pages").fetchone() == (1,)
    move(file, rests=True)
    assert log_of(file) == 0


def test_a_file_that_is_away_is_written_down(tmp_path: Path) -> None:
    with capture_logs() as logs:
        move(tmp_path / "nowhere.sqlite", rests=True)
    assert [line["event"] for line in logs] == ["checkpoint_failed"]


def found(file: Path) -> int:
    """How many pages whoever comes next finds."""
    with closing(sqlite3.connect(file)) as connection:
        count: int = connection.execute("SELECT count(*) FROM pages").fetchone()[0]
        return count
