"""A running service: its parts, put together in one place and taken apart in the right order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from prepaid.clock import Clock, wall_clock
from prepaid.core.errors import Unavailable
from prepaid.core.pulses import Pulse
from prepaid.flows.catalog import Catalog
from prepaid.flows.changes import Changes
from prepaid.flows.shop import Shop
from prepaid.flows.sweep import sweep, take_turn
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.payments.gateway import Gateway
from prepaid.settings import Settings
from prepaid.storage import deployments
from prepaid.storage.database import Database
from prepaid.storage.dues import Dues
from prepaid.storage.key_finder import KeyFinder
from prepaid.storage.reader import Reader
from prepaid.storage.writer import Ledger

SWEEP_SECONDS = 0.25
"""How long after its instant an expired grant may still show in a balance, and a reservation that
has run out or was lost may still claim something."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that a request may need."""

    settings: Settings
    database: Database
    ledger: Ledger
    reader: Reader
    key_finder: KeyFinder
    changes: Changes
    shop: Shop
    clock: Clock


@asynccontextmanager
async def open_service(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Service]:
    """The service, running until the block ends; what it was asked by then is finished first.

    Whoever brings a clock has it everywhere. Otherwise what burns is measured by the ledger's own,
    which nobody can set meanwhile; tokens and signatures are compared with the wall's.
    """
    async with (
        open_database(settings.database) as database,
        open_ledger(database, clock, settings.warn_seconds) as ledger,
    ):
        gateway = open_gateway(settings)
        try:
            shop = await _shop(settings, database, gateway)
            async with (
                _sweeping(database, ledger),
                Reader(database, ledger.clock).open() as reader,
                KeyFinder(database).open() as key_finder,
                Changes(database, ledger.clock).open() as changes,
            ):
                parts = settings, database, ledger, reader, key_finder, changes, shop
                yield Service(*parts, clock or wall_clock)
        finally:
            await gateway.close()


@asynccontextmanager
async def _sweeping(database: Database, ledger: Ledger) -> AsyncIterator[None]:
    dues = Dues(database)
    sweeping = asyncio.create_task(_sweep_for_ever(database, ledger, dues, new_id()), name="sweep")
    try:
        yield
    finally:
        sweeping.cancel()
        await asyncio.wait([sweeping])
        await dues.close()


async def _sweep_for_ever(database: Database, ledger: Ledger, dues: Dues, who: UUID) -> None:
    """Also after the database was away, or something else went wrong: dead machines would go on
    claiming credits."""
    while True:
        try:
            await _sweep_in_turn(database, ledger, dues, who)
        except Unavailable as away:
            log.warning("sweep_postponed", why=str(away))
        except Exception:
            log.exception("sweep_failed")
        await asyncio.sleep(SWEEP_SECONDS)


async def _sweep_in_turn(database: Database, ledger: Ledger, dues: Dues, who: UUID) -> None:
    async def alive() -> Pulse | None:
        return await take_turn(database, who, ledger.clock())

    at = ledger.clock()
    seen = await dues.look(at)
    pulse = await take_turn(database, who, at, seen.pulse)
    if pulse is not None and seen.is_due:
        await sweep(database, ledger, at, pulse.renewed_at, alive)


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
