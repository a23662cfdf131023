"""Spending: all of it together is what was charged and settled, however it is summed up."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from histories import AT, CHARGED, numbered, write
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.commands import Beat, Charge, Give, Open, Settle
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Invalid, UnknownAccount
from prepaid.core.reservations import Reservation
from prepaid.flows import accounts, balances, consumption, reservations
from prepaid.flows.spending import SPENT, By, Cost, Spending, spending
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

LATER = AT + timedelta(days=1)

few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

kinds = st.sampled_from(list(Kind))
moments = st.integers(-3, 3).map(lambda seconds: AT + timedelta(seconds=seconds))
sources = st.sampled_from(
    ["kernel k1", "kernel k2", "job k1", "kernel", "", " k1", "job my big one", "É é"]
)
Span = tuple[datetime | None, datetime | None]
stories = st.lists(st.tuples(kinds, moments, sources, st.integers(1, 10**9)), max_size=25)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    since, until = draw(st.none() | moments), draw(st.none() | moments)
    return (None, until) if since and until and since >= until else (since, until)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def summed(entries: list[Entry], by: By) -> dict[str, Credits]:
    """What each has cost, as one would add it up over a list."""
    found: dict[str, Credits] = defaultdict(lambda: NOTHING)
    for one in entries:
        first, blank, _ = one.source.partition(" ")
        name = one.source if by is By.RESOURCE else first if blank else ""
        found[name] -= one.credits
    return dict(found)


def together(found: Spending) -> Cost:
    """All that is told of, added up."""
    _, others = found.others
    costs = [*found.costs.values(), others]
    return Cost(
        Credits(sum(one.spent.micro for one in costs)),
        Credits(sum(one.accrued.micro for one in costs)),
    )


@few
@given(story=stories, span=spans(), most=st.integers(1, 9))
@pytest.mark.parametrize("by", By)
async def test_all_together_is_what_was_charged_and_settled(
    database: Database,
    by: By,
    story: list[tuple[Kind, datetime, str, int]],
    span: Span,
    most: int,
) -> None:
    since, until = span
    uid = f"user-{new_id()}"
    entries = [
        replace(numbered(number, uid), kind=kind, at=at, source=source, credits=Credits(-micro))
        for number, (kind, at, source, micro) in enumerate(story, 1)
    ]
    await write(database, uid, entries)
    found = await spending(database, uid, since, until, LATER, by, most)
    wanted = [
        one
        for one in entries
        if one.kind in SPENT
        and (since is None or one.at >= since)
        and (until is None or one.at < until)
    ]
    right = summed(wanted, by)
    assert found.total == Cost(Credits(-sum(one.credits.micro for one in wanted)))
    assert together(found) == found.total
    dearest = sorted((cost.micro for cost in right.values()), reverse=True)
    assert [cost.credits.micro for cost in found.costs.values()] == dearest[:most]
    assert all(cost == Cost(right[name]) for name, cost in found.costs.items())
    assert found.others[0] == len(right) - len(found.costs)


class Clock:
    """A clock that a test sets."""

    now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ledger(database: Database, clock: Clock) -> AsyncIterator[Ledger]:
    async with Ledger(database, clock).open() as opened:
        await accounts.create(database, "ada", AT)
        told = (new_id(), "ada", "k", Credits.of(1_000), Kind.PROMOTION, "to spend", "grace")
        await accounts.give(opened, Give(*told))
        yield opened


async def runs(ledger: Ledger, resource: str, type_: str, rate: int, name: str = "") -> Reservation:
    """Something burns so many credits a second."""
    asked = Open(
        *(new_id(), "ada", str(new_id()), resource, type_, name, Credits.of(rate), None, 30),
        *("runner", True),
    )
    held = await reservations.hold(ledger, asked)
    return (await reservations.hold(ledger, Beat(held.reservation.id, None))).reservation


async def charged(ledger: Ledger, source: str, whole: int) -> None:
    told = (new_id(), "ada", str(new_id()), Credits.of(whole), source, "", "runner")
    await consumption.charge(ledger, Charge(*told))


async def test_what_runs_counts_by_now_under_the_name_it_will_be_posted_under(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    first, second = await runs(ledger, "k1", "kernel", 1), await runs(ledger, "k2", "kernel", 2)
    await charged(ledger, "kernel k1", 50)
    await charged(ledger, "job j1", 5)
    clock.now += timedelta(seconds=10)
    found = await spending(database, "ada", AT, None, clock.now, By.RESOURCE, 2)
    assert found.costs == {
        "kernel k1": Cost(Credits.of(50), Credits.of(10)),
        "kernel k2": Cost(NOTHING, Credits.of(20)),
    }
    assert found.others == (1, Cost(Credits.of(5)))
    assert found.total == Cost(Credits.of(55), Credits.of(30))
    told = await balances.balance(database, "ada", clock.now)
    assert found.total.accrued == told.accrued
    types = await spending(database, "ada", AT, LATER, clock.now, By.RESOURCE_TYPE)
    assert types.costs == {
        "kernel": Cost(Credits.of(50), Credits.of(30)),
        "job": Cost(Credits.of(5)),
    }
    for one in (first, second):
        await reservations.hold(ledger, Settle(one.id, None))
    after = await spending(database, "ada", AT, None, clock.now, By.RESOURCE, 2)
    assert after.total == Cost(Credits.of(85))
    assert {name: cost.credits for name, cost in after.costs.items()} == {
        name: cost.credits for name, cost in found.costs.items()
    }


async def test_a_span_that_is_over_has_nothing_that_runs(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    await runs(ledger, "k1", "kernel", 1)
    clock.now += timedelta(seconds=10)
    over = await spending(database, "ada", AT, clock.now, clock.now)
    assert (over.costs, over.others, over.total) == ({}, (0, Cost()), Cost())
    goes_on = await spending(database, "ada", None, None, clock.now)
    assert goes_on.total == Cost(NOTHING, Credits.of(10))


async def test_what_its_users_named_is_told_by_the_last_name_it_had(
    database: Database, ledger: Ledger, clock: Clock
) -> None:
    for name in ("First try", "Second try", ""):
        await runs(ledger, "k1", "kernel", 1, name)
    await runs(ledger, "k1", "job", 1)
    await charged(ledger, "report", 1)
    clock.now += timedelta(seconds=10)
    found = await spending(database, "ada", None, None, clock.now)
    assert found.costs.keys() == {"kernel k1", "job k1", "report"}
    assert found.given_names == {"kernel k1": "Second try"}
    types = await spending(database, "ada", None, None, clock.now, By.RESOURCE_TYPE)
    assert types.given_names == {}


async def test_what_has_not_burnt_anything_is_not_told(database: Database, ledger: Ledger) -> None:
    await runs(ledger, "k1", "kernel", 1)
    found = await spending(database, "ada", None, None, AT)
    assert (found.costs, found.total) == ({}, Cost())


async def test_sums_are_larger_than_a_balance_can_be(database: Database) -> None:
    """They are of all time: more may have been spent than an account ever had at once."""
    most = replace(CHARGED, credits=Credits(-(10**15) + 1))
    await write(database, "ada", [numbered(number, "ada", most) for number in range(1, 101)])
    found = await spending(database, "ada", None, None, LATER)
    assert found.total == Cost(Credits(100 * (10**15 - 1)))


async def test_an_unknown_account_and_an_empty_span_are_refused(database: Database) -> None:
    with pytest.raises(UnknownAccount):
        await spending(database, "nobody", None, None, AT)
    await write(database, "ada", [])
    with pytest.raises(Invalid, match="has to be before"):
        await spending(database, "ada", AT, AT, LATER)
