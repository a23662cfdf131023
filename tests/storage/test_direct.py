"""Connections of one's own to the database."""

import pytest

from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.database import Database
from prepaid.storage.direct import direct


async def test_it_leaves_no_prepared_statements_behind_where_that_is_asked_for(
    on_postgresql: str,
) -> None:
    """As some connection poolers need it."""
    counted: list[int] = []
    for option in ("", "?prepared_statement_cache_size=0"):
        database = Database(on_postgresql + option)
        one = direct(database)
        rows = await one.fetch("SELECT count(*) FROM pg_prepared_statements WHERE name <> $1", "")
        counted += [row[0] for row in rows]
        await one.close()
        await database.close()
    assert counted == [1, 0]


async def test_a_statement_that_is_wrong_is_no_database_that_is_away(database: Database) -> None:
    one = direct(database)
    with pytest.raises(Exception, match="nowhere") as fault:
        await one.fetch("SELECT 1 FROM nowhere")
    assert not isinstance(fault.value, LedgerUnavailable)
    assert [tuple(row) for row in await one.fetch("SELECT 1")] == [(1,)]
    await one.close()
