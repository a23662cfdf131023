import pytest
from hypothesis import given
from hypothesis import strategies as st

from prepaid.core.amounts import Money
from prepaid.core.currencies import MOST_MINOR, money, spoken
from prepaid.core.errors import InvalidMoney


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [
        ("5.00", "usd", 500),
        ("5", "USD", 500),
        ("5.5", "eur", 550),
        ("500", "jpy", 500),
        ("1.230", "kwd", 1230),
        ("500", "isk", 50000),
    ],
)
def test_an_amount_is_read_in_the_decimals_of_its_currency(
    written: str, currency: str, minor: int
) -> None:
    assert money(written, currency) == Money(minor, currency.lower())


@pytest.mark.parametrize(
    ("written", "currency", "sentence"),
    [
        ("5.00", "jpy", "5.00 jpy has decimals, and this currency has none."),
        ("5.001", "usd", "5.001 usd has more than 2 decimals."),
        ("1.234", "kwd", "1.234 kwd can't be charged: Stripe wants it rounder."),
        ("5.50", "isk", "5.50 isk can't be charged: Stripe wants it rounder."),
        ("0.00", "usd", "0.00 usd is not a price: it must be above 0 and in reason."),
        ("1000000", "usd", "1000000 usd is not a price: it must be above 0 and in reason."),
        ("-5", "usd", "'-5' is not an amount: write digits, as in 5.00."),
        ("1e3", "usd", "'1e3' is not an amount: write digits, as in 5.00."),
        ("5", "dollars", "'dollars' is not a currency: write three letters, as in usd."),
    ],
)
def test_what_a_currency_cannot_express_is_refused_with_a_sentence(
    written: str, currency: str, sentence: str
) -> None:
    with pytest.raises(InvalidMoney) as refused:
        money(written, currency)
    assert str(refused.value) == sentence


@given(st.integers(1, MOST_MINOR // 100), st.sampled_from(["usd", "jpy", "kwd", "isk"]))
def test_what_is_spoken_is_read_as_the_same_amount(hundreds: int, currency: str) -> None:
    amount = Money(hundreds * 100, currency)
    assert money(*spoken(amount).split()) == amount
