"""Opening the database and its ledger. Stripe is not loaded for it: most commands don't need it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from prepaid.clock import Clock, since_boot, steady_clock, wall_clock
from prepaid.core.ledger import WARN_SECONDS
from prepaid.settings import SettingsFault
from prepaid.storage import guards, schema
from prepaid.storage.database import Database, exists
from prepaid.storage.writer import Ledger


@asynccontextmanager
async def open_database(url: str, *, guarded: bool = True) -> AsyncIterator[Database]:
    """The database, if it is at this version's schema and its guards stand. Unguarded it may be
    read, by who looks for what is wrong with it.

    Raises:
        SettingsFault: it isn't, or they don't.
    """
    if not exists(url):
        raise SettingsFault("There is no database yet: run `prepaid migrate`.")
    database = Database(url)
    try:
        await _check_schema(database)
        if guarded:
            await _check_guards(database)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def open_ledger(
    database: Database, clock: Clock | None = None, warn: Sequence[int] = WARN_SECONDS
) -> AsyncIterator[Ledger]:
    """The ledger of this process. `warn` are the seconds left at which a holder is warned.

    Unless a clock is given, its own begins where the database's stands, so that all processes of
    one PostgreSQL agree, whatever their machines say.
    """
    clock = clock or steady_clock(await time_of(database))
    async with Ledger(database, clock, warn).open() as ledger:
        yield ledger


async def time_of(database: Database) -> datetime:
    """The instant that the ledger counts by: the database's, where it has a clock of its own."""
    return await database.now(since_boot) or wall_clock()


async def _check_schema(database: Database) -> None:
    async with database.reading() as connection:
        at = await schema.revision(connection)
    if at == schema.NEWEST:
        return
    remedy = "run `prepaid migrate`" if schema.is_older(at) else "install the newer version again"
    raise SettingsFault(
        f"The database is at migration {at}, and this version needs {schema.NEWEST}: {remedy}."
    )


async def _check_guards(database: Database) -> None:
    if gone := await guards.missing(database):
        raise SettingsFault(
            f"The ledger's guards {sorted(gone)} are gone from the database: restore them from "
            "migration 0001 before anything is sold."
        )
