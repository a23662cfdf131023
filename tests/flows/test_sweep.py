"""What time takes is written into the books, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Charge, Give
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits
from prepaid.core.pulses import Pulse
from prepaid.core.reservations import Reservation, State
from prepaid.flows import accounts, balances, consumption, reservations
from prepaid.flows.sweep import Swept, grace_from, sweep, take_turn
from prepaid.flows.verification import Tally, verify
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)
LATER = AT + timedelta(days=8)
SECOND = timedelta(seconds=1)


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


# What runs.


async def runs(ledger: Ledger, uid: str = "ada", limit: Credits | None = None) -> Reservation:
    """A kernel that has been confirmed: half a credit a second, a heartbeat every ten."""
    asked = replace(KERNEL, id=new_id(), account_uid=uid, key=str(new_id()), limit=limit)
    opened = await reservations.hold(ledger, asked)
    return (await reservations.hold(ledger, Beat(opened.reservation.id, None))).reservation


async def test_what_runs_out_ends_at_its_instant_and_what_is_silent_is_lost(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    for uid in ("ada", "bob"):
        await accounts.create(database, uid, AT)
        await give(ledger, uid, 50, days=None)
    short = await runs(ledger, limit=Credits.of(4))
    silent = await runs(ledger, "bob")
    clock.now = AT + 9 * SECOND
    (ended,) = (await sweep(database, ledger, clock.now, AT)).ended
    assert (ended.id, ended.state, ended.ended_at) == (
        short.id,
        State.DEPLETED,
        AT + 8 * SECOND,
    )
    clock.now = AT + 30 * SECOND
    (ended,) = (await sweep(database, ledger, clock.now, AT)).ended
    assert (ended.id, ended.state, ended.spent) == (silent.id, State.LOST, Credits.of(5))
    assert (await balances.balance(database, "bob", clock.now)).available == Credits.of(45)
    assert await findings(database) == []


async def test_the_sweep_extends_the_slice_of_what_still_has_its_grace(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await accounts.create(database, "ada", AT)
    await give(ledger, "ada", 6, days=None)
    one = await runs(ledger)
    await give(ledger, "ada", 50, days=None)
    clock.now = AT + 12 * SECOND
    assert (await sweep(database, ledger, clock.now, AT)).ended == []
    (running,) = (await balances.balance(database, "ada", clock.now)).reservations
    assert (running.id, running.reserved) == (one.id, Credits.of(6 + 15))


async def test_what_a_reservation_claims_of_a_grant_expires_when_it_has_ended(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await accounts.create(database, "ada", AT)
    await give(ledger, "ada", 11)
    await runs(ledger, limit=Credits.of(10))
    clock.now = LATER
    first = await sweep(database, ledger, LATER, LATER)
    assert [one.credits for one in first.expired] == [Credits.of(-1)]
    assert first.ended == []
    clock.now = LATER + 30 * SECOND
    second = await sweep(database, ledger, clock.now, LATER)
    assert [(one.state, one.spent) for one in second.ended] == [(State.LOST, Credits.of(5))]
    third = await sweep(database, ledger, clock.now, LATER)
    assert [one.credits for one in third.expired] == [Credits.of(-5)]
    assert (await balances.balance(database, "ada", clock.now)).balance == Credits(0)
    assert await findings(database) == []


# Whose turn it is.


async def test_one_process_sweeps_until_it_is_silent(database: Database) -> None:
    first, second = new_id(), new_id()
    assert (await take_turn(database, first, AT)) is not None
    assert await take_turn(database, second, AT + SECOND) is None
    assert (await take_turn(database, first, AT + 2 * SECOND)) is not None
    assert await take_turn(database, second, AT + 5 * SECOND) is None
    turn = await take_turn(database, second, AT + 6 * SECOND)
    assert turn == Pulse(AT + 6 * SECOND, second, renewed_at=AT + 6 * SECOND)
    assert await take_turn(database, first, AT + 7 * SECOND) is None


async def test_of_many_that_take_the_turn_at_once_one_sweeps(database: Database) -> None:
    ids = [new_id() for _ in range(10)]
    taken = await asyncio.gather(*(take_turn(database, who, AT) for who in ids))
    assert len([pulse for pulse in taken if pulse is not None]) == 1


async def test_a_pulse_is_written_once_a_second(database: Database) -> None:
    who = new_id()
    first = await take_turn(database, who, AT)
    assert await take_turn(database, who, AT + 0.9 * SECOND) == first
    later = await take_turn(database, who, AT + SECOND)
    assert first is not None
    assert later == Pulse(AT + SECOND, who, first.renewed_at)


async def test_graces_count_from_when_the_service_came_back(database: Database) -> None:
    assert await grace_from(database, AT) == AT
    await take_turn(database, new_id(), AT)
    assert await grace_from(database, AT + 2 * SECOND) == AT
    assert await grace_from(database, AT + 60 * SECOND) == AT + 60 * SECOND


async def test_who_lives_through_our_outage_goes_on_and_who_died_pays_one_interval(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await accounts.create(database, "ada", AT)
    await give(ledger, "ada", 5_000, days=None)
    lives, died = await runs(ledger), await runs(ledger, limit=Credits.of(100))
    back = clock.now = AT + timedelta(hours=1)
    turn = await take_turn(database, new_id(), back)
    assert turn is not None
    assert (await sweep(database, ledger, back, turn.renewed_at)).ended == []
    clock.now = back + 9 * SECOND
    held = await reservations.hold(ledger, Beat(lives.id, None))
    assert (held.reservation.state, held.reservation.reserved) == (
        State.RUNNING,
        Credits(1_804_500_000 + 15_000_000),
    )
    clock.now = back + 30 * SECOND
    (ended,) = (await sweep(database, ledger, clock.now, turn.renewed_at)).ended
    assert (ended.id, ended.state, ended.spent) == (died.id, State.LOST, Credits.of(5))
