"""How a balance came about, at a shell: the same filters and files as over HTTP."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from histories import AT, CHARGED, numbered, write
from operators import Operator
from prepaid.core.entries import Entry, Kind
from prepaid.flows import history
from prepaid.storage.database import Database


def tell(url: str, posted: Sequence[Entry]) -> None:
    """These are ada's entries from now on."""

    async def told() -> None:
        database = Database(url)
        await write(database, "ada", posted)
        await database.close()

    asyncio.run(told())


@pytest.fixture
def url(local: Operator) -> str:
    return f"sqlite+aiosqlite:///{local.settings['PREPAID_DATA']}/prepaid.db"


@pytest.fixture
def ada(url: str, local: Operator) -> Operator:
    """Ada was given credits, and spent some on a kernel a minute later, and on another."""
    given = replace(CHARGED, kind=Kind.PROMOTION, source="", reason="=welcome")
    later = replace(CHARGED, at=AT + timedelta(minutes=1))
    other = replace(later, source="kernel k2")
    tell(url, [numbered(1, like=given), numbered(2, like=later), numbered(3, like=other)])
    return local


def rows(written: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written, newline=""), strict=True))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--kind", "charge"], [3, 2]),
        (["--kind", "charge", "--kind", "promotion"], [3, 2, 1]),
        (["--since", "2026-11-23T12:01:00Z"], [3, 2]),
        (["--until", "2026-11-23T14:01:00+02:00"], [1]),
        (["--resource", "k1"], [2]),
        (["--resource", "kernel k2", "--kind", "charge"], [3]),
    ],
)
def test_entries_are_filtered(ada: Operator, options: list[str], found: list[int]) -> None:
    listed = ada.does("entries", "ada", *options)
    assert ([one["number"] for one in listed["entries"]], listed["next_before"]) == (found, None)
    written = ada.runs("entries", "ada", *options, "--csv")
    assert [int(row["number"]) for row in rows(written.out)] == found


def test_pages_of_what_is_filtered_end(ada: Operator) -> None:
    page = ("entries", "ada", "--kind", "charge", "--limit", "1")
    assert ada.does(*page)["next_before"] == 3
    assert ada.does(*page, "--before", "3")["next_before"] is None
    assert "Older: --before 3\n" in ada.runs(*page).out
    assert "Older" not in ada.runs(*page, "--before", "3").out


def test_a_file_has_everything_and_says_what_json_says(
    operator: Operator, database_url: str
) -> None:
    most = history.CHUNK + 1
    odd = replace(CHARGED, reason="of two\nlines, é", actor="@grace")
    tell(database_url, [numbered(number, like=odd) for number in range(1, most + 1)])
    written = rows(operator.runs("entries", "ada", "--csv").out)
    assert [int(row["number"]) for row in written] == [*range(most, 0, -1)]
    (entry,) = operator.does("entries", "ada", "--limit", "1")["entries"]
    (row,) = rows(operator.runs("entries", "ada", "--csv", "--limit", "1").out)
    assert row == {name: str(cell) for name, cell in entry.items()} | {"actor": "'@grace"}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--kind", "bananas"], 2, "promotion"),
        (["--since", "yesterday"], 2, "2027-01-31T00:00:00Z"),
        (["--until", "2026-11-23T12:00:00"], 2, "zone"),
        (["--csv", "--json"], 2, "choose one"),
        (["--resource", "", "--csv"], 1, "leave it out"),
        (["--since", "2027-01-31T00:00:00Z", "--until", "2026-01-31T00:00:00Z"], 1, "before"),
    ],
)
def test_a_bad_filter_is_refused_in_words(
    ada: Operator, options: list[str], code: int, said: str
) -> None:
    refused = ada.runs("entries", "ada", *options)
    assert (refused.code, refused.out) == (code, "")
    assert said in " ".join(refused.err.split())


def test_a_refused_file_has_no_line(local: Operator) -> None:
    refused = local.runs("entries", "nobody", "--csv")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "There is no account 'nobody'.\n"
