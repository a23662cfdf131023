"""Whether anything is due is one small question."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from express_ways import AT, Time, charge, give
from prepaid.core.errors import LedgerUnavailable
from prepaid.core.pulses import Pulse
from prepaid.flows.sweep import sweep, take_turn
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.dues import Dues, question
from prepaid.storage.writer import Ledger
from samples import KERNEL

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def dues(database: Database) -> AsyncIterator[Dues]:
    one = Dues(database)
    yield one
    await one.close()


async def test_a_grant_that_expires_is_due_from_its_instant_on(dues: Dues, ledger: Ledger) -> None:
    await ledger.post(give("ada", 5, key="soon", expires_at=AT + MINUTE))
    assert not (await dues.look(AT + MINUTE - timedelta(microseconds=1))).is_due
    assert (await dues.look(AT + MINUTE)).is_due


async def test_a_grant_that_is_used_up_is_not_due(dues: Dues, ledger: Ledger) -> None:
    await ledger.post(give("bob", 5, key="soon", expires_at=AT + MINUTE))
    await ledger.post(charge("bob", 15, "all"))
    assert not (await dues.look(AT + MINUTE)).is_due


async def test_a_reservation_to_which_time_does_something_is_due(
    dues: Dues, ledger: Ledger, database: Database, time: Time
) -> None:
    await ledger.hold(replace(KERNEL, id=new_id(), account_uid="ada", key="one"))
    assert not (await dues.look(AT)).is_due
    time.now = AT + timedelta(days=1)
    assert (await dues.look(time.now)).is_due
    await sweep(database, ledger, time.now, AT)
    assert not (await dues.look(time.now)).is_due


async def test_the_last_sign_of_life_is_told_as_it_was_written(
    dues: Dues, database: Database
) -> None:
    who = new_id()
    taken = await take_turn(database, who, AT)
    seen = (await dues.look(AT)).pulse
    assert seen == taken == Pulse(AT, who, AT)
    assert await take_turn(database, who, AT + MINUTE / 100, seen) == seen
    assert await take_turn(database, new_id(), AT + MINUTE / 100, seen) is None


async def test_a_database_that_is_away_is_told(nowhere: Database) -> None:
    one = Dues(nowhere)
    with pytest.raises(LedgerUnavailable):
        await one.look(AT)
    await one.close()


def test_sqlite_finds_it_by_its_indexes(migrated_sqlite: Path) -> None:
    with closing(sqlite3.connect(migrated_sqlite)) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {question('?1')}", [1]).fetchall()
    told = " ".join(step[-1] for step in steps)
    assert "SCAN" not in told
    assert "ix_grants_due" in told
    assert "ix_reservations_due" in told
