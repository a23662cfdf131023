"""The history of an account: whatever is asked for, paged however, it is what a list would give."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from histories import AT, CHARGED, numbered, write
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Invalid, UnknownAccount
from prepaid.core.filters import EVERY, Filter
from prepaid.flows import history
from prepaid.ids import new_id
from prepaid.storage.database import Database

# Close together, so that they meet; the sources have what LIKE, case and other scripts may confuse.
kinds = st.sampled_from(list(Kind))
moments = st.integers(-3, 3).map(lambda seconds: AT + timedelta(seconds=seconds, microseconds=1))
names = st.sampled_from(["k1", "K1", "k_", "k%", "%", "é", "\\", "'", "a b", "b", " "])
texts = st.one_of(names, st.text(" kK1%_\\é\N{PILE OF POO}", max_size=4))
sources = st.one_of(texts, st.tuples(texts, texts).map(" ".join))


stories = st.lists(st.tuples(kinds, moments, sources), max_size=25)


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[tuple[Kind, datetime, str]], Filter]:
    """A story, and a filter that often is about something in it."""
    story = draw(stories)
    ends = [" ".join(source.split(" ")[-words:]) for *_, source in story for words in (1, 2, 3)]
    resources = st.sampled_from(ends) | texts if ends else texts
    since, until = draw(st.none() | moments), draw(st.none() | moments)
    if since is not None and until is not None and since >= until:
        since = None
    resource = draw(st.none() | resources.filter(bool))
    return story, Filter(draw(st.frozensets(kinds, max_size=3)), since, until, resource)


few = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def is_wanted(entry: Entry, wanted: Filter) -> bool:
    """What a filter means, as one would write it over a list."""
    return (
        (not wanted.kinds or entry.kind in wanted.kinds)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
        and (
            wanted.resource is None
            or entry.source == wanted.resource
            or entry.source.endswith(" " + wanted.resource)
        )
    )


async def paged(database: Database, uid: str, wanted: Filter, limit: int) -> list[Entry]:
    """Everything, by following the pages; each but the last is full."""
    page = await history.page(database, uid, wanted, None, limit)
    found = page.entries
    while page.next_before is not None:
        assert len(page.entries) == limit
        assert page.next_before == found[-1].number
        page = await history.page(database, uid, wanted, page.next_before, limit)
        assert page.entries != [], "a page was promised where there is none"
        found = found + page.entries
    return found


@few
@given(question=questions(), limit=st.integers(1, 30))
async def test_pages_give_what_filtering_a_list_gives(
    database: Database, question: tuple[list[tuple[Kind, datetime, str]], Filter], limit: int
) -> None:
    story, wanted = question
    uid = f"user-{new_id()}"
    posted = [
        replace(numbered(number, uid), kind=kind, at=at, source=source)
        for number, (kind, at, source) in enumerate(story, 1)
    ]
    await write(database, uid, posted)
    right = [entry for entry in reversed(posted) if is_wanted(entry, wanted)]
    assert await paged(database, uid, wanted, limit) == right
    chunks = [chunk async for chunk in history.chunks(database, uid, wanted)]
    assert [*chain.from_iterable(chunks)] == right


async def test_a_whole_history_comes_in_chunks(database: Database) -> None:
    most = 2 * history.CHUNK
    await write(database, "ada", [numbered(number) for number in range(1, most + 2)])
    chunks = [[entry.number for entry in chunk] async for chunk in history.chunks(database, "ada")]
    assert [len(chunk) for chunk in chunks] == [history.CHUNK, history.CHUNK, 1]
    assert [*chain.from_iterable(chunks)] == [*range(most + 1, 0, -1)]


async def test_a_history_that_fills_its_chunks_has_no_empty_one(database: Database) -> None:
    await write(database, "ada", [numbered(number) for number in range(1, history.CHUNK + 1)])
    assert [len(chunk) async for chunk in history.chunks(database, "ada")] == [history.CHUNK]


async def test_a_limit_and_a_beginning_hold_for_a_whole_history_too(database: Database) -> None:
    await write(database, "ada", [numbered(number) for number in range(1, 10)])
    (chunk,) = [one async for one in history.chunks(database, "ada", EVERY, before=5, limit=2)]
    assert [entry.number for entry in chunk] == [4, 3]


async def test_what_is_posted_meanwhile_does_not_disturb_who_reads(database: Database) -> None:
    most = history.CHUNK + 5
    await write(database, "ada", [numbered(number) for number in range(1, most + 1)])
    seen: list[int] = []
    async for chunk in history.chunks(database, "ada"):
        seen += [entry.number for entry in chunk]
        await write(database, "ada", [numbered(2 * most + len(seen))])  # nobody holds it up
    assert seen == [*range(most, 0, -1)]


async def test_who_has_nothing_has_one_empty_chunk(database: Database) -> None:
    await write(database, "ada", [])
    assert await history.page(database, "ada") == history.Page([], None)
    assert [chunk async for chunk in history.chunks(database, "ada")] == [[]]


async def test_an_unknown_account_has_no_history(database: Database) -> None:
    with pytest.raises(UnknownAccount):
        await history.page(database, "nobody")
    with pytest.raises(UnknownAccount):
        await anext(history.chunks(database, "nobody"))


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        ("k1", [1, 3]),
        ("kernel k1", [1]),
        ("K1", [4]),
        ("1", []),
        ("k%", [2]),
        ("k_", []),
        ("l k1", []),
    ],
)
async def test_a_resource_is_the_source_or_its_end_letter_by_letter(
    database: Database, resource: str, found: list[int]
) -> None:
    sources = ["kernel k1", "kernel k%", "k1", "kernel K1"]
    posted = [replace(numbered(number), source=source) for number, source in enumerate(sources, 1)]
    await write(database, "ada", posted)
    page = await history.page(database, "ada", Filter(resource=resource))
    assert sorted(entry.number for entry in page.entries) == found


async def test_since_is_inclusive_and_until_is_not(database: Database) -> None:
    await write(database, "ada", [CHARGED])
    later = AT + timedelta(microseconds=1)
    assert (await history.page(database, "ada", Filter(since=AT, until=later))).entries == [CHARGED]
    assert (await history.page(database, "ada", Filter(since=later))).entries == []
    assert (await history.page(database, "ada", Filter(until=AT))).entries == []


@pytest.mark.parametrize("until", [AT, AT - timedelta(seconds=1)])
def test_a_filter_that_nothing_can_meet_is_refused(until: datetime) -> None:
    with pytest.raises(Invalid, match="has to be before"):
        Filter(since=AT, until=until)


def test_a_resource_without_a_name_is_refused() -> None:
    with pytest.raises(Invalid, match="leave it out"):
        Filter(resource="")
