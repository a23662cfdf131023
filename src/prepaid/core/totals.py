"""Totals: what was sold and given to everybody together, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from prepaid.core.amounts import Credits, Money
from prepaid.core.entries import Kind


@dataclass(frozen=True, slots=True)
class Sold:
    """What was paid for in one currency, in one mode. `price` is before tax, `paid` with it."""

    livemode: bool
    checkouts: int
    credits: Credits
    price: Money
    paid: Money


@dataclass(frozen=True, slots=True)
class Given:
    """All grants of one kind: how many, of how many credits, and how many of these are left."""

    kind: Kind
    grants: int
    credits: Credits
    remaining: Credits


@dataclass(frozen=True, slots=True)
class Totals:
    """What came into all accounts, and what went out of them again.

    Credits go by charges, by settlements, by expiry and by reversal, and in no other way: so what
    is neither left nor expired nor taken back was spent. What runs is spent when it ends.
    """

    sold: tuple[Sold, ...]
    given: tuple[Given, ...]
    expired: Credits
    reversed: Credits

    @property
    def outstanding(self) -> Credits:
        """What is owed to all accounts together: the sum of their balances."""
        return total(one.remaining for one in self.given)

    @property
    def spent(self) -> Credits:
        """What was spent."""
        came = total(one.credits for one in self.given)
        return came - self.outstanding - self.expired - self.reversed


def total(amounts: Iterable[Credits]) -> Credits:
    """All of them together."""
    return Credits(sum(one.micro for one in amounts))
