"""Statements over lists, as PostgreSQL's driver takes them fastest.

The driver asks of each element of a list whether it is a list itself, which takes longer than all
that the ledger decides. So a list is one text here, which the database takes apart: numbers, ids
and bytes as PostgreSQL writes arrays, texts with a separator before each. And if all lists have
one element, the statement is one of single values, and whether all of a part's rows were found is
whether there is one: to make, to read and to count a dozen lists of one takes longer than all the
rest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

SEPARATOR, NOTHING = "\x1f", "\x1e"
"""What stands before each text, and for none: control characters that nobody writes."""

_LIST = re.compile(r"\$(\d+)::(\w+)\[\]")
_COUNT = re.compile(r"cardinality\(\$(\d+)\)")
_ALL = re.compile(r"\(SELECT count\(\*\) FROM (\w+)\) = cardinality\(\$\d+\)")
_ROWS = re.compile(r"unnest\((.*?)\)", re.DOTALL)


class Unlisted(Exception):  # noqa: N818 - it is what is found
    """A text has one of the two control characters in it."""


class Statement:
    """A statement whose parameters are single values, or lists: `$1::text[]` where they are given
    to `unnest`, `cardinality($1)` for how many there are, and `(SELECT count(*) FROM part) =
    cardinality($1)` for whether there are as many in a part of the statement, and no more."""

    def __init__(self, written: str) -> None:
        kinds = {int(place): kind.lower() for place, kind in _LIST.findall(written)}
        self._lists = {place - 1: _WRITTEN[kind] for place, kind in kinds.items()}
        self._one, self._many = _of_one(written), _of_many(written, kinds)

    def filled(self, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """The statement, and its parameters as the driver takes them.

        Raises:
            Unlisted: a text can't be told from two, or from none.
        """
        filled = [*values]
        if all(len(values[place]) == 1 for place in self._lists):
            for place in self._lists:
                filled[place] = values[place][0]
            return self._one, filled
        for place, written in self._lists.items():
            filled[place] = written(values[place])
        return self._many, filled


def _of_one(written: str) -> str:
    rows = _ROWS.sub(lambda found: f"(VALUES ({found[1]}))", written)
    there = _ALL.sub(lambda found: f"EXISTS (SELECT FROM {found[1]})", rows)
    return _COUNT.sub("1", there.replace("[]", ""))


def _of_many(written: str, kinds: Mapping[int, str]) -> str:
    def read(place: int) -> str:
        if kinds[place] in TEXTS:
            return rf"(string_to_array(${place}::text, E'\x1f', E'\x1e'))[2:]"
        return f"${place}::text::{kinds[place]}[]"

    lists = _LIST.sub(lambda found: read(int(found[1])), written)
    return _COUNT.sub(lambda found: f"cardinality({read(int(found[1]))})", lists)


def _texts(values: Sequence[str | None]) -> str:
    if not values:
        return ""
    told = [NOTHING if one is None else one for one in values]
    joined = SEPARATOR + SEPARATOR.join(told)
    nothings = values.count(None)
    if joined.count(SEPARATOR) != len(values) or joined.count(NOTHING) != nothings:
        raise Unlisted(joined)
    return joined


def _plain(values: Sequence[object]) -> str:
    """Numbers and ids: JSON writes them as PostgreSQL reads them, but for the brackets."""
    return f"{{{msgspec.json.encode(values)[1:-1].decode()}}}"


def _bytes(values: Sequence[bytes | None]) -> str:
    told = ("NULL" if one is None else rf'"\\x{one.hex()}"' for one in values)
    return f"{{{','.join(told)}}}"


TEXTS = frozenset(("text", "varchar"))
_WRITTEN: dict[str, Callable[[Sequence[Any]], str]] = {
    "text": _texts,
    "varchar": _texts,
    "bigint": _plain,
    "integer": _plain,
    "uuid": _plain,
    "boolean": _plain,
    "bytea": _bytes,
}
