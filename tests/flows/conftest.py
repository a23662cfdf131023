"""A shop over a fresh database. Nothing here asks Stripe unless a test starts a simulator."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, State
from prepaid.core.commands import Told
from prepaid.flows import fulfilment
from prepaid.flows.catalog import Catalog
from prepaid.flows.shop import Shop
from prepaid.ids import new_id
from prepaid.payments.events import Ignored
from prepaid.payments.gateway import Gateway
from prepaid.storage import accounts, checkouts, deployments
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from signed import SECRET, Event

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class Counter:
    """A shop, its ledger, and an account to sell to."""

    shop: Shop
    ledger: Ledger

    async def offer(self, account_uid: str = "ada", whole: int = 50) -> Checkout:
        """A checkout that is open, with a session."""
        fresh = Checkout(
            id=new_id(),
            account_uid=account_uid,
            state=State.OPEN,
            price_id="price_50",
            credits=Credits.of(whole),
            units=whole,
            price=Money(whole * 10, "usd"),
            livemode=False,
            customer_id=f"cus_{account_uid}",
            return_url="https://example.com/",
            automatic_tax=False,
            created_at=AT,
            expires_at=AT + timedelta(hours=1),
        )
        fresh = replace(fresh, session_id=f"cs_test_{fresh.id.hex}")
        async with self.shop.database.writing() as connection:
            await accounts.add(connection, account_uid, AT)
            await checkouts.add(connection, fresh)
        return fresh

    async def take(self, event: Event) -> Told | Ignored:
        """Delivers an event."""
        delivery = event.delivery(AT)
        read = fulfilment.read(delivery, [SECRET], AT)
        return await fulfilment.take(self.shop, self.ledger, delivery, read)

    async def balance(self, account_uid: str = "ada") -> Credits:
        """What an account has."""
        async with self.shop.database.reading() as connection:
            found = await accounts.find(connection, account_uid)
        assert found is not None
        return found.balance

    async def state(self, checkout: Checkout) -> State:
        """Where a checkout stands."""
        async with self.shop.database.reading() as connection:
            found = await checkouts.by_id(connection, checkout.id)
        assert found is not None
        return found.state


@asynccontextmanager
async def counter_over(url: str) -> AsyncIterator[Counter]:
    """A shop with its ledger over a database that has the schema."""
    database = Database(url)
    gateway = Gateway("sk_test_nobody_is_asked", "prod_1", "http://127.0.0.1:9")
    async with database.reading() as connection:
        deployment = await deployments.own(connection)
    shop = Shop(database, gateway, Catalog(gateway), deployment, frozenset(), automatic_tax=False)
    try:
        async with Ledger(database, lambda: AT).open() as ledger:
            yield Counter(shop, ledger)
    finally:
        await gateway.close()
        await database.close()


@pytest.fixture
def open_counter() -> Callable[[str], AbstractAsyncContextManager[Counter]]:
    """Opens a counter over a database; again, as after a restart."""
    return counter_over


@pytest.fixture
async def counter(database_url: str) -> AsyncIterator[Counter]:
    """A counter on SQLite, then on PostgreSQL."""
    async with counter_over(database_url) as opened:
        yield opened
