"""An open database, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local_postgres import RunningPostgres
from prepaid.storage.database import Database


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
