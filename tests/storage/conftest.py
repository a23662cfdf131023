"""An open database, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from prepaid.storage.database import Database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database without rows."""
    opened = Database(database_url)
    yield opened
    await opened.close()
