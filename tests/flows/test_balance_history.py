"""The history of a balance: each point is what folding the entries up to its instant gives."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from histories import AT, CHARGED, numbered, write
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Invalid, UnknownAccount
from prepaid.flows.balance_history import BalanceHistory, Point, balance_history
from prepaid.ids import new_id
from prepaid.storage.database import Database

END = AT + timedelta(seconds=60)

few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

# A machine's clock may be behind another's: then an entry is dated before the one before it.
steps = st.tuples(st.integers(-2, 9), st.integers(-40, 40).filter(bool))


def posted(uid: str, story: list[tuple[int, int]], at: datetime = AT) -> list[Entry]:
    """Entries that are so many seconds after each other, of so many credits; no balance falls
    below nothing."""
    found, balance = list[Entry](), NOTHING
    for number, (seconds, whole) in enumerate(story, 1):
        at += timedelta(seconds=seconds)
        change = Credits.of(whole if balance.micro + whole * 10**6 >= 0 else -whole)
        balance += change
        one = numbered(number, uid, replace(CHARGED, at=at, credits=change, balance=balance))
        found.append(one)
    return found


def folded(entries: list[Entry], at: datetime) -> Credits:
    """What the last of the entries that bear an instant or an earlier one had made of it."""
    last = max((one.number for one in entries if one.at <= at), default=0)
    return Credits(sum(one.credits.micro for one in entries[:last]))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def checked(found: BalanceHistory, entries: list[Entry], since: datetime, end: datetime) -> None:
    """Every point is what folding gives, in order, from one end to the other."""
    assert (found.points[0].at, found.points[-1].at) == (since, end)
    instants = [one.at for one in found.points]
    assert instants == sorted(set(instants))
    assert found.points == [Point(at, folded(entries, at)) for at in instants]


@few
@given(
    story=st.lists(steps, max_size=30),
    begins=st.integers(-5, 50),
    lasts=st.integers(1, 80),
    points=st.integers(1, 35),
)
async def test_every_point_is_what_folding_the_entries_gives(
    database: Database, story: list[tuple[int, int]], begins: int, lasts: int, points: int
) -> None:
    uid, since = f"user-{new_id()}", AT + timedelta(seconds=begins)
    end = since + timedelta(seconds=lasts)
    entries = posted(uid, story)
    await write(database, uid, entries)
    found = await balance_history(database, uid, since, end, end, points)
    checked(found, entries, since, end)
    assert len(found.points) <= points + 2
    if found.every_change:
        for one in entries:  # nothing that was to be seen is missing
            if since < one.at <= end:
                before = max(point.at for point in found.points if point.at <= one.at)
                assert folded(entries, before) == folded(entries, one.at)


async def test_what_is_too_much_is_told_in_parts_with_their_last_change(
    database: Database,
) -> None:
    entries = posted("ada", [(1, 1)] * 60)
    await write(database, "ada", entries)
    found = await balance_history(database, "ada", AT, END, END, 6)
    assert not found.every_change
    assert [(one.at - AT).total_seconds() for one in found.points] == [0, 10, 20, 30, 40, 50, 60]
    assert [one.balance for one in found.points] == [Credits.of(n) for n in range(0, 61, 10)]
    whole = await balance_history(database, "ada", AT, END, END, 60)
    assert whole.every_change
    assert len(whole.points) == 61


async def test_a_span_in_which_nothing_happened_has_two_ends(database: Database) -> None:
    await write(database, "ada", posted("ada", [(0, 5)]))
    found = await balance_history(database, "ada", AT, None, END)
    assert found.points == [Point(AT, Credits.of(5)), Point(END, Credits.of(5))]
    earlier = AT - timedelta(days=1)
    found = await balance_history(database, "ada", earlier, AT - timedelta(hours=1), END)
    assert [one.balance for one in found.points] == [NOTHING, NOTHING]


async def test_the_future_is_not_known(database: Database) -> None:
    await write(database, "ada", posted("ada", [(0, 5)]))
    found = await balance_history(database, "ada", AT, END + timedelta(days=1), END)
    assert found.points[-1].at == END
    with pytest.raises(Invalid, match="has to be before"):
        await balance_history(database, "ada", END, None, END)
    with pytest.raises(Invalid, match="has to be before"):
        await balance_history(database, "ada", END, AT, END)


async def test_what_a_slow_clock_dated_back_is_seen_at_its_instant(database: Database) -> None:
    """The second entry bears an earlier instant than the first: the first was never seen alone."""
    late = numbered(1, "ada", replace(CHARGED, at=END, credits=Credits.of(9)))
    early = numbered(2, "ada", replace(CHARGED, at=AT, credits=Credits.of(-2)))
    first, second = replace(late, balance=Credits.of(9)), replace(early, balance=Credits.of(7))
    await write(database, "ada", [first, second])
    since = AT - timedelta(seconds=1)
    found = await balance_history(database, "ada", since, END, END)
    assert found.points == [
        Point(since, NOTHING),
        Point(AT, Credits.of(7)),
        Point(END, Credits.of(7)),
    ]


async def test_a_span_of_centuries_is_told_too(database: Database) -> None:
    entries = [replace(one, kind=Kind.PURCHASE) for one in posted("ada", [(1, 1)] * 5)]
    await write(database, "ada", entries)
    since = datetime.min.replace(tzinfo=AT.tzinfo)
    found = await balance_history(database, "ada", since, END, END, 3)
    assert [one.balance for one in found.points] == [NOTHING, Credits.of(5), Credits.of(5)]


async def test_an_unknown_account_has_no_history(database: Database) -> None:
    with pytest.raises(UnknownAccount):
        await balance_history(database, "nobody", AT, None, END)
