"""What time takes is written into the books, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge, Give
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits
from prepaid.flows import accounts, balances, consumption
from prepaid.flows.sweep import Swept, sweep
from prepaid.flows.verification import Tally, verify
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
LATER = AT + timedelta(days=8)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database: Database, clock: Clock) -> AsyncIterator[Ledger]:
    async with Ledger(database, clock).open() as opened:
        yield opened


async def give(ledger: Ledger, uid: str, whole: int, days: int | None = 7) -> None:
    expires_at = None if days is None else AT + timedelta(days=days)
    asked = Give(
        new_id(), uid, str(new_id()), Credits.of(whole), Kind.PROMOTION, "", "grace", expires_at
    )
    await accounts.give(ledger, asked)


def charge(uid: str, whole: int) -> Charge:
    return Charge(new_id(), uid, str(new_id()), Credits.of(whole), "kernel", "", "runner")


async def findings(database: Database) -> list[str]:
    return [found.what async for found in verify(database, Tally())]


async def test_what_is_left_of_each_grant_goes_when_its_time_has_come(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    for uid in ("ada", "bob"):
        await accounts.create(database, uid, AT)
        await give(ledger, uid, 5)
        await give(ledger, uid, 3, days=None)
    await consumption.charge(ledger, charge("ada", 2))
    clock.now = LATER
    taken = (await sweep(database, ledger, LATER, AT)).expired
    assert {(one.account_uid, one.credits) for one in taken} == {
        ("ada", Credits.of(-3)),
        ("bob", Credits.of(-5)),
    }
    assert (await balances.balance(database, "ada", LATER)).balance == Credits.of(3)
    assert await findings(database) == []


async def test_nothing_is_swept_before_its_time_or_twice(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await accounts.create(database, "ada", AT)
    await give(ledger, "ada", 5)
    assert await sweep(database, ledger, AT, AT) == Swept()
    clock.now = LATER
    first, second = await asyncio.gather(
        sweep(database, ledger, LATER, AT), sweep(database, ledger, LATER, AT)
    )
    assert len(first.expired + second.expired) == 1
    assert await sweep(database, ledger, LATER, AT) == Swept()


async def test_a_charge_does_not_wait_for_the_sweep(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await accounts.create(database, "ada", AT)
    await give(ledger, "ada", 5)
    clock.now = LATER
    (refused,) = await consumption.charge_all(ledger, [charge("ada", 1)])
    assert isinstance(refused, InsufficientCredits)
    assert (await balances.balance(database, "ada", LATER)).balance == Credits(0)
    assert await findings(database) == []
