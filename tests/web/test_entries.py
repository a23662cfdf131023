"""How a balance came about, over HTTP: filtered, in pages, and as a CSV file."""

import asyncio
import csv
import io
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy import text

from histories import AT, CHARGED, numbered, write
from local_service import House, bearer, refused, token
from prepaid.core.amounts import MOST_MICRO, Credits
from prepaid.core.entries import Entry, Kind
from prepaid.core.identity import Scope
from prepaid.flows import history
from prepaid.storage.database import Database

ENTRIES = "/api/iam/v1/usage/entries"
CSV = "text/csv; charset=utf-8"
COLUMNS = "number,id,kind,credits,balance,at,source,reason,actor,key"


def tell(house: House, uid: str, posted: Sequence[Entry]) -> None:
    """These are the account's entries from now on."""

    async def told() -> None:
        database = Database(house.database_url)
        await write(database, uid, posted)
        await database.close()

    asyncio.run(told())


def story(uid: str) -> list[Entry]:
    """A purchase, a charge each for two kernels a minute later, and an expiry after an hour."""
    bought = replace(CHARGED, kind=Kind.PURCHASE, credits=Credits.of(50), source="cs_test_1")
    expired = replace(CHARGED, kind=Kind.EXPIRY, source="g1", at=AT + timedelta(hours=1))
    charged = replace(CHARGED, at=AT + timedelta(minutes=1))
    return [
        numbered(1, uid, bought),
        numbered(2, uid, charged),
        numbered(3, uid, replace(charged, source="kernel k2")),
        numbered(4, uid, expired),
    ]


def numbers(house: House, uid: str, query: str) -> list[int]:
    return [entry["number"] for entry in house.get(f"{ENTRIES}?{query}", token(uid))["entries"]]


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == CSV
    assert answer.content.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("kind=charge", [3, 2]),
        ("kind=charge&kind=expiry", [4, 3, 2]),
        ("kind=promotion", []),
        ("since=2026-11-23T12:01:00Z", [4, 3, 2]),
        ("until=2026-11-23T12:01:00Z", [1]),
        ("since=2026-11-23T14:01:00%2B02:00&until=2026-11-23T08:00:00-05:00", [3, 2]),
        ("resource=k1", [2]),
        ("resource=kernel%20k2", [3]),
        ("resource=1", []),
        ("resource=k%25", []),
        ("kind=charge&resource=k2&since=2026-11-23T12:00:00Z&before=4&limit=1", [3]),
        ("format=json&before=2", [1]),
    ],
)
def test_entries_are_filtered(both: House, query: str, found: list[int]) -> None:
    tell(both, "ada", story("ada"))
    assert numbers(both, "ada", query) == found


def test_pages_of_what_is_filtered_end(house: House, uid: str) -> None:
    tell(house, uid, story(uid))
    first = house.get(f"{ENTRIES}?kind=charge&limit=1", token(uid))
    assert ([one["number"] for one in first["entries"]], first["next_before"]) == ([3], 3)
    last = house.get(f"{ENTRIES}?kind=charge&limit=1&before=3", token(uid))
    assert ([one["number"] for one in last["entries"]], last["next_before"]) == ([2], None)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("kind=purchases", 422, "purchase"),
        ("kind=", 422, "purchase"),
        ("since=yesterday", 422, "datetime"),
        ("since=2026-11-23", 422, "2027-01-31T00:00:00Z"),
        ("since=2026-11-23T12:00:00", 422, "timezone"),
        ("since=1700000000", 422, "2027-01-31T00:00:00Z"),
        ("until=2026-11-23T12:00:00+02:00", 422, "write the + of an offset as %2B"),
        ("until=0001-01-01T00:00:00%2B02:00", 422, "beyond the calendar"),
        ("since=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", 400, "has to be before"),
        ("resource=", 400, "leave it out to see all"),
        ("resource=a%00b", 422, "resource"),
        ("format=xlsx", 422, "csv"),
        ("limit=101", 422, "100"),
        ("format=csv&limit=0", 422, "limit"),
    ],
)
def test_a_bad_filter_is_refused_in_words(
    house: House, uid: str, query: str, status: int, said: str
) -> None:
    told = refused(house.ask("GET", f"{ENTRIES}?{query}", token(uid)), status, "invalid_request")
    assert said in told["detail"]


def test_a_file_says_what_json_says(both: House) -> None:
    small = replace(CHARGED, credits=Credits(-1), balance=Credits(MOST_MICRO - 1))
    odd = replace(small, reason='of "two"\nlines, é', at=AT + timedelta(microseconds=1))
    tell(both, "ada", [numbered(1), numbered(2, like=odd), numbered(3, like=small)])
    answer = both.ask("GET", f"{ENTRIES}?format=csv", token("ada"))
    assert answer.text.splitlines()[0] == COLUMNS
    entries = both.get(ENTRIES, token("ada"))["entries"]
    assert rows(answer) == [{name: str(cell) for name, cell in one.items()} for one in entries]
    assert rows(answer)[1]["credits"] == "-0.000001"
    assert rows(answer)[1]["balance"] == "999999999.999998"
    assert rows(answer)[1]["at"] == "2026-11-23T12:00:00.000001Z"


def test_a_file_has_everything_that_is_asked_for(both: House) -> None:
    """More than is held at once, and than a page has."""
    most = 2 * history.CHUNK + 1
    tell(both, "ada", [numbered(number) for number in range(1, most + 1)])
    answer = both.ask("GET", f"{ENTRIES}?format=csv", token("ada"))
    assert [int(row["number"]) for row in rows(answer)] == [*range(most, 0, -1)]
    for query, found in (("limit=2", [most, most - 1]), ("before=3", [2, 1]), ("kind=expiry", [])):
        answer = both.ask("GET", f"{ENTRIES}?format=csv&{query}", token("ada"))
        assert [int(row["number"]) for row in rows(answer)] == found


@pytest.mark.parametrize(
    ("query", "accept", "type_"),
    [
        ("", "text/csv", CSV),
        ("", "Text/CSV ; charset=utf-8", CSV),
        ("", "application/json;q=0.9, text/csv", CSV),
        ("", "application/json, text/csv;q=0.9", "application/json"),
        ("", "text/csv;q=0", "application/json"),
        ("", "*/*", "application/json"),
        ("", "text/csv-schema", "application/json"),
        ("format=json", "text/csv", "application/json"),
        ("format=csv", "application/json", CSV),
    ],
)
def test_who_accepts_csv_gets_it(
    house: House, user: str, query: str, accept: str, type_: str
) -> None:
    answer = house.ask("GET", f"{ENTRIES}?{query}", user, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, type_)
    assert "Accept" in answer.headers["vary"].split(", ")


def test_a_file_is_named_for_its_account_and_the_day(house: House) -> None:
    platform = house.key(Scope.SERVICE).secret
    tell(house, 'a"b/..\\c', [])
    asked = {"account_uid": 'a"b/..\\c', "format": "csv"}
    answer = house.ask("GET", ENTRIES, platform, params=asked)
    name = r'attachment; filename="entries-a-b-\.\.-c-20\d\d-\d\d-\d\d\.csv"'
    assert re.fullmatch(name, answer.headers["content-disposition"])
    assert rows(answer) == []


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'quoted'", "''quoted'"),
        ("a=1", "a=1"),
        ("", ""),
    ],
)
def test_a_text_in_a_file_is_no_formula(house: House, uid: str, written: str, cell: str) -> None:
    """Taking one apostrophe away gives back what was written."""
    told = replace(CHARGED, source=written, reason=written, actor=written)
    tell(house, uid, [replace(numbered(1, uid, told), key=written)])
    (row,) = rows(house.ask("GET", f"{ENTRIES}?format=csv", token(uid)))
    assert [row[name] for name in ("source", "reason", "actor", "key")] == [cell] * 4
    assert row["credits"] == "-1.5"
    assert cell.removeprefix("'") == written


def test_a_refused_file_is_a_problem(house: House, user: str) -> None:
    platform = house.key(Scope.SERVICE).secret
    csv_of = f"{ENTRIES}?format=csv&account_uid="
    refused(house.ask("GET", f"{csv_of}nobody-at-all", platform), 404, "unknown_account")
    refused(house.ask("GET", f"{csv_of}somebody", user), 403)
    refused(house.ask("GET", f"{csv_of}somebody"), 401)


def long(number: int) -> Entry:
    """An entry that takes room: a few thousand are more than any buffer between us holds."""
    return numbered(number, like=replace(CHARGED, reason="a long reason " * 500))


def test_who_hangs_up_disturbs_nobody(both: House) -> None:
    tell(both, "ada", [long(number) for number in range(1, 3001)])
    for _ in range(15):  # more than the connections that the service has
        with httpx.stream(
            "GET", f"{both.url}{ENTRIES}?format=csv", headers=bearer(token("ada"))
        ) as answer:
            assert next(answer.iter_bytes()).startswith(COLUMNS.encode())
    assert numbers(both, "ada", "limit=1") == [3000]


def test_a_file_that_breaks_off_does_not_look_whole(both: House) -> None:
    tell(both, "ada", [long(number) for number in range(1, 3001)])
    asked: Any = httpx.stream(
        "GET", f"{both.url}{ENTRIES}?format=csv", headers=bearer(token("ada"))
    )
    with asked as answer:
        assert answer.status_code == 200
        asyncio.run(rename_entries(both))
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
            answer.read()


async def rename_entries(house: House) -> None:
    """The books are gone, while somebody reads them."""
    database = Database(house.database_url)
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE entries RENAME TO mislaid"))
    await database.close()


def test_a_page_may_read_the_name_of_a_file(house: House, user: str) -> None:
    """Of all the headers of another origin's answer a browser shows only those that are named."""
    origin = {"Origin": "https://app.example.com"}
    answer = house.ask("GET", f"{ENTRIES}?format=csv", user, headers=origin)
    assert answer.headers["access-control-expose-headers"] == "Content-Disposition"
