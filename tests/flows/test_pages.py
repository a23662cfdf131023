"""What there is of an account: balance, grants and reservations, and what it was used for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Charge, Give, Reverse, Settle
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import UnknownAccount, UnknownReservation
from prepaid.core.filters import Filter
from prepaid.flows import accounts, balances, consumption, grants, reservations, usages
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.reader import Reader
from prepaid.storage.writer import Ledger
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)
GIVEN = Give(new_id(), "ada", "k", Credits.of(100), Kind.PROMOTION, "", "grace")


class Clock:
    """A clock that a test sets."""

    now = AT

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
        await accounts.create(database, "ada", AT)
        await accounts.give(opened, GIVEN)
        yield opened


async def use(ledger: Ledger, clock: Clock) -> None:
    """Kernels and charges by turns, a second apart: the first and the third kernel are over."""
    for number in range(4):
        opening = replace(KERNEL, id=new_id(), key=f"k{number}", resource=f"k{number}")
        held = await reservations.hold(ledger, opening)
        await reservations.hold(ledger, Beat(held.reservation.id, None))
        clock.now += timedelta(seconds=1)
        if number % 2 == 0:
            await reservations.hold(ledger, Settle(held.reservation.id, None))
        charge = Charge(new_id(), "ada", f"c{number}", Credits.of(1), "tokens", "", "runner")
        await consumption.charge(ledger, charge)
        clock.now += timedelta(seconds=1)


def names(page: usages.Page) -> list[str]:
    return [one.key if isinstance(one, Entry) else one.resource for one in page.usages]


async def test_who_asks_with_others_and_who_asks_alone_are_told_the_same(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await use(ledger, clock)
    async with Reader(database, clock).open() as reader:
        together = await balances.current(reader, "ada")
        with pytest.raises(UnknownAccount):
            await balances.current(reader, "nobody")
    assert together == await balances.balance(database, "ada", clock())
    assert (len(together.reservations), together.balance) == (2, Credits.of(95))
    with pytest.raises(UnknownAccount):
        await balances.balance(database, "nobody", AT)


async def test_grants_are_told_as_they_are_left(database: Database, ledger: Ledger) -> None:
    back = Reverse(new_id(), "ada", "r", GIVEN.id, Credits.of(30), "a mistake", "grace")
    assert (await grants.reverse(ledger, back)).entry.kind is Kind.REVERSAL
    assert [one.remaining for one in await grants.of_account(database, "ada")] == [Credits.of(70)]
    with pytest.raises(UnknownAccount):
        await grants.of_account(database, "nobody")


async def test_a_reservation_is_found_by_who_may_see_it(database: Database, ledger: Ledger) -> None:
    held = await reservations.hold(ledger, KERNEL)
    for who in ("ada", None):
        assert await reservations.found(database, held.reservation.id, who, AT) == held
    for id_, who in ((held.reservation.id, "bob"), (new_id(), None)):
        with pytest.raises(UnknownReservation):
            await reservations.found(database, id_, who, AT)


async def test_reservations_come_in_pages_of_one_account_and_of_all(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await use(ledger, clock)
    for uid in ("ada", None):
        first = await reservations.page(database, uid, limit=3)
        assert [one.resource for one in first.reservations] == ["k3", "k2", "k1"]
        assert first.next_before == first.reservations[-1].name
        last = await reservations.page(database, uid, before=first.reservations[-1].id)
        assert ([one.resource for one in last.reservations], last.next_before) == (["k0"], None)
        opened = await reservations.open_page(database, uid, limit=1)
        assert [one.resource for one in opened.reservations] == ["k3"]
        assert opened.next_before is not None
    assert [one.resource for one in await reservations.running(database, "ada")] == ["k3", "k1"]
    for asked in (reservations.page, reservations.open_page, reservations.running):
        with pytest.raises(UnknownAccount):
            await asked(database, "nobody")


async def test_what_was_used_comes_newest_first_a_page_at_a_time(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await use(ledger, clock)
    whole = await usages.page(database, "ada")
    assert names(whole) == ["c3", "k3", "c2", "k2", "c1", "k1", "c0", "k0"]
    found, before = list[str](), usages.THE_END
    while (page := await usages.page(database, "ada", before=before, limit=3)).next_before:
        found, before = found + names(page), page.next_before
    assert found + names(page) == names(whole)
    kernels = await usages.platform_page(database, Filter(resource="k1"))
    assert (names(kernels), kernels.next_before) == (["k1"], None)
    assert [usages.began_at(one) for one in kernels.usages] == [AT + timedelta(seconds=2)]
    with pytest.raises(UnknownAccount):
        await usages.page(database, "nobody")
