"""Credits as a program gives them: exact numbers, written out digit by digit."""

from decimal import Decimal, InvalidOperation

Amount = Decimal | int | str
"""Credits, or credits a second: a Decimal, an int, or decimal text such as "12.5"."""

MOST_DIGITS = 40
"""No amount is longer; an exponent beyond could only cost memory."""


def written(amount: Amount, name: str = "credits") -> str:
    """The amount as decimal text, as the API takes it: "12.5", without an exponent.

    Raises:
        TypeError: it is a float (which is not what it looks like), or no number at all.
        ValueError: it is text that is no number, or is beyond all amounts.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
        raise TypeError(
            f"{name} has to be exact: a Decimal, an int, or text such as '12.5', "
            f"and not {type(amount).__name__} ({amount!r})."
        )
    try:
        number = Decimal(amount)
    except InvalidOperation:
        raise ValueError(f"{name} is not a number: {amount!r}") from None
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise ValueError(f"{name} is beyond all amounts: {str(amount)[:MOST_DIGITS]}")
    return f"{number:f}"
