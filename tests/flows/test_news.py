"""What has happened to an account since somebody last read it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Charge, Give, Open, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import UnknownAccount
from prepaid.core.notices import NoticeType
from prepaid.flows import accounts, consumption, reservations
from prepaid.flows.news import MOST_MISSED, PAGE, Asked, News, Position, end, news
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """With an account that has 1,000 credits."""
    opened = Database(database_url)
    await accounts.create(opened, "ada", AT)
    await accounts.create(opened, "bob", AT)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    async with Ledger(database, lambda: AT).open() as opened:
        for uid in ("ada", "bob"):
            given = Give(new_id(), uid, "k", Credits.of(1_000), Kind.PROMOTION, "", "grace")
            await accounts.give(opened, given)
        yield opened


async def read(database: Database, since: Position, uid: str = "ada") -> News:
    (found,) = await news(database, [Asked(uid, since)], AT)
    return found


def opening(limit: int) -> Open:
    return Open(
        id=new_id(),
        account_uid="ada",
        key=str(new_id()),
        resource="k1",
        resource_type="runtime",
        given_name="",
        burning_rate=Credits.of(1),
        limit=Credits.of(limit),
        heartbeat_seconds=30,
        actor="ada",
        by_platform=False,
    )


async def test_an_account_that_is_not_there_has_no_end(database: Database) -> None:
    with pytest.raises(UnknownAccount):
        await end(database, "nobody")


async def test_what_happened_since_is_told_in_order_and_what_there_is_now(
    database: Database, ledger: Ledger
) -> None:
    since = await end(database, "ada")
    assert since == Position(1, 0)
    held = await reservations.hold(ledger, opening(5))
    await reservations.hold(ledger, Beat(held.reservation.id, "ada"))
    for uid in ("ada", "bob", "ada"):
        charge = Charge(new_id(), uid, str(new_id()), Credits.of(2), "kernel k1", "", uid)
        await consumption.charge(ledger, charge)
    found = await read(database, since)
    assert [(one.number, one.account_uid) for one in found.entries] == [(2, "ada"), (3, "ada")]
    assert [(one.number, one.type) for one in found.notices] == [(1, NoticeType.OPENED)]
    assert found.position == Position(3, 1) == await end(database, "ada")
    assert found.balance is not None
    assert found.balance.balance == found.account.balance == Credits.of(996)
    assert found.balance.available == Credits.of(991)
    assert [one.id for one in found.balance.reservations] == [held.reservation.id]
    nothing = await read(database, found.position)
    assert (nothing.entries, nothing.notices, nothing.account) == ([], [], found.account)
    assert nothing.balance is not None


async def test_much_is_told_in_pages_and_what_there_is_with_the_last(
    database: Database, ledger: Ledger
) -> None:
    for _ in range(PAGE // 2):
        held = await reservations.hold(ledger, opening(1))
        await reservations.hold(ledger, Settle(held.reservation.id, "ada"))
    charges = [
        Charge(new_id(), "ada", str(new_id()), Credits(1), "kernel", "", "ada")
        for _ in range(2 * PAGE)
    ]
    await consumption.charge_all(ledger, charges)
    first = await read(database, Position(1, 0))
    last = await read(database, first.position)
    assert (len(first.entries), len(first.notices), first.balance) == (PAGE, PAGE, None)
    assert (len(last.entries), len(last.notices)) == (PAGE, 0)
    assert last.balance is not None
    assert last.position == await end(database, "ada")


async def test_many_are_told_what_is_theirs(database: Database, ledger: Ledger) -> None:
    for uid in ("bob", "ada", "bob"):
        charge = Charge(new_id(), uid, str(new_id()), Credits.of(2), "kernel k1", "", uid)
        await consumption.charge(ledger, charge)
    await reservations.hold(ledger, opening(5))
    asked = [
        *(Asked("ada", Position(1, 0)), Asked("bob", Position(2, 0))),
        Asked("ada", Position(2, 1)),
    ]
    ada, bob, same = await news(database, asked, AT)
    assert ([one.number for one in ada.entries], len(ada.notices)) == ([2], 1)
    assert [(one.number, one.account_uid) for one in bob.entries] == [(3, "bob")]
    assert (same.entries, same.notices) == ([], [])
    assert ada.balance == same.balance
    assert ada.balance is not None
    assert bob.balance is not None
    assert (len(ada.balance.reservations), len(bob.balance.reservations)) == (1, 0)


async def test_who_wants_no_balance_is_told_all_that_happened_without_it(
    database: Database, ledger: Ledger
) -> None:
    await reservations.hold(ledger, opening(5))
    asked = [Asked("ada", Position(1, 0), balance=False), Asked("ada", Position(1, 0))]
    bare, whole = await news(database, asked, AT)
    assert ([one.number for one in bare.notices], bare.balance, bare.is_all) == ([1], None, True)
    assert whole.balance is not None
    assert len(whole.balance.reservations) == 1


@pytest.mark.parametrize(
    ("position", "is_near"),
    [
        (Position(5_000, 2_000), True),
        (Position(5_000 - MOST_MISSED, 2_000 - MOST_MISSED), True),
        (Position(4_999 - MOST_MISSED, 2_000), False),
        (Position(5_000, 1_999 - MOST_MISSED), False),
        (Position(5_001, 2_000), False),
        (Position(5_000, 2_001), False),
    ],
)
def test_one_goes_on_from_where_not_too_much_is_missed(
    position: Position, *, is_near: bool
) -> None:
    assert position.is_near(Position(5_000, 2_000)) is is_near
