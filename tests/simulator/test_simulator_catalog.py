from collections.abc import Callable
from typing import Any

import pytest
import stripe

from prepaid.simulator import pricing


@pytest.mark.parametrize(
    ("quantity", "divide_by", "rounding", "packages"),
    [
        (50, 50, "up", 1),
        (100, 50, "up", 2),
        (1, 50, "up", 1),
        (51, 50, "up", 2),
        (49, 50, "down", 0),
        (99, 50, "down", 1),
        (6, 5, "up", 2),
        (5, 5, "down", 1),
    ],
)
def test_a_quantity_is_counted_in_packages(
    quantity: int, divide_by: int, rounding: str, packages: int
) -> None:
    assert pricing.packages(quantity, {"divide_by": divide_by, "round": rounding}) == packages


def test_without_a_package_each_unit_is_billed() -> None:
    assert pricing.packages(7, None) == 7


@pytest.mark.parametrize(("quantity", "amount"), [(50, 500), (100, 1000), (1, 500), (51, 1000)])
def test_a_session_costs_whole_packages(
    open_session: Callable[..., Any], quantity: int, amount: int
) -> None:
    session = open_session(quantity)
    assert (session.amount_subtotal, session.amount_total) == (amount, amount)


def test_a_part_of_a_package_rounded_down_costs_nothing(v1: Any) -> None:
    price = v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 500,
            "product_data": {"name": "Credits"},
            "transform_quantity": {"divide_by": 50, "round": "down"},
        }
    )
    lines = [{"price": price.id, "quantity": 49}]
    session = v1.checkout.sessions.create({"mode": "payment", "line_items": lines})
    assert session.amount_total == 0


def test_an_amount_below_the_least_charge_is_refused(v1: Any) -> None:
    price = v1.prices.create(
        {"currency": "usd", "unit_amount": 1, "product_data": {"name": "Credit"}}
    )
    lines = [{"price": price.id, "quantity": 49}]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.checkout.sessions.create({"mode": "payment", "line_items": lines})
    assert refused.value.code == "amount_too_small"


@pytest.mark.parametrize(
    ("behavior", "subtotal", "total", "tax"),
    [
        ("exclusive", 1000, 1200, 200),
        ("inclusive", 1000, 1000, 167),
        ("unspecified", 1000, 1200, 200),
    ],
)
def test_tax_is_on_top_or_within(  # noqa: PLR0913, PLR0917 - the columns of its table
    simulated: Any, v1: Any, behavior: str, subtotal: int, total: int, tax: int
) -> None:
    price = v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 1000,
            "tax_behavior": behavior,
            "product_data": {"name": "Credits"},
        }
    )
    session = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price": price.id, "quantity": 1}],
            "automatic_tax": {"enabled": True},
        }
    )
    # Nobody knows where the buyer lives, so nobody knows the tax.
    assert session.amount_total == 1000
    assert session.automatic_tax.status == "requires_location_inputs"
    simulated.control(f"sessions/{session.id}/pay")
    paid = v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (paid.amount_subtotal, paid.amount_total) == (subtotal, total)
    assert paid.total_details.amount_tax == tax
    assert paid.payment_intent.amount_received == total


def test_a_coupon_of_everything_needs_no_payment(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    coupon = v1.coupons.create({"percent_off": 100, "duration": "once"})
    session = open_session(50, discounts=[{"coupon": coupon.id}])
    assert (session.amount_subtotal, session.amount_total) == (500, 0)
    simulated.control(f"sessions/{session.id}/pay")
    done = v1.checkout.sessions.retrieve(session.id)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert done.payment_intent is None


def test_a_coupon_spreads_over_the_lines(v1: Any, package: Any) -> None:
    coupon = v1.coupons.create({"amount_off": 101, "currency": "usd", "duration": "once"})
    lines = [{"price": package.id, "quantity": 50}, {"price": package.id, "quantity": 100}]
    session = v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": lines,
            "discounts": [{"coupon": coupon.id}],
            "expand": ["line_items"],
        }
    )
    assert [line.amount_discount for line in session.line_items.data] == [34, 67]
    assert session.amount_total == 1399


def test_yen_have_no_minor_unit(v1: Any) -> None:
    price = v1.prices.create(
        {"currency": "JPY", "unit_amount": 500, "product_data": {"name": "Credits"}}
    )
    lines = [{"price": price.id, "quantity": 2}]
    session = v1.checkout.sessions.create({"mode": "payment", "line_items": lines})
    assert (session.currency, session.amount_total) == ("jpy", 1000)


def test_one_price_may_have_several_currencies(v1: Any) -> None:
    price = v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 500,
            "product_data": {"name": "Credits"},
            "transform_quantity": {"divide_by": 50, "round": "up"},
            "currency_options": {"eur": {"unit_amount": 450, "tax_behavior": "inclusive"}},
        }
    )
    shown = v1.prices.retrieve(price.id, {"expand": ["currency_options"]})
    assert shown.currency_options["eur"].unit_amount == 450
    assert "currency_options" not in v1.prices.retrieve(price.id)
    lines = [{"price": price.id, "quantity": 100}]
    session = v1.checkout.sessions.create(
        {"mode": "payment", "currency": "eur", "line_items": lines}
    )
    assert (session.currency, session.amount_total) == ("eur", 900)


def test_a_price_never_changes_its_amount(v1: Any, package: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.prices.update(package.id, {"unit_amount": 1})
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "unit_amount")


def test_a_tax_behavior_is_decided_once(v1: Any, package: Any) -> None:
    assert v1.prices.update(package.id, {"tax_behavior": "exclusive"}).tax_behavior == "exclusive"
    with pytest.raises(stripe.InvalidRequestError, match="cannot modify the tax behavior"):
        v1.prices.update(package.id, {"tax_behavior": "inclusive"})


def test_a_lookup_key_moves_only_when_told(v1: Any, package: Any) -> None:
    first = v1.prices.update(package.id, {"lookup_key": "small"})
    given = {"currency": "usd", "unit_amount": 600, "product": first.product, "lookup_key": "small"}
    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        v1.prices.create(given)
    second = v1.prices.create({**given, "transfer_lookup_key": True})
    assert [p.id for p in v1.prices.list({"lookup_keys": ["small"]}).data] == [second.id]
    assert v1.prices.retrieve(first.id).lookup_key is None


def test_an_inactive_price_is_not_sold(
    v1: Any, open_session: Callable[..., Any], package: Any
) -> None:
    v1.prices.update(package.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="only accepts active prices"):
        open_session()


def test_lists_are_the_newest_first_filtered_and_paged(v1: Any, package: Any) -> None:
    product = package.product
    made = [package.id] + [
        v1.prices.create({"currency": "usd", "unit_amount": n, "product": product}).id
        for n in range(100, 104)
    ]
    v1.prices.create({"currency": "eur", "unit_amount": 5, "product_data": {"name": "Other"}})
    first = v1.prices.list({"product": product, "limit": 2})
    assert ([p.id for p in first.data], first.has_more) == (made[:2:-1], True)
    walked = [p.id for p in v1.prices.list({"product": product, "limit": 2}).auto_paging_iter()]
    assert walked == made[::-1]
    back = v1.prices.list({"product": product, "limit": 2, "ending_before": made[0]})
    assert [p.id for p in back.data] == [made[2], made[1]]
    last = v1.prices.list({"product": product, "starting_after": made[1]})
    assert ([p.id for p in last.data], last.has_more) == ([made[0]], False)
    assert v1.prices.list({"currency": "eur", "active": True}).data[0].unit_amount == 5
    assert not v1.prices.list({"active": False}).data
    assert not v1.prices.list({"created": {"lt": package.created}}).data
    assert len(v1.prices.list({"created": {"gte": package.created}, "limit": 100}).data) == 6


def test_a_cursor_must_name_something(v1: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.prices.list({"starting_after": "price_none"})
    assert (refused.value.http_status, refused.value.param) == (400, "starting_after")


def test_metadata_has_limits(v1: Any) -> None:
    customer = v1.customers.create({"metadata": {"a": "1", "b": "2"}})
    assert v1.customers.update(customer.id, {"metadata": {"a": ""}}).metadata.to_dict() == {
        "b": "2"
    }
    for wrong in (
        {f"k{i}": "v" for i in range(51)},
        {"k" * 41: "v"},
        {"k": "v" * 501},
    ):
        with pytest.raises(stripe.InvalidRequestError):
            v1.customers.create({"metadata": wrong})
    assert v1.customers.update(customer.id, {"metadata": ""}).metadata.to_dict() == {}


def test_a_deleted_customer_is_shown_as_deleted_and_buys_nothing(
    v1: Any, open_session: Callable[..., Any]
) -> None:
    customer = v1.customers.create({"email": "a@example.com"})
    v1.customers.delete(customer.id)
    assert v1.customers.retrieve(customer.id).deleted is True
    assert not v1.customers.list({}).data
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(customer=customer.id)
    problem = refused.value
    assert (problem.http_status, problem.code, problem.param) == (
        400,
        "resource_missing",
        "customer",
    )


def test_an_unknown_id_is_404_in_the_path_and_400_in_a_parameter(
    v1: Any, open_session: Callable[..., Any]
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        v1.prices.retrieve("price_none")
    assert (in_path.value.http_status, in_path.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as in_parameter:
        open_session(line_items=[{"price": "price_none", "quantity": 50}])
    problem = in_parameter.value
    assert (problem.http_status, problem.param) == (400, "line_items[0][price]")


def test_expand_shows_the_objects_behind_ids(v1: Any, package: Any) -> None:
    price = v1.prices.retrieve(package.id, {"expand": ["product"]})
    assert price.product.name == "Credits"
    listed = v1.prices.list({"expand": ["data.product"]})
    assert listed.data[0].product.name == "Credits"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        v1.prices.retrieve(package.id, {"expand": ["nickname"]})


def test_a_product_with_prices_is_archived_not_deleted(v1: Any, package: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="cannot be deleted"):
        v1.products.delete(package.product)
    assert v1.products.update(package.product, {"active": False}).active is False
    bare = v1.products.create({"name": "Bare"})
    assert v1.products.delete(bare.id).deleted is True


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"percent_off": 0}, "percent_off"),
        ({"percent_off": 101}, "percent_off"),
        ({"amount_off": 0, "currency": "usd"}, "amount_off"),
        ({"amount_off": 5}, "currency"),
        ({}, "percent_off"),
    ],
)
def test_a_coupon_takes_off_something(v1: Any, given: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.coupons.create({"duration": "once", **given})
    assert refused.value.param == param


@pytest.mark.parametrize("amount", ["1e5", "nan", "1.0000000000001", "-1", ""])
def test_a_decimal_amount_is_a_plain_number(simulated: Any, amount: str) -> None:
    text = f"currency=usd&product_data[name]=Credits&unit_amount_decimal={amount}"
    assert simulated.raw("POST", "/v1/prices", text).status_code == 400
