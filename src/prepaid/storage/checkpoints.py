"""Checkpoints of SQLite: what was committed moves from the log into the file, beside the commits.

Left to itself SQLite does this inside the commit that makes the log a thousand pages long, and
whoever waits for that commit waits for all of it.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import structlog

from prepaid.storage.database import Database

LOOK_SECONDS = 0.25
"""How often the log's length is looked at."""

LONG = 4_000_000
"""Bytes of the log's file beyond which what is in it is moved. Writers go on meanwhile."""

FULL = 16_000
"""Pages in the log, 64 MB, beyond which it begins anew in the same file: writers wait until the
last of them are moved, of which there are few by then. To cut so long a file off would let them
wait five times as long, and to write where a file ends takes longer than to write it again."""

LITTLE = 250
"""Pages that were written since the last look, if the log began anew since: the rush is over, and
a file that is long is cut off."""

WAIT_MS = 1_000
"""How long the log's new beginning waits for writers, and lets them wait for readers that still
need it. Else it is tried again at the next look."""

log = structlog.get_logger(__name__)


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
    seen = None
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        log_ = _log_of(file)
        if log_ is not None and log_.st_size > LONG:
            await asyncio.to_thread(move, file, rests=log_.st_mtime_ns == seen)
            seen = log_.st_mtime_ns


def move(file: Path, *, rests: bool) -> None:
    """Moves what is in the log of a file; nobody has written since the last time if it `rests`. A
    database that is away will be there the next time."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {WAIT_MS}")
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if rests or pages < LITTLE:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            elif pages > FULL:
                connection.execute("PRAGMA wal_checkpoint(RESTART)")
    except sqlite3.Error as error:
        log.warning("checkpoint_failed", why=str(error))


def _log_of(file: Path) -> os.stat_result | None:
    try:
        return Path(f"{file}-wal").stat()
    except OSError:
        return None


def _file_of(database: Database) -> Path:
    return Path(database.engine.url.database or "").absolute()
