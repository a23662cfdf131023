"""An open database, on SQLite and on PostgreSQL; and the express way beside another process."""

from collections.abc import AsyncIterator, Iterator

import pytest

from express_ways import AT, Time, give
from local_postgres import RunningPostgres
from prepaid.storage import accounts
from prepaid.storage.batches import driver_of
from prepaid.storage.database import Database
from prepaid.storage.express import Express
from prepaid.storage.writer import Ledger


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def on_postgresql(postgres: RunningPostgres, migrated_postgres: str) -> Iterator[str]:
    """The address of a migrated PostgreSQL database, for what only a server can do."""
    url = postgres.create_database(migrated_postgres)
    yield url
    postgres.drop_database(url)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def ledger(database: Database, time: Time) -> AsyncIterator[Ledger]:
    """A ledger where ada has a hundred credits and bob ten; it is another process's."""
    async with database.writing() as connection:
        for uid in ("ada", "bob"):
            await accounts.add(connection, uid, AT)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(other, time, warn=()).open() as opened:
        await opened.post_all([give("ada", 100), give("bob", 10)])
        yield opened
    await other.close()


@pytest.fixture
async def express(database: Database, time: Time) -> AsyncIterator[Express]:
    opened = Express(driver_of(database), time, warn=())
    yield opened
    await opened.close()


@pytest.fixture
async def nowhere() -> AsyncIterator[Database]:
    """A database that is away."""
    opened = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    yield opened
    await opened.close()
