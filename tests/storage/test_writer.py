"""The writer on real databases: batches, crowds and faults."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Charge, Give, Posted
from prepaid.core.entries import Kind
from prepaid.core.errors import (
    InsufficientCredits,
    LedgerBusy,
    LedgerUnavailable,
    Refusal,
    UnknownAccount,
)
from prepaid.ids import new_id
from prepaid.storage import accounts, writer
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)


def give(uid: str = "ada", key: str = "k", whole: int = 5, reason: str = "") -> Give:
    return Give(new_id(), uid, key, Credits.of(whole), Kind.PROMOTION, reason, "grace")


def charge(uid: str = "ada", key: str = "c", whole: int = 5, reason: str = "") -> Charge:
    return Charge(new_id(), uid, key, Credits.of(whole), "kernel", reason, "runner")


async def make_accounts(database: Database, *uids: str) -> None:
    async with database.writing() as connection:
        for uid in uids:
            await accounts.add(connection, uid, AT)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that closes takes no slow machine for a database that hangs."""
    monkeypatch.setattr(writer, "FINISH_SECONDS", 60)


async def test_many_at_once_are_each_posted_once(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        posted = await asyncio.gather(*(ledger.post(give(key=str(i % 100))) for i in range(300)))
    assert sum(not one.replayed for one in posted) == 100
    assert max(one.entry.balance for one in posted) == Credits.of(500)


async def test_a_refusal_does_not_touch_the_others_of_its_batch(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        good, bad = await asyncio.gather(
            ledger.post(give()), ledger.post(give(uid="nobody")), return_exceptions=True
        )
    assert isinstance(good, Posted)
    assert isinstance(bad, Refusal)


async def test_two_ledgers_on_one_database_agree(database: Database) -> None:
    """Two service processes: whoever comes second is answered with the first one's outcome."""
    await make_accounts(database, "ada")
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(database, lambda: AT).open() as one, Ledger(other, lambda: AT).open() as two:
        posted = await asyncio.gather(
            *((one, two)[i % 2].post(give(key=str(i // 2))) for i in range(200))
        )
    await other.close()
    assert sum(not one.replayed for one in posted) == 100
    assert max(one.entry.balance for one in posted) == Credits.of(500)


async def test_twenty_charges_at_once_with_money_for_three_are_three(database: Database) -> None:
    await make_accounts(database, "ada")
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(database, lambda: AT).open() as one, Ledger(other, lambda: AT).open() as two:
        await one.post(give(whole=17))
        asked = ((one, two)[i % 2].post(charge(key=f"c{i}")) for i in range(20))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    await other.close()
    assert sum(isinstance(answer, Posted) for answer in answers) == 3
    assert sum(isinstance(answer, InsufficientCredits) for answer in answers) == 17


async def test_a_batch_has_an_outcome_for_each_charge(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post(give(whole=7))
        few, many, nobody, again = await ledger.post_all(
            [charge(key="1"), charge(key="2"), charge("nobody"), charge(key="1")]
        )
    assert isinstance(few, Posted)
    assert isinstance(many, InsufficientCredits)
    assert isinstance(nobody, UnknownAccount)
    assert isinstance(again, Posted)
    assert again.replayed


async def test_a_fault_in_a_batch_is_not_an_outcome(database: Database) -> None:
    await make_accounts(database, "ada")

    def broken() -> datetime:
        raise RuntimeError("no clock")

    async with Ledger(database, broken).open() as ledger:
        with pytest.raises(RuntimeError, match="no clock"):
            await ledger.post_all([charge()])


@pytest.mark.usefixtures("patient")
async def test_what_was_submitted_is_finished_before_the_ledger_closes(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        waiting = [asyncio.create_task(ledger.post(give(key=str(i)))) for i in range(50)]
        await asyncio.sleep(0)
    posted = await asyncio.gather(*waiting)
    assert {one.entry.number for one in posted} == set(range(1, 51))


async def test_a_database_that_hangs_does_not_keep_the_ledger_from_closing(
    on_postgresql: str,
) -> None:
    """SQLite gives a statement that waits no way to be cancelled: there the process just ends."""
    database, other = Database(on_postgresql), Database(on_postgresql)
    await make_accounts(database, "ada")
    async with other.writing() as connection:
        await accounts.lock(connection, ["ada"])
        async with Ledger(database, lambda: AT).open() as ledger:
            waiting = [asyncio.create_task(ledger.post(give(key=str(i)))) for i in range(3)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    await other.close()
    await database.close()
    assert [type(one) for one in answers] == [LedgerUnavailable] * 3


async def test_accounts_are_locked_by_code_point_whatever_the_databases_collation_says(
    on_postgresql: str,
) -> None:
    """The express way sorts them so; in another order, each would wait for the other."""
    database = Database(on_postgresql)
    await make_accounts(database, "alice", "Bob")
    asked: list[str] = []

    def note(*told: Any) -> None:  # a connection, a cursor, the statement, and more
        asked.append(told[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    async with database.writing() as connection:
        assert [*await accounts.lock(connection, ["alice", "Bob"])] == ["Bob", "alice"]
    await database.close()
    assert [one for one in asked if "FOR UPDATE" in one and 'uid COLLATE "C"' in one]


async def test_a_caller_that_goes_away_disturbs_nobody(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        gone = asyncio.create_task(ledger.post(give(key="gone")))
        stays = asyncio.create_task(ledger.post(give(key="stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).entry.credits == Credits.of(5)


async def test_a_full_queue_refuses_at_once(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(writer.QUEUE + 5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, LedgerBusy)]
    assert len(refused) == 5
    assert len(answers) - len(refused) == writer.QUEUE


async def test_who_comes_when_it_is_closed_is_refused(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        pass
    with pytest.raises(LedgerUnavailable):
        await ledger.post(give())


async def kernel_and_clock(database: Database) -> tuple[UUID, Iterator[datetime]]:
    """A kernel of ada's; and a clock that goes on by a second each time it is looked at."""
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post(give(whole=100))
        held = await ledger.hold(KERNEL)
    return held.reservation.id, (AT + timedelta(seconds=one) for one in count(1))


async def test_whatever_else_is_asked_does_not_wait_for_heartbeats(database: Database) -> None:
    id_, clock = await kernel_and_clock(database)
    async with Ledger(database, clock.__next__).open() as ledger:
        beat = asyncio.create_task(ledger.hold(Beat(id_, None)))
        await asyncio.sleep(0)
        charged = await ledger.post(charge())
        assert charged.entry.at < (await beat).reservation.beat_at


@pytest.mark.usefixtures("patient")
async def test_heartbeats_that_wait_for_each_other_are_finished_by_a_stop(
    database: Database,
) -> None:
    id_, clock = await kernel_and_clock(database)
    async with Ledger(database, clock.__next__).open() as ledger:
        beat = asyncio.create_task(ledger.hold(Beat(id_, None)))
        await asyncio.sleep(0)
    assert (await beat).reservation.beat_at > AT


async def test_a_database_that_is_away_refuses_everybody() -> None:
    nowhere = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    async with Ledger(nowhere, lambda: AT).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(3))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    await nowhere.close()
    assert [type(one) for one in answers] == [LedgerUnavailable] * 3


async def test_a_fault_of_ours_reaches_every_caller_and_the_ledger_goes_on(
    database: Database,
) -> None:
    await make_accounts(database, "ada")
    broken = True

    def clock() -> datetime:
        if broken:
            raise RuntimeError("no clock")
        return AT

    async with Ledger(database, clock).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(3))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in answers] == [RuntimeError] * 3
        broken = False
        assert (await ledger.post(give())).entry.number == 1


async def test_a_row_that_a_constraint_refuses_hurts_only_its_own_command(
    database: Database,
) -> None:
    """The grant's id is taken, which only a fault of ours can bring about."""
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        first = give(key="first")
        await ledger.post(first)
        clashing = replace(give(key="second"), id=first.id)
        bad, good = await asyncio.gather(
            ledger.post(clashing), ledger.post(give(key="third")), return_exceptions=True
        )
    assert isinstance(bad, IntegrityError)
    assert isinstance(good, Posted)
    assert good.entry.number == 2


async def test_books_that_are_damaged_hurt_only_who_asks_for_them(database: Database) -> None:
    """Nothing burns, say the books of an account with a kernel that does: there is no such time."""
    await make_accounts(database, "ada", "bob")
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post_all([give("ada", whole=100), give("bob", whole=100)])
        held = await ledger.hold(KERNEL)
        async with database.writing() as connection:
            damage = text("UPDATE accounts SET shared_rate = 0 WHERE uid = 'ada'")
            await connection.execute(damage)
        bad, *good = await asyncio.gather(
            ledger.hold(Beat(held.reservation.id, None)),
            *(ledger.post(charge("bob", key=str(i))) for i in range(9)),
            return_exceptions=True,
        )
    assert isinstance(bad, ZeroDivisionError)
    assert [type(one) for one in good] == [Posted] * 9
