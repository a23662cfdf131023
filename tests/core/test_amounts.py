"""Credits and money are exact, and text and amounts turn into each other without loss."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prepaid.core.amounts import MOST_MICRO, Credits, Money
from prepaid.core.errors import InvalidCredits

amounts = st.integers(-MOST_MICRO, MOST_MICRO).map(Credits)


@given(amounts)
def test_text_round_trips(amount: Credits) -> None:
    assert Credits.read(str(amount)) == amount


@given(amounts)
def test_decimals_round_trip(amount: Credits) -> None:
    assert Credits.read(Decimal(str(amount))) == amount


@given(amounts)
def test_text_has_no_exponent_and_no_needless_zero(amount: Credits) -> None:
    written = str(amount)
    assert "e" not in written.lower()
    assert "." not in written or written[-1] not in "0."


@given(amounts, amounts)
def test_adding_and_taking_away_cancel(one: Credits, other: Credits) -> None:
    assert one + other - other == one
    assert one - other == one + -other


@pytest.mark.parametrize(
    ("written", "micro"),
    [("12.5", 12_500_000), ("0.000001", 1), ("-3", -3_000_000), (50, 50_000_000), ("1e2", 10**8)],
)
def test_amounts_a_person_can_check(written: str | int, micro: int) -> None:
    assert Credits.read(written) == Credits(micro)


@pytest.mark.parametrize(
    "written",
    [
        "0.0000001",
        "1e-7",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "-1e400",
        "1e-400",
        "1e999999999",
        "",
        "five",
        "1,000",
        "1000000000",
        "9" * 50,
        Decimal("NaN"),
        Decimal("1e400"),
        10**30,
    ],
)
def test_what_is_no_amount_is_refused(written: str | int | Decimal) -> None:
    with pytest.raises(InvalidCredits):
        Credits.read(written)


def test_only_zero_is_false() -> None:
    assert not Credits(0)
    assert Credits(-1)


def test_credits_and_money_do_not_add() -> None:
    with pytest.raises((TypeError, AttributeError)):
        Credits.of(1) + Money(100, "usd")  # type: ignore[operator]  # that is the point


def test_digits_are_never_dropped() -> None:
    with pytest.raises(InvalidCredits, match="too many digits"):
        Credits.read(Decimal("1." + "0" * 60 + "1"))


def test_an_amount_of_too_many_characters_is_refused_unread() -> None:
    with pytest.raises(InvalidCredits, match="40 characters"):
        Credits.read("1" * 41)
