"""Who burns, how fast and on what: the same as each account's own balance says, busiest first."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

import pytest

from prepaid.core.amounts import MOST_MICRO, Credits
from prepaid.core.commands import Beat, ChangeRate, Give, Held, Open, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import UnknownAccount
from prepaid.core.reservations import MOST_RATE
from prepaid.flows import accounts, balances, reservations
from prepaid.flows.activity import activity
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
UIDS = ("ada", "bob", "cyd", "dan", "eve")


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
        for uid in UIDS:
            await accounts.create(database, uid, AT)
            give = Give(
                *(new_id(), uid, "k", Credits(MOST_MICRO), Kind.PROMOTION, "to spend", "grace")
            )
            await accounts.give(opened, give)
        yield opened


async def start(
    ledger: Ledger, uid: str, rate: Credits, limit: Credits | None = None, heartbeat: int = 30
) -> Held:
    opened = await reservations.hold(
        ledger,
        Open(
            *(new_id(), uid, str(new_id()), "kernel", "runtime", "", rate, limit, heartbeat),
            *("runner", True),
        ),
    )
    return await reservations.hold(ledger, Beat(opened.reservation.id, None))


async def test_each_account_is_as_its_balance_says_and_the_busiest_come_first(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    some = Random(7)  # noqa: S311 - the same each time
    rates = [Credits(1), Credits(139), Credits(999_983), MOST_RATE]
    for uid, rate in product(UIDS[:4], rates):
        clock.now += timedelta(microseconds=some.randrange(10**6))
        limit = some.choice([None, None, Credits(MOST_MICRO // 1_000)])
        held = await start(ledger, uid, rate, limit, some.choice([30, 600, 3_600]))
        if some.random() < 0.5:
            clock.now += timedelta(microseconds=some.randrange(10**6))
            changed = ChangeRate(held.reservation.id, None, some.choice(rates))
            await reservations.hold(ledger, changed)
    await start(ledger, "ada", Credits(0), Credits.of(1))
    ended = await start(ledger, "eve", MOST_RATE)
    await reservations.hold(ledger, Settle(ended.reservation.id, None))

    now = clock.now + timedelta(milliseconds=1)
    seen = await activity(database, now, 100)
    told = {uid: await balances.balance(database, uid, now) for uid in UIDS}
    assert {one.account.uid for one in seen.burners} == {*UIDS[:4]}
    for one in seen.burners:
        told_of = told[one.account.uid]
        assert one.account.balance == told_of.balance
        assert one.burning.burning_rate == told_of.burning_rate
        assert one.burning.running == len(told_of.reservations)
        assert one.depletes_at == told_of.depletes_at
    by_rate = [one.burning.burning_rate for one in seen.burners]
    assert by_rate == sorted(by_rate, reverse=True)
    assert seen.burning.burning_rate.micro == sum(rate.micro for rate in by_rate)

    assert seen.burning.running == len(seen.busiest) == 17
    by_rate = [held.reservation.burning_rate for held in seen.busiest]
    assert by_rate == sorted(by_rate, reverse=True)
    for held in seen.busiest:
        one_alone = await reservations.found(database, held.reservation.id, None, now)
        assert held == one_alone

    few = await activity(database, now, 2)
    assert few.burners == seen.burners[:2]
    assert few.busiest == seen.busiest[:2]
    assert few.burning == seen.burning


async def test_one_account_can_be_looked_at_whether_or_not_it_burns(
    database: Database, ledger: Ledger
) -> None:
    await start(ledger, "ada", Credits.of(1))
    await start(ledger, "bob", Credits.of(2))
    seen = await activity(database, AT, 10, "ada")
    assert [one.account.uid for one in seen.burners] == ["ada"]
    assert [held.reservation.account_uid for held in seen.busiest] == ["ada"]
    assert seen.burning == seen.burners[0].burning
    assert seen.burning.burning_rate == Credits.of(1)

    (quiet,) = (await activity(database, AT, 10, "eve")).burners
    assert (quiet.account.uid, quiet.burning.running, quiet.depletes_at) == ("eve", 0, None)
    with pytest.raises(UnknownAccount):
        await activity(database, AT, 10, "zoe")


async def test_open_reservations_come_in_pages_the_newest_first(
    database: Database, ledger: Ledger
) -> None:
    started = [await start(ledger, uid, Credits.of(1)) for uid in ("ada", "bob", "ada", "cyd")]
    await reservations.hold(ledger, Settle(started[0].reservation.id, None))
    opened = [held.reservation for held in started[:0:-1]]

    page = await reservations.open_page(database, None, limit=2)
    assert [one.id for one in page.reservations] == [one.id for one in opened[:2]]
    assert page.next_before == opened[1].name
    page = await reservations.open_page(database, None, opened[1].id)
    assert [one.id for one in page.reservations] == [opened[2].id]
    assert page.next_before is None
    page = await reservations.open_page(database, "ada")
    assert [one.id for one in page.reservations] == [started[2].reservation.id]
    all_there_were = (await reservations.page(database, None)).reservations
    assert [one.id for one in all_there_were] == [
        *(one.id for one in opened),
        started[0].reservation.id,
    ]
    with pytest.raises(UnknownAccount):
        await reservations.open_page(database, "zoe")
