"""Credits and money: two exact amounts that never mix, and no float in either."""

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Self

from prepaid.core.errors import InvalidCredits
from prepaid.core.values import Value

MICRO = 1_000_000
"""Microcredits in one credit: credits have six decimals."""

MOST_MICRO = 10**15 - 1
"""The largest amount or balance, in microcredits (just under a billion credits): fifteen digits
survive every JSON reader, also one that goes through a double."""

_EXACT = Context(prec=40, traps=[Inexact])
"""Arithmetic that would rather fail than round."""


class Credits(Value, frozen=True, order=True):
    """An exact amount of credits, held as whole microcredits. It may be negative: an entry's is."""

    micro: int

    @classmethod
    def of(cls, whole: int) -> Self:
        """Whole credits."""
        return cls(whole * MICRO)

    @classmethod
    def read(cls, written: Decimal | int | str) -> Self:
        """An amount that somebody sent: finite, at most six decimals, at most fifteen digits.

        Raises:
            InvalidCredits: it is none of these; the sentence says which.
        """
        try:
            micro = _decimal(written).scaleb(6, _EXACT)
        except Inexact:
            raise InvalidCredits(f"{str(written)[:40]} has too many digits.") from None
        if micro != micro.to_integral_value():
            raise InvalidCredits(f"{written} has more than six decimals.")
        if abs(micro) > MOST_MICRO:
            raise InvalidCredits(f"{written} is more than {cls(MOST_MICRO)} credits.")
        return cls(int(micro))

    def __add__(self, other: Self) -> "Credits":
        return Credits(self.micro + other.micro)

    def __sub__(self, other: Self) -> "Credits":
        return Credits(self.micro - other.micro)

    def __neg__(self) -> "Credits":
        return Credits(-self.micro)

    def __bool__(self) -> bool:
        return self.micro != 0

    def __str__(self) -> str:
        """The exact decimal, without an exponent or trailing zeros: "12.5", "50"."""
        sign = "-" if self.micro < 0 else ""
        whole, part = divmod(abs(self.micro), MICRO)
        return f"{sign}{whole}.{part:06}".rstrip("0").rstrip(".")


NOTHING = Credits(0)


class Money(Value, frozen=True):
    """An exact amount of money in the currency's minor unit, as Stripe counts it.

    The minor unit of a zero-decimal currency is the currency itself: 500 jpy is 500 yen.
    """

    minor: int
    currency: str


def _decimal(written: Decimal | int | str) -> Decimal:
    if isinstance(written, str) and len(written) > 40:  # noqa: PLR2004 - no amount is longer
        raise InvalidCredits("An amount has at most 40 characters.")
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise InvalidCredits(f"{written!r} is not a number of credits.") from None
    # An exponent beyond these can only be out of range, and would cost memory to expand.
    if not number.is_finite() or abs(number.adjusted()) > 40:  # noqa: PLR2004 - see above
        raise InvalidCredits(f"{str(written)[:40]} is not an amount of credits.")
    return number
