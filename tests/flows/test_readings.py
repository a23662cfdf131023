"""What many want to know at the same moment is read for all of them at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, text

from prepaid.core.amounts import Credits
from prepaid.core.commands import Give, Open
from prepaid.core.entries import Kind
from prepaid.core.errors import LedgerUnavailable
from prepaid.flows import accounts, reservations
from prepaid.flows.news import Asked, Position
from prepaid.flows.readings import AT_ONCE, Readings
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
BEGINNING = Position(0, 0)
UIDS = [f"user-{number}" for number in range(10)]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """With ten accounts, each with a credit and a reservation."""
    opened = Database(database_url)
    async with Ledger(opened, lambda: AT).open() as ledger:
        for uid in UIDS:
            await accounts.create(opened, uid, AT)
            given = Give(new_id(), uid, "k", Credits.of(1), Kind.PROMOTION, "", "grace")
            await accounts.give(ledger, given)
            await reservations.hold(ledger, opening(uid))
    yield opened
    await opened.close()


@pytest.fixture
def readings(database: Database) -> Readings:
    return Readings(database, lambda: AT)


def opening(uid: str) -> Open:
    return Open(
        id=new_id(),
        account_uid=uid,
        key="k",
        resource="k1",
        resource_type="runtime",
        given_name="",
        burning_rate=Credits.of(1),
        limit=Credits.of(1),
        heartbeat_seconds=30,
        actor=uid,
        by_platform=False,
    )


async def test_many_share_a_few_readings_over_one_connection(
    database: Database, readings: Readings
) -> None:
    open_now, most, begun = [0], [0], [0]

    def out(*_: object) -> None:
        begun[0] += 1
        open_now[0] += 1
        most[0] = max(most[0], open_now[0])

    def back(*_: object) -> None:
        open_now[0] -= 1

    event.listen(database.engine.sync_engine.pool, "checkout", out)
    event.listen(database.engine.sync_engine.pool, "checkin", back)
    told = await asyncio.gather(*(readings.news(Asked(uid, BEGINNING)) for uid in UIDS * 20))
    assert [one.account.uid for one in told] == UIDS * 20
    assert all([entry.number for entry in one.entries] == [1] for one in told)
    assert most == [1]
    assert begun[0] <= len(told) / AT_ONCE + 1


async def test_a_row_that_can_not_be_read_is_no_fault_of_the_others(
    database: Database, readings: Readings
) -> None:
    async with database.writing() as connection:
        spoilt = "UPDATE outbox SET type = 'odd' WHERE account_uid = 'user-3'"
        await connection.execute(text(spoilt))
    told = await asyncio.gather(
        *(readings.news(Asked(uid, BEGINNING)) for uid in UIDS), return_exceptions=True
    )
    faults = [uid for uid, one in zip(UIDS, told, strict=True) if isinstance(one, Exception)]
    assert faults == ["user-3"]


async def test_who_is_cancelled_holds_up_nobody(readings: Readings) -> None:
    asking = [asyncio.create_task(readings.news(Asked(uid, BEGINNING))) for uid in UIDS]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[5].cancel()
    told = await asyncio.gather(*asking, return_exceptions=True)
    gone = [number for number, one in enumerate(told) if isinstance(one, BaseException)]
    assert gone == [0, 5]


async def test_a_database_that_is_away_is_told_to_all() -> None:
    database = Database("sqlite+aiosqlite:////nowhere/prepaid.db")
    readings = Readings(database, lambda: AT)
    told = await asyncio.gather(
        *(readings.news(Asked(uid, BEGINNING)) for uid in UIDS), return_exceptions=True
    )
    assert {type(one) for one in told} == {LedgerUnavailable}
    await database.close()
