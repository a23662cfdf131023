"""Currencies: how an amount that a person wrote becomes minor units, as Stripe counts them."""

import re
from decimal import Decimal

from prepaid.core.amounts import Money
from prepaid.core.errors import InvalidMoney

WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
"""Currencies that Stripe counts in whole units: 500 is 500 yen."""

THOUSANDTHS = "bhd jod kwd omr tnd"
"""Currencies that Stripe counts in thousandths, the last digit of which has to be 0."""

ROUND = "isk ugx"
"""Currencies without coins that Stripe still counts in hundredths, which have to be 00."""

MOST_MINOR = 99_999_999
"""The largest amount of a Stripe price in most currencies: eight digits."""


def money(written: str, currency: str) -> Money:
    """An amount in a currency's own decimals: "5.00" of usd is 500 cents.

    Raises:
        InvalidMoney: the currency can't express it, or it is no price at all.
    """
    currency = currency.lower()
    if not re.fullmatch(r"[a-z]{3}", currency):
        raise InvalidMoney(f"{currency!r} is not a currency: write three letters, as in usd.")
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", written):
        raise InvalidMoney(f"{written!r} is not an amount: write digits, as in 5.00.")
    if len(written.partition(".")[2]) > decimals(currency):
        raise InvalidMoney(f"{written} {currency} has {_too_many(currency)}.")
    minor = int(Decimal(written).scaleb(decimals(currency)))
    if minor % _step(currency):
        raise InvalidMoney(f"{written} {currency} can't be charged: Stripe wants it rounder.")
    if not 0 < minor <= MOST_MINOR:
        raise InvalidMoney(
            f"{written} {currency} is not a price: it must be above 0 and in reason."
        )
    return Money(minor, currency)


def spoken(amount: Money) -> str:
    """The amount as people write it: "5.00 usd"."""
    return f"{decimal(amount)} {amount.currency}"


def decimal(amount: Money) -> str:
    """The amount in its currency's own decimals: "5.00"."""
    places = decimals(amount.currency)
    return f"{Decimal(amount.minor).scaleb(-places):.{places}f}"


def decimals(currency: str) -> int:
    """How many decimals Stripe counts a currency in."""
    if currency in WHOLE:
        return 0
    return 3 if currency in THOUSANDTHS else 2


def _too_many(currency: str) -> str:
    places = decimals(currency)
    return f"more than {places} decimals" if places else "decimals, and this currency has none"


def _step(currency: str) -> int:
    if currency in THOUSANDTHS:
        return 10
    return 100 if currency in ROUND else 1
