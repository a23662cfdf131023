"""`prepaid migrate`: the database, at this version's schema."""

import asyncio
from dataclasses import dataclass

from prepaid.cli.reports import Report
from prepaid.settings import read_database_settings
from prepaid.storage import schema


@dataclass(frozen=True, slots=True)
class MigratedOut:
    """The migration that the database is at."""

    revision: str


async def migrated() -> Report:
    """The database, migrated."""
    await asyncio.to_thread(schema.migrate, read_database_settings().database)
    return Report(MigratedOut(schema.NEWEST), [f"The database is at migration {schema.NEWEST}."])
