"""The express way: what it answers, what it leaves for the long way, and that it never believes its
memory."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from express_ways import AT, Time, books_are_right, charge, give, offers, only_id
from local_postgres import LocalPostgres
from prepaid.core import reservations as reserving
from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import State
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Held,
    Posted,
    Release,
    Reverse,
    Settle,
    Told,
    Verdict,
)
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits, LedgerUnavailable, ReservationClosed
from prepaid.ids import new_id
from prepaid.storage import accounts, checkouts, grants, inbox, remembered, reservations
from prepaid.storage.batches import driver_of
from prepaid.storage.database import Database
from prepaid.storage.express import Express
from prepaid.storage.schema import migrate
from prepaid.storage.writer import Ledger
from samples import CLAIM, KERNEL, PAID

APPLIED = Verdict.APPLIED


async def told(express: Express, *commands: Charge | Beat) -> list[object]:
    """What became of each: an entry's balance, what is reserved, or None for the long way."""
    outcomes = await express.outcomes(commands)
    return [
        one.entry.balance.micro / 1e6
        if isinstance(one, Posted)
        else one.reservation.reserved.micro / 1e6
        if isinstance(one, Held)
        else one
        for one in outcomes
    ]


async def running(ledger: Ledger, **changed: Any) -> Held:  # fields of Open
    """A kernel of ada's that was heard of, and burns half a credit a second."""
    held = await ledger.hold(replace(KERNEL, id=new_id(), **changed))
    return await ledger.hold(Beat(held.reservation.id, None))


def verdict_of(outcome: object) -> Verdict:
    assert isinstance(outcome, Told), outcome
    return outcome.verdict


@pytest.mark.usefixtures("ledger")
async def test_charges_are_posted_and_what_is_remembered_is_what_is_there(
    database: Database, express: Express
) -> None:
    assert await told(express, charge("ada", 1, "1"), charge("bob", 2, "1")) == [99, 8]
    assert await told(express, charge("ada", 3, "2"), charge("ada", 4, "3")) == [96, 92]
    assert await told(express, charge("bob", 8, "2")) == [0]
    async with database.reading() as connection:
        booked = await accounts.booked(connection, ["ada", "bob"])
        spendable = await grants.spendable(connection, ["ada", "bob"])
    known = express.remembered.accounts
    assert known == {uid: (booked[uid], spendable[uid]) for uid in ("ada", "bob")}
    await books_are_right(database)


async def test_grants_are_read_and_spent_in_their_order(
    database: Database, ledger: Ledger, express: Express
) -> None:
    """Whenever they came: what was given goes before what was bought, what expires soon before
    what doesn't."""
    for number, (kind, days) in enumerate(
        [(Kind.PURCHASE, 3), (Kind.PROMOTION, None), (Kind.PURCHASE, None), (Kind.PROMOTION, 9)]
    ):
        ends = None if days is None else AT + timedelta(days=days)
        given = give("bob", 1, key=f"given {number}")
        await ledger.post(replace(given, kind=kind, expires_at=ends))
    await ledger.post(charge("bob", 11, "of another process"))
    assert await told(express, charge("bob", 1, "1")) == [2]
    async with database.reading() as connection:
        spendable = await grants.spendable(connection, ["bob"])
        listed = await grants.of_account(connection, "bob")
    in_order = {one.id: one for one in listed if one.remaining}
    assert [*spendable["bob"].items()] == [*in_order.items()]
    assert [(one.kind, one.expires_at is None) for one in in_order.values()] == [
        (Kind.PURCHASE, False),
        (Kind.PURCHASE, True),
    ]
    read = (await express.driver.accounts(["bob"]))["bob"][1]
    kept = express.remembered.accounts["bob"][1]
    assert [*read.items()] == [*kept.items()] == [*in_order.items()]


async def test_an_account_that_somebody_else_has_charged_is_read_again(
    database: Database, ledger: Ledger, express: Express
) -> None:
    assert await told(express, charge("ada", 1, "1")) == [99]
    await ledger.post(charge("ada", 90, "of another process"))
    assert await told(express, charge("ada", 1, "2")) == [8]
    await books_are_right(database)


async def test_memory_never_refuses(ledger: Ledger, express: Express) -> None:
    """What it takes for not enough may be enough by now: the long way says."""
    assert await told(express, charge("bob", 11, "1")) == [None]
    await ledger.post(give("bob", 5, key="more"))
    assert await told(express, charge("bob", 11, "2")) == [None]
    assert await told(express, charge("bob", 1, "3")) == [14]
    assert await told(express, charge("bob", 11, "4")) == [3]


async def test_a_key_that_was_used_before_is_left_and_hurts_nothing(
    database: Database, ledger: Ledger, express: Express
) -> None:
    await ledger.post(charge("ada", 5, "used"))
    assert await told(express, charge("ada", 5, "used"), charge("bob", 1, "1")) == [None, None]
    assert await told(express, charge("bob", 1, "1")) == [9]
    again = charge("bob", 1, "1")
    assert await told(express, again) == [None]
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_the_same_key_twice_in_a_batch_is_posted_once(express: Express) -> None:
    first, second = await express.outcomes([charge("ada", 5, "1"), charge("ada", 5, "1")])
    assert isinstance(first, Posted)
    assert isinstance(second, Posted)
    assert (first.replayed, second.replayed) == (False, True)
    other = charge("ada", 5, "2", "other content")
    assert await told(express, charge("ada", 5, "2"), other) == [None, None]


@pytest.mark.usefixtures("ledger")
async def test_after_a_refusal_the_rest_of_that_account_is_left(express: Express) -> None:
    assert await told(
        express,
        charge("bob", 4, "1"),
        charge("ada", 1, "1"),
        charge("bob", 7, "2"),
        charge("bob", 6, "3"),
        charge("ada", 1, "2"),
    ) == [None, 99, None, None, 98]


@pytest.mark.usefixtures("ledger")
async def test_who_has_paid_is_credited_and_it_is_remembered(
    database: Database, express: Express
) -> None:
    events = await offers(database, "ada", "bob", "ada")
    first, second, third = await express.outcomes(events)
    assert [verdict_of(one) for one in (first, second, third)] == [APPLIED] * 3
    assert await told(express, charge("ada", 1, "a")) == [199.0]
    async with database.reading() as connection:
        paid = await checkouts.by_id(connection, only_id(events[0]))
        letters = await inbox.verdicts(connection, [one.event_id for one in events])
    assert paid is not None
    assert (paid.state, paid.session_id) == (State.CREDITED, events[0].claim.session_id)
    assert set(letters.values()) == {APPLIED}
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_an_event_alone_is_saved_too(database: Database, express: Express) -> None:
    (event,) = await offers(database, "bob")
    (outcome,) = await express.outcomes([event])
    assert verdict_of(outcome) == APPLIED
    await books_are_right(database)


async def test_an_event_that_came_before_is_left(
    database: Database, express: Express, ledger: Ledger
) -> None:
    (event,) = await offers(database, "ada")
    await ledger.tell(event)
    again = replace(event, event_id="evt_other")
    assert await express.outcomes([event, *await offers(database, "bob")]) == [None, None]
    (outcome,) = await express.outcomes([again])
    assert isinstance(outcome, Told)
    assert outcome.entry is None
    await books_are_right(database)


async def test_what_does_not_fit_is_left_and_quarantined_and_taken_later(
    database: Database, express: Express, ledger: Ledger
) -> None:
    event, other = await offers(database, "ada", "bob")
    wrong = replace(event, claim=replace(event.claim, subtotal=Money(5, "usd")))
    left, taken = await express.outcomes([wrong, other])
    assert left is None
    assert verdict_of(taken) == APPLIED
    assert (await ledger.tell(wrong)).verdict == Verdict.QUARANTINED
    assert await express.outcomes([event]) == [None]  # its row is there: the long way knows
    assert (await ledger.tell(event)).verdict == APPLIED
    await books_are_right(database)


async def test_an_event_of_no_checkout_is_left_and_kept(express: Express, ledger: Ledger) -> None:
    strange = [
        replace(PAID, event_id=f"evt_{id_}", claim=replace(CLAIM, checkout_id=id_))
        for id_ in (None, new_id())
    ]
    assert await express.outcomes(strange) == [None, None]
    for one in strange:
        assert (await ledger.tell(one)).verdict == Verdict.QUARANTINED


async def test_two_processes_that_are_told_of_the_same_payments_credit_each_once(
    database: Database, express: Express, ledger: Ledger
) -> None:
    events = await offers(database, *["ada", "bob"] * 20)
    twins = [replace(one, event_id=f"{one.event_id}_again") for one in events]

    async def by_express() -> None:
        for at in range(0, len(events), 4):
            for one, outcome in zip(
                events[at : at + 4], await express.outcomes(events[at : at + 4]), strict=True
            ):
                if outcome is None:
                    await ledger.tell(one)

    await asyncio.gather(by_express(), *map(ledger.tell, twins))
    async with database.reading() as connection:
        booked = await accounts.booked(connection, ["ada", "bob"])
    assert (booked["ada"].balance, booked["bob"].balance) == (Credits.of(1_100), Credits.of(1_010))
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_whom_nobody_knows_is_left(express: Express) -> None:
    assert await told(express, charge("zoe", 1, "1"), charge("ada", 1, "1")) == [None, 99]
    assert await told(express, Beat(new_id(), None)) == [None]


async def test_a_grant_that_expires_is_left(
    database: Database, ledger: Ledger, express: Express, time: Time
) -> None:
    await ledger.post(give("bob", 5, "soon", AT + timedelta(seconds=10)))
    assert await told(express, charge("bob", 1, "1")) == [14]
    time.passes(10)
    assert await told(express, charge("bob", 1, "2")) == [None]
    await ledger.post(charge("bob", 1, "2"))
    assert await told(express, charge("bob", 1, "3")) == [8]
    await books_are_right(database)


async def test_grants_are_drawn_in_their_order_until_they_are_used_up(
    database: Database, ledger: Ledger, express: Express
) -> None:
    await ledger.post(give("bob", 5, "first", AT + timedelta(days=1)))
    assert await told(express, charge("bob", 4, "1"), charge("bob", 3, "2")) == [11, 8]
    assert await told(express, charge("bob", 8, "3")) == [0]
    async with database.reading() as connection:
        left = await grants.of_account(connection, "bob")
    assert [one.remaining.micro for one in left] == [0, 0]
    assert express.remembered.accounts["bob"][1] == {}
    await books_are_right(database)


async def test_a_beat_renews_a_slice(
    database: Database, ledger: Ledger, express: Express, time: Time
) -> None:
    held = await running(ledger)
    beat = Beat(held.reservation.id, None)
    for reserved in (17, 19, 21):
        time.passes(4)
        assert await told(express, beat) == [reserved]
    assert await told(express, beat, beat) == [21, 21]
    async with database.reading() as connection:
        stored = await reservations.find(connection, beat.reservation_id)
        booked = await accounts.booked(connection, ["ada"])
    assert express.remembered.reservations == {beat.reservation_id: stored}
    assert express.remembered.accounts["ada"][0] == booked["ada"]
    await books_are_right(database)


@pytest.mark.parametrize("limit", [None, Credits.of(20)])
async def test_a_beat_waits_for_who_decides_about_its_reservation(
    database: Database, ledger: Ledger, express: Express, time: Time, limit: Credits | None
) -> None:
    """Another process has read it, and will write that it was lost: it must not be told that it
    goes on. One with a limit changes no account, whose lock would keep it waiting."""
    held = await running(ledger, limit=limit)
    beat = Beat(held.reservation.id, None)
    assert await told(express, beat) != [None]
    time.passes(4)
    async with database.writing() as connection:
        await accounts.lock(connection, ["ada"])
        (read,) = await reservations.named(connection, {beat.reservation_id}, ())
        beating = asyncio.create_task(told(express, beat))
        await asyncio.wait([beating], timeout=0.3)
        assert not beating.done()
        await reservations.save(
            connection, [replace(read, state=reserving.State.LOST, ended_at=AT)]
        )
    assert await beating == [None]
    async with database.reading() as connection:
        stored = await reservations.find(connection, beat.reservation_id)
    assert stored is not None
    assert (stored.state, stored.beat_at) == (reserving.State.LOST, read.beat_at)


async def test_a_beat_of_what_has_a_limit_changes_no_account(
    ledger: Ledger, express: Express, time: Time
) -> None:
    held = await running(ledger, limit=Credits.of(20))
    time.passes(4)
    assert await told(express, Beat(held.reservation.id, None)) == [20]
    await ledger.post(charge("ada", 1, "of another process"))
    time.passes(4)
    assert await told(express, Beat(held.reservation.id, None)) == [20]


async def test_a_beat_that_finds_nothing_left_has_looked(
    ledger: Ledger, express: Express, time: Time
) -> None:
    """Another process has brought credits meanwhile: its slice is renewed from them."""
    held = await running(ledger)
    beat = Beat(held.reservation.id, None)
    await ledger.post(charge("ada", 85, "all the rest"))
    time.passes(4)
    assert await told(express, beat) == [15]
    await ledger.post(give("ada", 50, "more"))
    time.passes(4)
    assert await told(express, beat) == [19]


@pytest.mark.parametrize("end", [Settle, Release])
async def test_a_beat_of_what_another_process_has_ended_is_left(
    ledger: Ledger, express: Express, time: Time, end: type[Settle | Release]
) -> None:
    held = await running(ledger)
    beat = Beat(held.reservation.id, None)
    assert await told(express, beat) == [15]
    await ledger.hold(end(held.reservation.id, None))
    time.passes(4)
    assert await told(express, beat) == [None]
    with pytest.raises(ReservationClosed):
        await ledger.hold(beat)


async def test_a_beat_at_a_rate_that_another_process_has_changed(
    database: Database, ledger: Ledger, express: Express, time: Time
) -> None:
    held = await running(ledger)
    beat = Beat(held.reservation.id, None)
    assert await told(express, beat) == [15]
    time.passes(4)
    await ledger.hold(ChangeRate(held.reservation.id, None, Credits.of(1)))
    assert await told(express, beat) == [32]
    await books_are_right(database)


async def test_what_ran_out_by_the_beat_is_left(
    ledger: Ledger, express: Express, time: Time
) -> None:
    held = await running(ledger, limit=Credits.of(2))
    assert await told(express, Beat(held.reservation.id, None)) == [2]
    time.passes(4)
    assert await told(express, Beat(held.reservation.id, None)) == [None]


async def test_a_beat_that_warns_its_holder_is_left(
    database: Database, ledger: Ledger, time: Time
) -> None:
    held = await running(ledger)
    warns = Express(driver_of(database), time, warn=(60, 190))
    assert await told(warns, Beat(held.reservation.id, None)) == [15]
    time.passes(10)
    assert await told(warns, Beat(held.reservation.id, None)) == [None]
    await warns.close()


async def test_the_long_way_makes_the_ledger_forget(ledger: Ledger, time: Time) -> None:
    """Charges, beats, grants, rates and ends by turns, in one process: each sees the one before."""
    held = await running(ledger)
    beat = Beat(held.reservation.id, None)
    for number in range(5):
        time.passes(4)
        await ledger.hold(beat)
        await ledger.post(give("ada", 2, f"given {number}"))
        posted = await ledger.post(charge("ada", 1, str(number)))
        assert posted.entry.balance == Credits.of(100 + (2 - 1) * (number + 1))
        rate = Credits(500_000 + number)
        changed = await ledger.hold(ChangeRate(held.reservation.id, None, rate))
        assert changed.reservation.burning_rate == rate
    await ledger.hold(Settle(held.reservation.id, None))
    with pytest.raises(ReservationClosed):
        await ledger.hold(beat)
    last = await ledger.post(charge("ada", 1, "last"))
    burnt = 4 * (500_000 + 500_000 + 500_001 + 500_002 + 500_003)
    assert last.entry.balance == Credits(100_000_000 + 5 * 2_000_000 - 6_000_000 - burnt)


async def test_what_is_asked_of_one_account_at_once_keeps_its_order(ledger: Ledger) -> None:
    outcomes = await ledger.post_all(
        [
            charge("bob", 8, "1"),
            give("bob", 5, "more"),
            charge("bob", 7, "2"),
            charge("ada", 1, "1"),
        ]
    )
    assert [one.entry.balance.micro for one in outcomes if isinstance(one, Posted)] == [
        *(2_000_000, 7_000_000, 0, 99_000_000)
    ]
    refused, taken, posted = await ledger.post_all(
        [
            charge("ada", 100, "2"),
            Reverse(new_id(), "ada", "back", new_id(), None, "", "grace"),
            charge("ada", 99, "3"),
        ]
    )
    assert isinstance(refused, InsufficientCredits)
    assert not isinstance(taken, Posted)
    assert isinstance(posted, Posted)


async def test_two_processes_that_charge_one_account_lose_nothing(
    database: Database, ledger: Ledger, express: Express
) -> None:
    async def by_express() -> int:
        posted = 0
        for number in range(30):
            (outcome,) = await express.outcomes([charge("ada", 1, f"e{number}")])
            posted += outcome is not None
        return posted

    async def by_ledger() -> int:
        for number in range(30):
            await ledger.post(charge("ada", 1, f"l{number}"))
        return 30

    posted = sum(await asyncio.gather(by_express(), by_ledger()))
    async with database.reading() as connection:
        booked = await accounts.booked(connection, ["ada"])
    assert booked["ada"].balance == Credits.of(100 - posted)
    await books_are_right(database)


async def test_no_more_is_remembered_than_there_is_room_for(
    database: Database, ledger: Ledger, express: Express, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST", 8)
    async with database.writing() as connection:
        for number in range(20):
            await accounts.add(connection, f"user-{number}", AT)
    await ledger.post_all([give(f"user-{number}", 10) for number in range(20)])
    for again in range(2):
        for number in range(20):
            key = f"{again} {number}"
            assert await told(express, charge(f"user-{number}", 1, key)) == [9 - again]
            assert len(express.remembered.accounts) <= 8
    kernels = [
        await running(ledger, account_uid=f"user-{number}", burning_rate=Credits(1))
        for number in range(20)
    ]
    for held in kernels:
        assert await told(express, Beat(held.reservation.id, None)) == [0.00003]
        assert len(express.remembered.reservations) <= 8
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_a_guard_that_refuses_is_nobodys_loss(database: Database, express: Express) -> None:
    """The database refuses what the ledger would not: it is left, and nothing was saved."""
    async with database.writing() as connection:
        await connection.execute(text("UPDATE grants SET remaining = credits"))
        await connection.execute(text("DELETE FROM grants WHERE account_uid = 'bob'"))
    assert await told(express, charge("bob", 1, "1")) == [None]
    assert await told(express, charge("ada", 1, "1")) == [99]


@pytest.fixture
def server() -> Iterator[LocalPostgres]:
    with LocalPostgres(fsync=False) as running_server:
        yield running_server


async def test_a_database_that_comes_back_is_found_again(server: LocalPostgres) -> None:
    url = server.create_database("template0")
    await asyncio.to_thread(migrate, url)
    database = Database(url)
    async with database.writing() as connection:
        await accounts.add(connection, "ada", AT)
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post(give("ada", 10))
        await ledger.post(charge("ada", 1, "1"))
        server.stop("immediate")
        with pytest.raises(LedgerUnavailable):
            await ledger.post(charge("ada", 1, "2"))
        server.start()
        posted = await ledger.post(charge("ada", 1, "2"))
        assert posted.entry.balance == Credits.of(8)
    await database.close()


async def test_a_file_that_is_gone_is_not_made_anew(nowhere: Database) -> None:
    express = Express(driver_of(nowhere), lambda: AT, warn=())
    with pytest.raises(LedgerUnavailable):
        await express.outcomes([charge("ada", 1, "1")])
    await express.close()
