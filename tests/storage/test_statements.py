"""Lists that are given to PostgreSQL as one text come out as they went in."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prepaid.storage.statements import NOTHING, SEPARATOR, Statement, Unlisted

ALL = Statement("""
SELECT *
FROM unnest($1::text[], $2::VARCHAR[], $3::bigint[], $4::INTEGER[], $5::uuid[], $7::bytea[])
        AS listed (line, word, big, small, id, octets),
    (SELECT cardinality($1) AS many, $6::text AS one) AS told
""")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\x1e\x1f"))
BIG, SMALL = (st.integers(-(2**bits), 2**bits - 1) for bits in (63, 31))
ROWS = st.lists(
    st.tuples(
        *(one | st.none() for one in (TEXTS, TEXTS, BIG, SMALL, st.uuids(), st.binary(max_size=20)))
    ),
    max_size=5,
)
ODD: tuple[Any, ...] = ("", "", 0, 0, UUID(int=0), b"")
USUAL = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


async def read(url: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """What PostgreSQL makes of rows that are given to it column by column."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(6)]
    statement, values = ALL.filled([*columns[:5], "one, {and} all", columns[5]])
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        told = [tuple(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()
    assert {row[6:] for row in told} <= {(len(rows), "one, {and} all")}
    return [row[:6] for row in told]


@USUAL
@given(rows=ROWS)
async def test_rows_come_out_as_they_went_in(
    on_postgresql: str, rows: list[tuple[Any, ...]]
) -> None:
    assert await read(on_postgresql, rows) == rows


@pytest.mark.parametrize("count", [0, 1, 2, 500])
async def test_so_do_rows_of_nothing(on_postgresql: str, count: int) -> None:
    for row in (ODD, (None,) * 6):
        assert await read(on_postgresql, [row] * count) == [row] * count


async def test_one_list_may_be_longer_than_another(on_postgresql: str) -> None:
    """Also where it is empty, or has one empty text."""
    two = Statement(
        "SELECT (SELECT array_agg(a) FROM unnest($1::text[]) AS a),"
        " (SELECT array_agg(b) FROM unnest($2::text[]) AS b)"
    )
    connection = await asyncpg.connect(on_postgresql.replace("+asyncpg", ""))
    for first, second in (([""], ["b", ""]), ([], [""]), (["x", None], [])):
        statement, values = two.filled([first, second])
        assert await connection.fetchrow(statement, *values) == (first or None, second or None)
    await connection.close()


FOUND = Statement("""
WITH found AS (SELECT one FROM unnest($1::bigint[]) AS asked (one) WHERE one > 0)
SELECT (SELECT count(*) FROM found) = cardinality($1)
""")


@pytest.mark.parametrize(
    ("numbers", "all_of_them"),
    [([], True), ([0], False), ([1], True), ([1, 0], False), ([1, 2], True)],
)
async def test_whether_all_are_there(
    on_postgresql: str, numbers: list[int], *, all_of_them: bool
) -> None:
    connection = await asyncpg.connect(on_postgresql.replace("+asyncpg", ""))
    statement, values = FOUND.filled([numbers])
    assert await connection.fetchval(statement, *values) is all_of_them
    await connection.close()


@pytest.mark.parametrize("odd", [SEPARATOR, NOTHING, f"a{SEPARATOR}b"])
def test_what_would_be_read_as_something_else_is_refused(odd: str) -> None:
    with pytest.raises(Unlisted):
        ALL.filled([["a", odd], ["a", "b"], [1, 2], [1, 2], [UUID(int=1)] * 2, "one", [b""] * 2])
