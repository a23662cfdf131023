"""A running service: its parts, put together in one place and taken apart in the right order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from prepaid.clock import Clock, wall_clock
from prepaid.core.errors import Unavailable
from prepaid.flows.catalog import Catalog
from prepaid.flows.shop import Shop
from prepaid.flows.sweep import sweep
from prepaid.opening import open_database, open_ledger
from prepaid.payments.gateway import Gateway
from prepaid.settings import Settings
from prepaid.storage import deployments
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

SWEEP_SECONDS = 1.0
"""How long after its instant an expired grant may still show in a balance."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that a request may need."""

    settings: Settings
    database: Database
    ledger: Ledger
    shop: Shop
    clock: Clock


@asynccontextmanager
async def open_service(settings: Settings, clock: Clock = wall_clock) -> AsyncIterator[Service]:
    """The service, running until the block ends; what it was asked by then is finished first."""
    async with open_database(settings.database) as database, open_ledger(database, clock) as ledger:
        gateway = open_gateway(settings)
        try:
            shop = await _shop(settings, database, gateway)
            async with _sweeping(database, ledger, clock):
                yield Service(settings, database, ledger, shop, clock)
        finally:
            await gateway.close()


@asynccontextmanager
async def _sweeping(database: Database, ledger: Ledger, clock: Clock) -> AsyncIterator[None]:
    sweeping = asyncio.create_task(_sweep_for_ever(database, ledger, clock), name="sweep")
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.wait([sweeping])


async def _sweep_for_ever(database: Database, ledger: Ledger, clock: Clock) -> None:
    """Also after the database was away."""
    while True:
        try:
            await sweep(database, ledger, clock())
        except Unavailable as away:
            log.warning("sweep_postponed", why=str(away))
        await asyncio.sleep(SWEEP_SECONDS)


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
