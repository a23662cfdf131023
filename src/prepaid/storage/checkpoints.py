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

from prepaid.storage.database import SQLITE_WAIT_MS, Database

LOOK_SECONDS = 0.25
"""How often the log's length is looked at."""

LONG = 4_000_000
"""Bytes of log beyond which it is moved. Writers go on meanwhile, and the log with them."""

TOO_LONG = 64_000_000
"""Bytes of log beyond which writers wait until all of it was moved, so that it begins anew: by
then little is left to be moved."""

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
        if log_ is not None and log_.st_size > LONG and log_.st_mtime_ns != seen:
            seen = log_.st_mtime_ns
            await asyncio.to_thread(_move, file, all_of_it=log_.st_size > TOO_LONG)


def _move(file: Path, *, all_of_it: bool) -> None:
    """A database that is away will be there the next time."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {SQLITE_WAIT_MS}")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if all_of_it:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        log.warning("checkpoint_failed", why=str(error))


def _log_of(file: Path) -> os.stat_result | None:
    try:
        return Path(f"{file}-wal").stat()
    except OSError:
        return None


def _file_of(database: Database) -> Path:
    return Path(database.engine.url.database or "").absolute()
