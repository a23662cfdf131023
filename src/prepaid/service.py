"""A running service: its parts, put together in one place and taken apart in the right order."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from prepaid.clock import Clock, wall_clock
from prepaid.flows.catalog import Catalog
from prepaid.flows.shop import Shop
from prepaid.payments.gateway import Gateway
from prepaid.settings import Settings, SettingsFault
from prepaid.storage import deployments, guards
from prepaid.storage.database import Database, exists, newest_revision
from prepaid.storage.writer import Ledger


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that a request may need."""

    settings: Settings
    database: Database
    ledger: Ledger
    shop: Shop
    clock: Clock


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
async def open_service(settings: Settings, clock: Clock = wall_clock) -> AsyncIterator[Service]:
    """The service, running until the block ends; what it was asked by then is finished first."""
    async with open_database(settings.database) as database, open_ledger(database, clock) as ledger:
        gateway = open_gateway(settings)
        try:
            shop = await _shop(settings, database, gateway)
            yield Service(settings, database, ledger, shop, clock)
        finally:
            await gateway.close()


def open_ledger(
    database: Database, clock: Clock = wall_clock
) -> AbstractAsyncContextManager[Ledger]:
    """The ledger of this process."""
    return Ledger(database, clock).open()


def open_gateway(settings: Settings) -> Gateway:
    """Stripe, or the simulator in its place."""
    return Gateway(
        settings.stripe_api_key.get_secret_value(),
        settings.stripe_product_id,
        settings.stripe_api_base or None,
    )


async def _shop(settings: Settings, database: Database, gateway: Gateway) -> Shop:
    async with database.reading() as connection:
        deployment = await deployments.own(connection)
    return Shop(
        database=database,
        gateway=gateway,
        catalog=Catalog(gateway),
        deployment=deployment,
        return_origins=settings.origins,
        automatic_tax=settings.automatic_tax,
    )


async def _check_schema(database: Database) -> None:
    at, needed = await database.revision(), newest_revision()
    if at != needed:
        raise SettingsFault(
            f"The database is at migration {at}, and this version needs {needed}: "
            "run `prepaid migrate`."
        )


async def _check_guards(database: Database) -> None:
    if gone := await guards.missing(database):
        raise SettingsFault(
            f"The ledger's guards {sorted(gone)} are gone from the database: restore them from "
            "migration 0001 before anything is sold."
        )
