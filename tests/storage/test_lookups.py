"""What events are about is remembered when their turn comes; and none is lost on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from express_ways import AT, Time, books_are_right, charge, give, offers, only_id
from prepaid.core.amounts import Credits
from prepaid.core.books import Account
from prepaid.core.checkouts import State
from prepaid.core.commands import Outcome, Posted, Tell, Told, Verdict
from prepaid.core.errors import LedgerBusy
from prepaid.core.grants import Grant
from prepaid.ids import new_id
from prepaid.storage import accounts, lookups, remembered, writer
from prepaid.storage.batches import driver_of
from prepaid.storage.database import Database
from prepaid.storage.express import Express
from prepaid.storage.lookups import Lookups
from prepaid.storage.remembered import Remembered
from prepaid.storage.waiting import Alone, Waiting
from prepaid.storage.writer import Ledger
from samples import PAID


@dataclass
class Desk:
    """Look-ups, and those that have gone on."""

    database: Database
    remembered: Remembered = field(default_factory=Remembered)
    gone: list[Waiting] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lookups = Lookups(driver_of(self.database), self.remembered, self.gone.append)

    def add(self, *events: Tell) -> list[asyncio.Future[Outcome]]:
        waiting = [Alone(one, asyncio.get_running_loop().create_future()) for one in events]
        for one, event in zip(waiting, events, strict=True):
            self.lookups.add(one, event)
        return [one.told for one in waiting]

    async def close(self) -> None:
        self.lookups.stop()
        await self.lookups.close()

    async def all_looked_up(self) -> None:
        looking = self.lookups._looking
        assert looking is not None
        await looking

    @property
    def went(self) -> list[object]:
        return [one.command for one in self.gone]


async def read(database: Database, uid: str) -> dict[str, tuple[Account, dict[UUID, Grant]]]:
    driver = driver_of(database)
    found = await driver.accounts([uid])
    await driver.close()
    return found


@pytest.fixture
async def desk(database: Database, ledger: Ledger) -> AsyncIterator[Desk]:
    del ledger  # it has ada and bob
    opened = Desk(database)
    yield opened
    await opened.close()


async def test_what_events_are_about_is_remembered_when_they_go_on(
    database: Database, desk: Desk
) -> None:
    events = await offers(database, "ada", "bob", "ada")
    desk.add(*events[:1])
    await asyncio.sleep(0)  # it is being looked up
    desk.add(*events[1:])
    assert len(desk.lookups) == 3
    await desk.all_looked_up()
    assert desk.went == events
    assert len(desk.lookups) == 0
    assert desk.remembered.checkouts.keys() == {only_id(one) for one in events}
    assert {one.state for one in desk.remembered.checkouts.values()} == {State.OPEN}
    balances = {uid: one.balance for uid, (one, _) in desk.remembered.accounts.items()}
    assert balances == {"ada": Credits.of(100), "bob": Credits.of(10)}


async def test_of_very_many_some_are_looked_up_at_a_time(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "AT_ONCE", 2)
    events = await offers(database, "ada", "bob", "ada", "bob", "ada")
    desk.add(*events)
    await desk.all_looked_up()
    assert desk.went == events
    assert desk.remembered.checkouts.keys() == {only_id(one) for one in events}


async def test_of_what_there_is_not_nothing_is_remembered(database: Database, desk: Desk) -> None:
    (event,) = await offers(database, "ada")
    strange = [
        replace(event, claim=replace(event.claim, checkout_id=id_)) for id_ in (None, new_id())
    ]
    desk.add(*strange)
    await desk.all_looked_up()
    assert desk.went == strange
    assert desk.remembered.accounts == {}


async def test_of_an_account_that_is_remembered_nothing_is_read(
    database: Database, desk: Desk, ledger: Ledger
) -> None:
    """It may be what is being saved, which is newer than what could be read."""
    desk.remembered.learn(await read(database, "ada"), {})
    await ledger.post(charge("ada", 1, "by another process"))
    desk.add(*await offers(database, "ada", "bob"))
    await desk.all_looked_up()
    assert desk.remembered.accounts["ada"][0].balance == Credits.of(100)


async def test_where_nothing_can_be_looked_up_events_go_on(nowhere: Database) -> None:
    """The writer has a connection of its own."""
    desk = Desk(nowhere)
    (told,) = desk.add(PAID)
    await desk.all_looked_up()
    assert desk.went == [PAID]
    assert not told.done()
    await desk.close()


async def test_whoever_meets_a_damaged_row_goes_on_to_meet_it_again(
    database: Database, desk: Desk, express: Express
) -> None:
    events = await offers(database, "ada", "bob")
    async with database.writing() as connection:
        await connection.execute(
            text("UPDATE checkouts SET state = 'odd' WHERE account_uid = 'ada'")
        )
    desk.add(*events)
    await desk.all_looked_up()
    assert desk.went == events
    with pytest.raises(ValueError, match="odd"):
        await express.outcomes(events)
    async with Ledger(database, lambda: AT).open() as ledger:
        odd, right = await asyncio.gather(*map(ledger.tell, events), return_exceptions=True)
    assert isinstance(odd, ValueError)
    assert isinstance(right, Told)
    assert right.verdict == Verdict.APPLIED


@pytest.mark.usefixtures("ledger")
async def test_who_waits_when_it_closes_goes_on_and_so_does_who_comes_then(
    database: Database,
) -> None:
    desk, events = Desk(database), await offers(database, "ada", "bob", "ada")
    desk.add(events[0])
    await asyncio.sleep(0)
    desk.add(events[1])
    desk.lookups.stop()
    desk.add(events[2])
    assert desk.went == events
    await desk.lookups.close()
    assert desk.went == events
    assert len(desk.lookups) == 0


async def test_a_look_up_that_is_broken_off_holds_nobody_up(database: Database, desk: Desk) -> None:
    events = await offers(database, "ada", "bob", "ada")
    desk.add(*events[:2])
    await asyncio.sleep(0)
    assert desk.lookups._looking is not None
    desk.lookups._looking.cancel()
    await asyncio.wait([desk.lookups._looking])
    assert desk.went == events[:2]
    desk.add(events[2])
    await desk.all_looked_up()
    assert desk.went == events


async def test_events_are_finished_before_the_ledger_closes(database: Database) -> None:
    async with database.writing() as connection:
        await accounts.add(connection, "ada", AT)
    events = await offers(database, *["ada"] * 20)
    async with Ledger(database, lambda: AT).open() as ledger:
        telling = [asyncio.create_task(ledger.tell(one)) for one in events]
        await asyncio.sleep(0)
    assert {one.verdict for one in await asyncio.gather(*telling)} == {Verdict.APPLIED}
    await books_are_right(database)


async def test_no_more_wait_than_there_is_room_for(
    database: Database, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUE", 10)
    events = await offers(database, *["ada"] * 15)
    told = await asyncio.gather(*map(ledger.tell, events), return_exceptions=True)
    assert sum(isinstance(one, LedgerBusy) for one in told) == 5
    assert sum(isinstance(one, Told) for one in told) == 10


async def test_who_was_forgotten_for_want_of_room_is_credited_all_the_same(
    database: Database, express: Express, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room was made by the batch itself; memory never puts an event in quarantine."""
    events = await offers(database, "ada", "bob")
    assert decided_after(await express.outcomes([charge("ada", 1, "1")])) == [timedelta(0)]
    monkeypatch.setattr(remembered, "MOST", 1)
    told = [
        one or await ledger.tell(event)
        for event, one in zip(events, await express.outcomes(events), strict=True)
    ]
    assert {one.verdict for one in told if isinstance(one, Told)} == {Verdict.APPLIED}
    await books_are_right(database)


async def test_no_more_checkouts_are_expected_than_there_is_room_for(
    database: Database, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of events that came to nothing stay."""
    monkeypatch.setattr(remembered, "MOST", 4)
    for _ in range(5):
        desk.add(*await offers(database, "ada", "bob"))
        await desk.all_looked_up()
        assert len(desk.remembered.checkouts) <= 4


async def test_crowds_of_events_among_charges_credit_each_checkout_once(
    database: Database, ledger: Ledger
) -> None:
    """Through the writer, which always has some that wait; each event comes three times."""
    events = await offers(database, *["ada", "bob"] * 100)
    told = [asyncio.create_task(ledger.tell(events[n % 200])) for n in range(600)]
    spent = [asyncio.create_task(ledger.post(charge("ada", 1, f"{n}"))) for n in range(50)]
    outcomes = await asyncio.gather(*told)
    await asyncio.gather(*spent)
    assert sum(not one.repeated for one in outcomes) == 200
    async with database.reading() as connection:
        booked = await accounts.booked(connection, ["ada", "bob"])
    assert booked["ada"].balance == Credits.of(100 + 100 * 50 - 50)
    assert booked["bob"].balance == Credits.of(10 + 100 * 50)
    await books_are_right(database)


async def save(
    express: Express, time: Time, events: Sequence[Tell], following: Sequence[Tell]
) -> None:
    """Then twenty milliseconds pass."""
    saving = asyncio.create_task(express.outcomes(events))
    await asyncio.sleep(0)
    assert express.is_saving
    express.go_ahead(following)
    await saving
    time.passes(0.02)


def decided_after(outcomes: Sequence[Outcome | None]) -> list[timedelta]:
    entries = [one.entry for one in outcomes if isinstance(one, Told | Posted)]
    return [one.at - AT for one in entries if one is not None]


SOON = timedelta(milliseconds=20)


@pytest.fixture
async def looked_up(
    database: Database, express: Express, ledger: Ledger
) -> AsyncIterator[list[Tell]]:
    """Events of ada's and bob's whose checkouts and accounts are remembered."""
    del ledger  # it has ada and bob
    events = await offers(database, "ada", "bob", "ada", "bob")
    desk = Desk(database, express.remembered)
    desk.add(*events)
    await desk.all_looked_up()
    yield events
    await desk.close()


async def test_events_that_wait_are_decided_while_others_are_saved(
    database: Database, express: Express, time: Time, looked_up: list[Tell]
) -> None:
    await save(express, time, looked_up[:2], looked_up[2:3])
    outcomes = await express.outcomes(looked_up[2:])
    assert decided_after(outcomes) == [timedelta(0)] * 2
    assert express.remembered.checkouts == {}
    await books_are_right(database)


async def test_an_account_that_was_read_since_is_not_dated_before(
    database: Database, ledger: Ledger, express: Express, time: Time, looked_up: list[Tell]
) -> None:
    """Another process may have written to it until then: an account's entries are in order."""
    express.remembered.forget(["bob"])
    saving = asyncio.create_task(express.outcomes(looked_up[:1]))
    await asyncio.sleep(0)
    assert express.is_saving
    express.go_ahead(looked_up[2:3])
    await saving
    time.passes(0.02)
    await ledger.post(give("bob", 5, "later"))
    express.remembered.learn(await read(database, "bob"), {})
    outcomes = await express.outcomes([looked_up[2], looked_up[1]])
    assert decided_after(outcomes) == [SOON, SOON]
    await books_are_right(database)


async def test_whose_checkout_is_not_looked_up_is_not_decided_ahead(
    database: Database, express: Express, time: Time, looked_up: list[Tell]
) -> None:
    (late,) = await offers(database, "ada")
    await save(express, time, looked_up[:2], [late])
    assert decided_after(await express.outcomes([late])) == [SOON]
    await books_are_right(database)


async def test_what_another_process_was_told_meanwhile_is_not_credited_again(
    database: Database, ledger: Ledger, express: Express, time: Time, looked_up: list[Tell]
) -> None:
    await save(express, time, looked_up[:2], looked_up[2:])
    await ledger.tell(replace(looked_up[2], event_id="evt_other"))
    first, second = await express.outcomes(looked_up[2:])
    assert isinstance(first, Told)
    assert isinstance(second, Told)
    assert first.entry is None
    assert second.entry is not None
    await books_are_right(database)
