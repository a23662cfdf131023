"""The sweep goes on: one damaged row keeps nobody else's time from passing, and a long sweep is no
outage."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from prepaid.core import grants as core_grants
from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Give, Held, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import LedgerUnavailable
from prepaid.core.reservations import GRACE_HEARTBEATS, State
from prepaid.flows import accounts, reservations
from prepaid.flows.sweep import AT_ONCE, sweep, take_turn
from prepaid.ids import new_id
from prepaid.storage import grants
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import AT, KERNEL

LATER = AT + timedelta(hours=1)


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
        for uid in ("ada", "bob"):
            await accounts.create(database, uid, AT)
        yield opened


async def give(
    ledger: Ledger, uid: str, whole: int, kind: Kind = Kind.PURCHASE, minutes: int | None = None
) -> None:
    expires_at = None if minutes is None else AT + timedelta(minutes=minutes)
    asked = Give(new_id(), uid, str(new_id()), Credits.of(whole), kind, "", "grace", expires_at)
    await accounts.give(ledger, asked)


async def running(ledger: Ledger, uid: str, key: str = "kernel", whole: int = 1) -> Held:
    """Something of an account's that runs, with a limit."""
    limit = Credits.of(whole)
    asked = replace(KERNEL, id=new_id(), account_uid=uid, key=key, limit=limit)
    held = await reservations.hold(ledger, asked)
    return await reservations.hold(ledger, Beat(held.reservation.id, None))


async def damage(database: Database, statement: str) -> None:
    async with database.writing() as connection:
        await connection.execute(text(statement))


async def due(database: Database, at: datetime) -> list[str]:
    async with database.reading() as connection:
        return await grants.due(connection, at, "", 10)


async def test_an_account_whose_grants_cannot_expire_keeps_nothing_else_from_ending(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    """Its balance would go below zero, which the database refuses each time."""
    await give(ledger, "ada", 5, Kind.PROMOTION, minutes=1)
    await give(ledger, "bob", 5)
    held = await running(ledger, "bob")
    await damage(database, "UPDATE accounts SET balance = 1 WHERE uid = 'ada'")
    clock.now = LATER
    (ended,) = (await sweep(database, ledger, LATER, AT)).ended
    assert (ended.id, ended.state) == (held.reservation.id, State.DEPLETED)


async def test_a_reservation_that_cannot_end_keeps_no_other_from_ending(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    for uid in ("ada", "bob"):
        await give(ledger, uid, 5)
    await running(ledger, "ada")
    held = await running(ledger, "bob")
    await damage(database, "UPDATE accounts SET reserved = 0 WHERE uid = 'ada'")
    clock.now = LATER
    for ended in ([held.reservation.id], []):
        swept = await sweep(database, ledger, LATER, AT)
        assert [one.id for one in swept.ended] == ended


async def test_a_sweep_without_a_database_says_so(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await give(ledger, "ada", 5)
    await running(ledger, "ada")
    clock.now = LATER
    nowhere = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    async with Ledger(nowhere, clock).open() as away:
        with pytest.raises(LedgerUnavailable):
            await sweep(database, away, LATER, AT)
    await nowhere.close()


async def test_a_sweep_that_lasts_shows_that_the_service_lives(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    """Otherwise all graces would begin anew each time, and no dead machine would be found."""
    await give(ledger, "ada", AT_ONCE * 2)
    await asyncio.gather(*(running(ledger, "ada", key=str(i)) for i in range(AT_ONCE + 1)))
    who = new_id()

    async def alive() -> None:
        clock.now += timedelta(seconds=2)
        await take_turn(database, who, clock.now)

    clock.now = LATER
    first = await take_turn(database, who, LATER)
    swept = await sweep(database, ledger, LATER, AT, alive)
    assert len(swept.ended) == AT_ONCE + 1
    after = await take_turn(database, who, clock.now)
    assert first is not None
    assert after is not None
    assert after.at == LATER + timedelta(seconds=4)
    assert after.renewed_at == first.renewed_at


async def test_a_sweep_that_was_stopped_half_way_loses_nobody(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    """What it knows of the service's outages is as old as it is, and it may wake after hours."""
    await give(ledger, "ada", 10_000)
    opened = (await reservations.hold(ledger, KERNEL)).reservation
    await reservations.hold(ledger, Beat(opened.id, None))
    grace_ends_at = AT + timedelta(seconds=GRACE_HEARTBEATS * KERNEL.heartbeat_seconds)
    await damage(database, "UPDATE reservations SET due_at = started_at")
    clock.now = LATER
    almost = grace_ends_at - timedelta(microseconds=1)
    assert (await sweep(database, ledger, almost, AT)).ended == []
    (ended,) = (await sweep(database, ledger, grace_ends_at, AT)).ended
    assert ended.state is State.LOST


@pytest.mark.parametrize(
    ("given", "claimed"),
    [
        ([(Kind.PROMOTION, 5, 1)], 5),
        ([(Kind.PROMOTION, 5, 1)], 4),
        ([(Kind.PROMOTION, 5, None), (Kind.PROMOTION, 5, 1)], 5),
        ([(Kind.PROMOTION, 5, None), (Kind.ADJUSTMENT, 5, 1)], 5),
        ([(Kind.PURCHASE, 5, 2), (Kind.PURCHASE, 5, 1), (Kind.PURCHASE, 5, 3)], 15),
        ([(Kind.PURCHASE, 5, 1), (Kind.PURCHASE, 5, 1)], 9),
    ],
)
async def test_only_what_nobody_claims_is_due(
    database: Database,
    ledger: Ledger,
    clock: Clock,
    given: Sequence[tuple[Kind, int, int | None]],
    claimed: int,
) -> None:
    """The database finds what the core would find. Asking in vain would cost more than all else."""
    for kind, whole, minutes in given:
        await give(ledger, "ada", whole, kind, minutes)
    held = await running(ledger, "ada", whole=claimed)
    async with database.reading() as connection:
        mine = await grants.of_account(connection, "ada")
    claims = core_grants.held(mine, Credits.of(claimed))
    free = any(one.remaining > claims[one.id] for one in core_grants.due(mine, LATER))
    assert await due(database, LATER) == (["ada"] if free else [])
    await reservations.hold(ledger, Settle(held.reservation.id, None))
    assert await due(database, AT) == []
    assert await due(database, LATER) == ["ada"]
    clock.now = LATER
    assert (await sweep(database, ledger, LATER, AT)).expired
    assert await due(database, LATER) == []
