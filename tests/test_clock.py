"""The ledger's clock begins somewhere, and then only goes forward as time does."""

from datetime import UTC, datetime, timedelta

from prepaid.clock import steady_clock, wall_clock
from prepaid.opening import open_ledger
from prepaid.storage.database import Database


def test_a_steady_clock_begins_where_it_is_told_and_counts_on() -> None:
    began = datetime(2020, 1, 1, tzinfo=UTC)
    clock = steady_clock(began)
    first, second = clock(), clock()
    assert began <= first <= second < began + timedelta(minutes=1)


async def test_a_ledger_has_the_databases_time(database_url: str) -> None:
    database = Database(database_url)
    before = await database.now() or wall_clock()
    async with open_ledger(database) as ledger:
        assert before <= ledger.clock()
        assert ledger.clock() <= (await database.now() or wall_clock())
    await database.close()
