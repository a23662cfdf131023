"""Totals on the wire: what the API and the command line write of them."""

from dataclasses import dataclass
from typing import TypeVar

from prepaid.core.totals import Totals
from prepaid.exact import ExactNumber, number

Told = TypeVar("Told", bound="TotalsTold")


@dataclass(slots=True, kw_only=True)
class SoldOut:
    """What was paid for and credited in one currency. `amount` is before tax and `paid` with it,
    both in the currency's minor unit: cents."""

    currency: str
    livemode: bool
    checkouts: int
    credits: ExactNumber
    amount: int
    paid: int


@dataclass(slots=True, kw_only=True)
class GivenOut:
    """All grants of one kind, and what is left of them together."""

    kind: str
    grants: int
    credits: ExactNumber
    remaining: ExactNumber


@dataclass(slots=True, kw_only=True)
class TotalsTold:
    """What came into all accounts (`sold` is where the purchases among `given` came from), and what
    became of it. `outstanding` is the sum of all balances: what is still owed. Of what runs,
    nothing is spent before it ends."""

    sold: list[SoldOut]
    given: list[GivenOut]
    spent: ExactNumber
    expired: ExactNumber
    reversed: ExactNumber
    outstanding: ExactNumber


def totals_out(found: Totals, kind: type[Told]) -> Told:
    """Totals as they are written in JSON."""
    return kind(
        sold=[
            SoldOut(
                currency=one.price.currency,
                livemode=one.livemode,
                checkouts=one.checkouts,
                credits=number(one.credits),
                amount=one.price.minor,
                paid=one.paid.minor,
            )
            for one in found.sold
        ],
        given=[
            GivenOut(
                kind=one.kind,
                grants=one.grants,
                credits=number(one.credits),
                remaining=number(one.remaining),
            )
            for one in found.given
        ],
        spent=number(found.spent),
        expired=number(found.expired),
        reversed=number(found.reversed),
        outstanding=number(found.outstanding),
    )
