"""What waits is decided while others are saved; and believed only if these were."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from express_ways import AT, Time, books_are_right, charge, give
from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge, Give, Outcome, Posted
from prepaid.core.errors import InsufficientCredits
from prepaid.storage import accounts
from prepaid.storage.database import Database
from prepaid.storage.express import Express
from prepaid.storage.writer import Ledger

SOON = AT + timedelta(milliseconds=20)


def balances(outcomes: Sequence[Outcome | None]) -> list[float | None]:
    """The balance after each that was posted; None is left for the long way."""
    return [one.entry.balance.micro / 1e6 if isinstance(one, Posted) else None for one in outcomes]


def decided_at(outcome: Outcome | None) -> timedelta:
    """How long after the start."""
    assert isinstance(outcome, Posted)
    return outcome.entry.at - AT


async def save(
    express: Express, time: Time, commands: Sequence[Charge], following: Sequence[Charge]
) -> list[float | None]:
    """Their balances; then twenty milliseconds pass."""
    saving = asyncio.create_task(express.outcomes(commands))
    await asyncio.sleep(0)
    assert express.is_saving
    express.go_ahead(following)
    outcomes = await saving
    time.now = SOON
    return balances(outcomes)


@pytest.mark.usefixtures("ledger")
async def test_what_waits_is_decided_on_what_is_being_saved(
    database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("bob", 1, "0"), charge("ada", 1, "0")])
    first = [charge("ada", 1, "1"), charge("bob", 2, "1")]
    second = [charge("ada", 2, "2"), charge("bob", 3, "2"), charge("ada", 1, "3")]
    assert await save(express, time, first, second) == [98, 7]
    outcomes = await express.outcomes(second)
    assert balances(outcomes) == [96, 4, 95]
    assert {decided_at(one) for one in outcomes} == {timedelta(0)}
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_more_may_come_behind_it(database: Database, express: Express, time: Time) -> None:
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    second = [charge("ada", 2, "2")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    outcomes = await express.outcomes([*second, charge("bob", 1, "2"), charge("ada", 1, "3")])
    assert balances(outcomes) == [96, 8, 95]
    assert {decided_at(one) for one in outcomes} == {timedelta(0)}
    await books_are_right(database)


async def test_who_is_read_behind_it_is_charged_when_that_is_done(
    ledger: Ledger, database: Database, express: Express, time: Time
) -> None:
    """Another process has written meanwhile: an account's entries are in order."""
    await express.outcomes([charge("ada", 1, "0")])
    second = [charge("ada", 2, "2")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    await ledger.post(give("bob", 5, key="more"))
    outcomes = await express.outcomes([*second, charge("bob", 1, "2")])
    assert balances(outcomes) == [96, 14]
    assert {decided_at(one) for one in outcomes} == {SOON - AT}
    await books_are_right(database)


async def test_what_has_waited_is_decided_anew(
    ledger: Ledger, database: Database, express: Express, time: Time
) -> None:
    """A grant may have expired meanwhile."""
    await ledger.post(give("bob", 20, key="more", expires_at=AT + timedelta(seconds=5)))
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    second = [charge("ada", 2, "2"), charge("bob", 15, "2")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    time.now = AT + timedelta(seconds=9)
    assert balances(await express.outcomes(second)) == [96, None]
    with pytest.raises(InsufficientCredits):
        await ledger.post(second[1])
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_what_has_waited_is_not_gone_on_with(express: Express, time: Time) -> None:
    """Nor while the same is still being saved, as where the database hangs."""
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    saving = asyncio.create_task(express.outcomes([charge("ada", 1, "1")]))
    await asyncio.sleep(0)
    waiting = [charge("ada", 2, "2"), charge("bob", 1, "2")]
    express.go_ahead(waiting[:1])
    time.now = AT + timedelta(seconds=9)
    express.go_ahead(waiting)
    await saving
    outcomes = await express.outcomes(waiting)
    assert balances(outcomes) == [96, 8]
    assert {decided_at(one) for one in outcomes} == {timedelta(seconds=9)}


@pytest.mark.usefixtures("ledger")
async def test_what_comes_in_another_order_is_decided_anew(
    database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("ada", 1, "0")])
    second = [charge("ada", 2, "2"), charge("ada", 3, "3")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    outcomes = await express.outcomes(second[1:])
    assert balances(outcomes) == [95]
    assert decided_at(outcomes[0]) == SOON - AT
    await books_are_right(database)


async def test_nothing_is_decided_ahead_of_whom_nobody_remembers(
    ledger: Ledger, database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("ada", 1, "0")])
    second = [charge("bob", 2, "2"), charge("nobody", 2, "2")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    await ledger.post(give("bob", 5, key="more"))
    outcomes = await express.outcomes(second[:1])
    assert balances(outcomes) == [13]
    assert decided_at(outcomes[0]) == SOON - AT
    await books_are_right(database)


async def test_if_others_were_not_saved_nothing_was_decided_on_them(
    ledger: Ledger, database: Database, express: Express
) -> None:
    """Another process has used the key: the first is left, and the second is on true books. SQLite
    says so at once, and nothing is decided ahead at all."""
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    await ledger.post(charge("bob", 4, "used"))
    second = [charge("ada", 2, "2"), charge("bob", 1, "2")]
    first = [charge("ada", 1, "1"), charge("bob", 4, "used")]
    saving = asyncio.create_task(express.outcomes(first))
    await asyncio.sleep(0)
    assert express.is_saving is not database.sqlite
    express.go_ahead(second)
    assert balances(await saving) == [None, None]
    assert balances(await express.outcomes(second)) == [97, 4]
    await books_are_right(database)


async def test_whom_another_process_has_charged_meanwhile_is_read_again(
    ledger: Ledger, database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    second = [charge("ada", 2, "2"), charge("bob", 1, "2")]
    assert await save(express, time, [charge("ada", 1, "1")], second) == [98]
    await ledger.post(charge("bob", 4, "of another process"))
    assert balances(await express.outcomes(second)) == [96, 4]
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_who_has_not_enough_by_then_is_left(
    database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    second = [charge("ada", 1, "2"), charge("bob", 5, "2")]
    assert await save(express, time, [charge("bob", 5, "1")], second) == [4]
    assert balances(await express.outcomes(second)) == [98, None]
    await books_are_right(database)


@pytest.mark.usefixtures("ledger")
async def test_a_key_that_is_being_saved_is_not_posted_again(
    database: Database, express: Express, time: Time
) -> None:
    await express.outcomes([charge("ada", 1, "0")])
    again = charge("ada", 1, "1")
    assert await save(express, time, [charge("ada", 1, "1")], [again]) == [98]
    assert balances(await express.outcomes([again])) == [None]
    await books_are_right(database)


async def test_nothing_is_decided_ahead_while_nothing_is_saved(
    ledger: Ledger, express: Express
) -> None:
    """What changes meanwhile would not be seen."""
    await express.outcomes([charge("bob", 1, "0")])
    waits = charge("bob", 5, "1")
    express.go_ahead([waits])
    await ledger.post(give("bob", 5, key="more"))
    assert balances(await express.outcomes([waits])) == [9]


@pytest.mark.usefixtures("ledger")
async def test_a_fault_that_is_met_ahead_leaves_nothing_half_decided(
    database: Database, express: Express
) -> None:
    await express.outcomes([charge("ada", 1, "0"), charge("bob", 1, "0")])
    saving = asyncio.create_task(express.outcomes([charge("ada", 1, "1")]))
    await asyncio.sleep(0)
    waiting = [charge("ada", 2, "2"), charge("ada", 3, "3"), charge("bob", 1, "2")]
    express.go_ahead(waiting[:1])
    damaged: Any = ("no account", {})
    express.remembered.accounts["bob"] = damaged
    with pytest.raises(AttributeError):
        express.go_ahead(waiting)
    await saving
    express.remembered.forget(["bob"])
    outcomes = await express.outcomes(waiting)
    assert balances(outcomes) == [96, 93, 8]
    assert not any(one.replayed for one in outcomes if isinstance(one, Posted))
    await books_are_right(database)


async def test_crowds_that_come_one_after_another_are_all_posted(
    database: Database, ledger: Ledger
) -> None:
    """Through the writer, which always has some that wait; with keys that came before among them,
    and gifts."""
    commands: list[Charge | Give] = []
    for number in range(1500):
        commands.append(
            replace(charge("ada", 1, f"{number // 2 * 2 % 1400}"), credits=Credits(1000))
        )
        if number % 400 == 399:
            commands.append(give("ada", 1, key=f"given {number}"))
    posting = [asyncio.create_task(ledger.post(one)) for one in commands]
    posted = await asyncio.gather(*posting)
    new = [one.entry for one in posted if not one.replayed]
    assert len({(one.kind, one.key) for one in new}) == len(new) == 700 + 3
    async with database.reading() as connection:
        booked = await accounts.booked(connection, ["ada"])
    assert booked["ada"].balance == Credits(103_000_000 - 700 * 1000)
    await books_are_right(database)
