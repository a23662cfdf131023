"""The schema: where it stands, and how it gets to where this version needs it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.database import Database

NEWEST = "0006"
"""The migration that this version needs: the last one in migrations/versions."""

LOCK = 7_703_141_592
"""The advisory lock under which one process at a time migrates (an arbitrary constant)."""


async def revision(connection: AsyncConnection) -> str | None:
    """The migration that the schema is at; None before the first."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    found = await connection.execute(text("SELECT version_num FROM alembic_version"))
    at: str | None = found.scalar_one_or_none()
    return at


def is_older(at: str | None) -> bool:
    """Whether a schema can be brought to this version's; a newer one can't be taken back."""
    return at is None or at < NEWEST


def migrate(url: str) -> None:
    """Brings the schema to this version's, unless it is newer: then it is left alone.

    Safe when several processes start together.

    It works with and without a running event loop.
    """
    with ThreadPoolExecutor(1) as aside:
        aside.submit(lambda: asyncio.run(_migrate(url))).result()


def make_folder(folder: Path) -> None:
    """The folder that the database lives in, for its owner's eyes only.

    Raises:
        LedgerUnavailable: it can't be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailable(
            f"The folder {folder} can't be made ({error.strerror}): set PREPAID_DATA to another."
        ) from error


async def _migrate(url: str) -> None:
    if (file := make_url(url).database) and url.startswith("sqlite"):
        make_folder(Path(file).parent)
    database = Database(url)
    try:
        async with database.writing() as connection:
            if not database.sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
            if is_older(await revision(connection)):
                await connection.run_sync(_upgrade)
    finally:
        await database.close()


def _upgrade(connection: Connection) -> None:
    """Alembic is loaded only when there is something to do: that takes longer than all the rest."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
