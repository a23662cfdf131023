"""Checkpoints of SQLite: what was committed moves from the log into the file, beside the commits.

Left to itself SQLite does this inside the commit that makes the log a thousand pages long, and
whoever waits for that commit waits for all of it.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple

import structlog

from prepaid.storage.database import Database

LOOK_SECONDS, RARE_SECONDS, SOON_SECONDS = 0.25, 1.0, 0.02
"""How soon the log is looked at again: while much is written, else, and when it is full, so that
little is left to be moved when it begins anew."""

LONG = 4_000_000
"""Bytes of the log's file beyond which what is in it is moved. Writers go on meanwhile."""

LITTLE = 1_000
"""Pages in the log that are not much."""

FULL = 16_000
"""Pages in the log, 64 MB, beyond which it begins anew in the same file: writers wait until the
last of them are moved and the file is flushed. To cut off so long a file would let them wait five
times as long, and to write where a file ends takes longer than to write over it."""

WAIT_MS = 50
"""How long a new beginning waits for writers, and lets them wait for readers who still need the
log. Else it is tried again at another look."""

log = structlog.get_logger(__name__)


class _Log(NamedTuple):
    """A log's file: its bytes, and when somebody wrote into it last."""

    length: int
    written: int


@asynccontextmanager
async def checkpointing(database: Database) -> AsyncIterator[None]:
    """Keeps SQLite's log short until the block ends; PostgreSQL does that by itself."""
    if not database.sqlite:
        yield
        return
    moving = asyncio.create_task(_move_for_ever(_file_of(database)), name="checkpoints")
    try:
        yield
    finally:
        moving.cancel()
        await asyncio.wait([moving])


async def _move_for_ever(file: Path) -> None:
    """Only a log that was written since it was moved is moved again. To move what was moved
    already, just when a writer begins the log anew, is where SQLite before 3.51.3 may lose what
    comes then. What is written while a log is moved waits for what is written next."""
    pages, moved = 0, _log_of(file)
    while True:
        await asyncio.sleep(_pause(pages))
        log_ = _log_of(file)
        if log_ == moved or log_.length <= LONG:
            pages = 0
        else:
            pages = await asyncio.to_thread(move, file, anew=pages > FULL)
            moved = _log_of(file)


def _pause(pages: int) -> float:
    if pages > FULL:
        return SOON_SECONDS
    return RARE_SECONDS if pages < LITTLE else LOOK_SECONDS


def move(file: Path, *, anew: bool = False) -> int:
    """Moves what is in the log of a file, so that the log begins `anew` if nobody needs it: how
    many pages were in it, unless it does. A database that is away will be there the next time."""
    mode = "RESTART" if anew else "PASSIVE"
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
            _, pages, _ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    except sqlite3.Error as error:
        log.warning("checkpoint_failed", why=str(error))
        return 0
    return 0 if anew else int(pages)


def _log_of(file: Path) -> _Log:
    try:
        found = Path(f"{file}-wal").stat()
    except OSError:
        return _Log(0, 0)
    return _Log(found.st_size, found.st_mtime_ns)


def _file_of(database: Database) -> Path:
    return Path(database.engine.url.database or "").absolute()
