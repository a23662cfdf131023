"""Packages: which of a product's prices can be sold, and for how many credits."""

from typing import Literal

from prepaid.core.amounts import MICRO, MOST_MICRO, Credits, Money
from prepaid.core.values import Value

TaxBehavior = Literal["exclusive", "inclusive", "unspecified"]


class Price(Value, frozen=True):
    """The facts of a Stripe price that decide whether it is a package.

    `unit_amount` is None where Stripe has only a fraction of the minor unit, or tiers.
    `divide_by` is None without package pricing (`transform_quantity`).
    """

    id: str
    product_id: str
    active: bool
    type: str
    billing_scheme: str
    unit_amount: int | None
    currency: str
    divide_by: int | None
    description: str
    tax_behavior: TaxBehavior


class Package(Value, frozen=True):
    """So many credits for so much money, sold under a Stripe price.

    `units` is the quantity that a checkout's line asks for: Stripe counts single credits, and
    divides by the package's size itself, so one package is `units` of them.
    """

    price_id: str
    description: str
    price: Money
    credits: Credits
    units: int
    tax_behavior: TaxBehavior


class NotSold(Value, frozen=True):
    """A price that is no package, and the reason, in words an operator can act on."""

    price_id: str
    why: str


def package_of(price: Price, product_id: str) -> Package | NotSold:
    """The package that a price sells.

    The rule is the Stripe addon's: one unit is one credit, and package pricing says how many
    units a package has. A price without it would sell single credits at a package's price, which
    no operator means, so it isn't sold.
    """
    if why := _why_not(price, product_id):
        return NotSold(price.id, why)
    units, amount = price.divide_by or 0, price.unit_amount or 0
    return Package(
        price_id=price.id,
        description=price.description or f"{units} credits",
        price=Money(amount, price.currency),
        credits=Credits.of(units),
        units=units,
        tax_behavior=price.tax_behavior,
    )


def _why_not(price: Price, product_id: str) -> str | None:
    reasons = (
        (price.product_id != product_id, "it belongs to another product"),
        (not price.active, "it is archived"),
        (price.type != "one_time", "it is recurring: a package is a one-off price"),
        (price.billing_scheme != "per_unit", "it has tiers: a package has one amount"),
        (
            price.unit_amount is None,
            "its amount is no whole number of the currency's minor unit, or the buyer's choice",
        ),
        ((price.unit_amount or 0) <= 0, "it is free: grant promotional credits instead"),
        (
            price.divide_by is None,
            "it has no package pricing: set transform_quantity[divide_by] to the number of credits",
        ),
        (
            (price.divide_by or 0) > MOST_MICRO // MICRO,
            "its package has more credits than an account can hold",
        ),
    )
    return next((why for applies, why in reasons if applies), None)
