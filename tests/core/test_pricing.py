"""Which prices are packages, and what each sells."""

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import Credits, Money
from prepaid.core.pricing import NotSold, Package, Price, package_of

FIFTY = Price(
    id="price_50",
    product_id="prod_1",
    active=True,
    type="one_time",
    billing_scheme="per_unit",
    unit_amount=500,
    currency="usd",
    divide_by=50,
    description="50 credits for five dollars",
    tax_behavior="exclusive",
)


def test_fifty_credits_for_five_dollars() -> None:
    assert package_of(FIFTY, "prod_1") == Package(
        price_id="price_50",
        description="50 credits for five dollars",
        price=Money(500, "usd"),
        credits=Credits.of(50),
        units=50,
        tax_behavior="exclusive",
    )


def test_yen_have_no_minor_unit() -> None:
    sold = package_of(replace(FIFTY, currency="jpy"), "prod_1")
    assert isinstance(sold, Package)
    assert sold.price == Money(500, "jpy")


def test_a_price_without_a_description_is_named_by_its_credits() -> None:
    sold = package_of(replace(FIFTY, description=""), "prod_1")
    assert isinstance(sold, Package)
    assert sold.description == "50 credits"


@pytest.mark.parametrize(
    ("price", "why"),
    [
        (replace(FIFTY, product_id="prod_2"), "another product"),
        (replace(FIFTY, active=False), "archived"),
        (replace(FIFTY, type="recurring"), "recurring"),
        (replace(FIFTY, billing_scheme="tiered"), "tiers"),
        (replace(FIFTY, unit_amount=None), "no whole number"),
        (replace(FIFTY, unit_amount=0), "free"),
        (replace(FIFTY, divide_by=None), "transform_quantity"),
        (replace(FIFTY, divide_by=10**9), "more credits than an account can hold"),
    ],
)
def test_a_price_that_cant_be_sold_says_why(price: Price, why: str) -> None:
    offer = package_of(price, "prod_1")
    assert isinstance(offer, NotSold)
    assert why in offer.why
