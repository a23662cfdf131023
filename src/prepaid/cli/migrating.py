"""`prepaid migrate`: the database, at this version's schema."""

import asyncio
from dataclasses import dataclass

from prepaid.cli.reports import Report
from prepaid.opening import open_database
from prepaid.settings import read_database_settings
from prepaid.storage import schema


@dataclass(frozen=True, slots=True)
class MigratedOut:
    """The migration that the database is at."""

    revision: str


async def migrated() -> Report:
    """The database, migrated."""
    database_url = read_database_settings().database
    await asyncio.to_thread(schema.migrate, database_url)
    async with open_database(database_url):
        pass  # one that a newer version made, or whose guards are gone, is told in words
    return Report(MigratedOut(schema.NEWEST), [f"The database is at migration {schema.NEWEST}."])
