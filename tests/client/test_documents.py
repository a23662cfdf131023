"""Answers are read field by field: what isn't as it should be is named."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from prepaid_client.documents import (
    Document,
    documents,
    exact,
    flag,
    instant,
    mark,
    optional,
    text,
    whole,
)
from prepaid_client.errors import Unreadable


@pytest.mark.parametrize("written", ["0.1", "-12.345678", "100000000000.000001", "5", '"7.50"'])
def test_numbers_are_exact(written: str) -> None:
    document = Document.parse(f'{{"n": {written}}}'.encode())
    assert document.take("n", exact) == Decimal(written.strip('"'))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1", text),
        ('"true"', flag),
        ("1", flag),
        ("1.0", whole),
        ("1.5", mark),
        ("true", mark),
        ("null", mark),
        ("true", whole),
        ("true", exact),
        ('"x"', exact),
        ("null", exact),
        ('"yesterday"', instant),
        ("1", instant),
        ("{}", documents),
        ("[1]", documents),
        ('"x"', optional(whole)),
    ],
)
def test_what_is_something_else_can_not_be_read(
    written: str, read: Callable[[object], object]
) -> None:
    document = Document.parse(f'{{"n": {written}}}'.encode())
    with pytest.raises(Unreadable, match=r"'n'|object"):
        document.take("n", read)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(Unreadable, match="no 'n'"):
        Document.parse(b"{}").take("n", exact)
