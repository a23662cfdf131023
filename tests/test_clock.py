"""The ledger's clock begins somewhere, and then only goes forward as time does."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from prepaid.clock import since_boot, steady_clock, wall_clock
from prepaid.opening import open_ledger
from prepaid.storage.database import Database


def test_a_steady_clock_begins_where_it_is_told_and_counts_on() -> None:
    began = datetime(2020, 1, 1, tzinfo=UTC)
    clock = steady_clock(began)
    first, second = clock(), clock()
    assert began <= first <= second < began + timedelta(minutes=1)


async def test_what_comes_after_the_databases_answer_passes_too(database_url: str) -> None:
    """The end of the transaction, and the way back to the pool, took an hour here."""
    database, passed = Database(database_url), [timedelta(0)]
    before = await database.now(since_boot)
    event.listen(database.engine.sync_engine, "commit", lambda _: passed.append(timedelta(hours=1)))
    at = await database.now(lambda: passed[-1])
    await database.close()
    if at is None or before is None:
        assert database.sqlite
    else:
        assert at - before >= timedelta(hours=1)


async def test_a_ledger_has_the_databases_time(database_url: str) -> None:
    database = Database(database_url)
    before = await database.now(since_boot) or wall_clock()
    async with open_ledger(database) as ledger:
        assert before <= ledger.clock()
        assert ledger.clock() <= (await database.now(since_boot) or wall_clock())
    await database.close()
