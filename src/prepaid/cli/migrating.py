"""`prepaid migrate`: the database, at this version's schema."""

import asyncio
from dataclasses import dataclass

from prepaid.cli.reports import Report
from prepaid.settings import read_database_settings
from prepaid.storage.database import migrate, newest_revision


@dataclass(frozen=True, slots=True)
class MigratedOut:
    """The migration that the database is at."""

    revision: str | None


async def migrated() -> Report:
    """The database, migrated."""
    await asyncio.to_thread(migrate, read_database_settings().database)
    revision = newest_revision()
    return Report(MigratedOut(revision), [f"The database is at migration {revision}."])
