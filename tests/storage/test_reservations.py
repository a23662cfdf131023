"""Reservations, notices and the pulse in both databases; and two processes at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import MOST_MICRO, NOTHING, Credits
from prepaid.core.commands import Beat, Give, Held, Holding, Lapse, Release, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits, ReservationClosed
from prepaid.core.notices import Notice, NoticeType
from prepaid.core.pulses import Pulse
from prepaid.core.reservations import MOST_RATE, Reservation, State
from prepaid.flows.sweep import take_turn
from prepaid.ids import new_id
from prepaid.storage import accounts, entries, outbox, pulses, reservations
from prepaid.storage.database import Database
from prepaid.storage.tables import EPOCH
from prepaid.storage.writer import Ledger
from samples import AT, KERNEL, RUNNING

SECOND = timedelta(seconds=1)
FULL = replace(
    RUNNING,
    limit=Credits(MOST_MICRO),
    reserved=Credits(MOST_MICRO - 1),
    burning_rate=MOST_RATE,
    burnt=Credits(123_456_789),
    burnt_rest=999_999,
    rated_at=AT + timedelta(microseconds=1),
    epoch=3,
    spent_before=Credits(1),
    warned=60,
    why="Größe 'x'",
)
ENDED = replace(RUNNING, id=UUID(int=7), key="ended", state=State.SETTLED, ended_at=AT)


@pytest.fixture
async def database(database: Database) -> Database:
    """With ada and bob in it."""
    async with database.writing() as connection:
        for uid in ("ada", "bob"):
            await accounts.add(connection, uid, AT)
    return database


async def write(database: Database, *written: Reservation) -> None:
    async with database.writing() as connection:
        await reservations.add(connection, written)


# What is stored is what is read.


@pytest.mark.parametrize("one", [RUNNING, FULL, ENDED])
async def test_a_reservation_is_read_as_it_was_written(
    database: Database, one: Reservation
) -> None:
    await write(database, one)
    async with database.reading() as connection:
        assert await reservations.find(connection, one.id) == one
        assert await reservations.find(connection, UUID(int=1)) is None


async def test_what_becomes_of_it_is_saved_and_what_it_is_stays(database: Database) -> None:
    await write(database, RUNNING, replace(RUNNING, id=UUID(int=8), key="other"))
    changed = replace(FULL, epoch=1, spent_before=NOTHING, state=State.DEPLETED, ended_at=AT)
    async with database.writing() as connection:
        await reservations.save(connection, [changed])
    async with database.reading() as connection:
        assert await reservations.find(connection, changed.id) == changed
        other = await reservations.find(connection, UUID(int=8))
        assert other is not None
        assert other.state is State.RUNNING


async def test_the_named_and_the_last_epoch_of_each_key_are_found(database: Database) -> None:
    epochs = [
        replace(ENDED, id=UUID(int=number), key="again", epoch=number, state=State.LOST)
        for number in (1, 3, 2)
    ]
    bobs = replace(ENDED, id=UUID(int=9), key="again", account_uid="bob")
    await write(database, RUNNING, *epochs, bobs)
    keys = [("ada", "again"), ("ada", "unused")]
    async with database.reading() as connection:
        found = await reservations.named(connection, [RUNNING.id, UUID(int=99)], keys)
        owners = await reservations.owners(connection, [RUNNING.id, bobs.id, UUID(int=99)])
        assert await reservations.named(connection, [], []) == []
        assert await reservations.owners(connection, []) == {}
    assert found == [epochs[1], RUNNING]  # by their ids, as they are locked
    assert owners == {RUNNING.id: "ada", bobs.id: "bob"}


def running(number: int, uid: str = "ada") -> Reservation:
    """The higher its number, the sooner it is due."""
    due_at = AT - number * SECOND
    return replace(RUNNING, id=UUID(int=number), key=str(number), account_uid=uid, due_at=due_at)


async def test_what_is_due_comes_the_earliest_first_and_what_has_ended_never(
    database: Database,
) -> None:
    later = replace(running(9), due_at=AT + SECOND)
    await write(database, ENDED, later, running(1), running(2, "bob"), running(3))
    async with database.reading() as connection:
        first = await reservations.due(connection, AT, None, 2)
        second = await reservations.due(connection, AT, first[-1], 2)
        assert await reservations.due(connection, AT, second[-1], 2) == []
    assert [id_.int for _, id_ in first + second] == [3, 2, 1]
    assert first[0] == (AT - 3 * SECOND, UUID(int=3))


async def test_what_is_due_at_one_instant_is_found_page_after_page(database: Database) -> None:
    at_once = [replace(running(number), due_at=AT) for number in range(1, 6)]
    await write(database, *at_once)
    found: list[int] = []
    after = None
    async with database.reading() as connection:
        while due := await reservations.due(connection, AT, after, 2):
            found += [id_.int for _, id_ in due]
            after = due[-1]
    assert found == [1, 2, 3, 4, 5]


async def test_the_open_ones_of_accounts_are_found_the_oldest_first(database: Database) -> None:
    await write(database, running(3), running(1), running(2, "bob"), ENDED)
    async with database.reading() as connection:
        found = await reservations.open_ones(connection, ["ada", "bob", "eve"])
    assert {uid: [one.id.int for one in ones] for uid, ones in found.items()} == {
        "ada": [1, 3],
        "bob": [2],
        "eve": [],
    }


async def test_notices_are_read_in_their_order_after_one(database: Database) -> None:
    notices = [
        Notice(
            account_uid="ada",
            number=number,
            type=NoticeType.WARNED,
            at=AT + number * SECOND,
            reservation_id=RUNNING.id,
            resource="k1",
            resource_type="runtime",
            state=State.RUNNING,
            burning_rate=RUNNING.burning_rate,
            used=Credits(number),
            time_left=None if number == 2 else timedelta(days=36_525),
            why="",
        )
        for number in (1, 2, 3)
    ]
    async with database.writing() as connection:
        await outbox.add(connection, notices[::-1])
        await outbox.add(connection, [replace(notices[0], account_uid="bob")])
    async with database.reading() as connection:
        assert await outbox.after(connection, "ada", 0, 2) == notices[:2]
        assert await outbox.after(connection, "ada", 2, 9) == notices[2:]
        assert await outbox.after(connection, "eve", 0, 9) == []


async def test_a_new_database_has_never_had_a_pulse(database: Database) -> None:
    async with database.writing() as connection:
        assert await pulses.lock(connection) == Pulse(EPOCH, UUID(int=0), EPOCH)
        beat = Pulse(AT, UUID(int=1), AT - SECOND)
        await pulses.save(connection, beat)
    async with database.reading() as connection:
        assert await pulses.read(connection) == beat


# Two processes at once.


@pytest.fixture
async def ledgers(database: Database) -> AsyncIterator[Sequence[Ledger]]:
    """Two processes of one service; ada has 35 credits."""
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with AsyncExitStack() as stack:
        both = [
            await stack.enter_async_context(Ledger(one, lambda: AT + SECOND).open())
            for one in (database, other)
        ]
        give = Give(new_id(), "ada", "k", Credits.of(35), Kind.ADJUSTMENT, "", "grace")
        await both[0].post(give)
        yield both
    await other.close()


async def test_twenty_openings_at_once_with_money_for_three_are_three(
    ledgers: Sequence[Ledger],
) -> None:
    limited = replace(KERNEL, limit=Credits.of(10))
    asked = (
        ledgers[number % 2].hold(replace(limited, id=new_id(), key=str(number)))
        for number in range(20)
    )
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, Held) for one in answers) == 3
    assert sum(isinstance(one, InsufficientCredits) for one in answers) == 17


async def test_one_key_opened_by_both_is_one_reservation(
    database: Database, ledgers: Sequence[Ledger]
) -> None:
    asked = (ledgers[n % 2].hold(replace(KERNEL, id=new_id())) for n in range(20))
    answers = await asyncio.gather(*asked)
    assert len({one.reservation.id for one in answers}) == 1
    assert sum(not one.replayed for one in answers) == 1
    async with database.reading() as connection:
        ada = (await accounts.booked(connection, ["ada"]))["ada"]
    assert (ada.open, ada.reserved, ada.last_notice) == (1, Credits.of(15), 1)


async def test_whatever_ends_it_at_once_ends_it_once(
    database: Database, ledgers: Sequence[Ledger]
) -> None:
    """Its holder settles it, the platform releases it, and the sweep finds it lost; heartbeats
    come between."""
    opened = (await ledgers[0].hold(KERNEL)).reservation
    await ledgers[0].hold(Beat(opened.id, None))
    async with database.writing() as connection:
        await reservations.save(connection, [replace(RUNNING, beat_at=AT - 30 * SECOND)])
    commands: list[Holding] = [
        *(Settle(opened.id, None), Lapse(opened.id, AT - 60 * SECOND), Beat(opened.id, None)),
        *(Release(opened.id, None), Settle(opened.id, None), Lapse(opened.id, AT - 60 * SECOND)),
    ]
    asked = (ledgers[n % 2].hold(command) for n, command in enumerate(commands * 3))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, Held | ReservationClosed) for one in answers)
    async with database.reading() as connection:
        one = await reservations.find(connection, opened.id)
        posted = await entries.of_account(connection, "ada", None, 10)
        notices = await outbox.after(connection, "ada", 0, 10)
        ada = (await accounts.booked(connection, ["ada"]))["ada"]
    assert one is not None
    settled = [entry for entry in posted if entry.kind is Kind.SETTLEMENT]
    assert [-entry.credits for entry in settled] == ([one.spent] if one.spent else [])
    assert [notice.type for notice in notices] == [NoticeType.OPENED, NoticeType.ENDED]
    assert (ada.open, ada.reserved, ada.shared_rate) == (0, NOTHING, NOTHING)
    assert ada.balance == Credits.of(35) - one.spent


async def test_of_processes_that_begin_at_once_one_sweeps(database: Database) -> None:
    turns = await asyncio.gather(*(take_turn(database, new_id(), AT) for _ in range(8)))
    assert sum(turn is not None for turn in turns) == 1
