import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import stripe.params.checkout
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from local_stripe import Json, LocalStripe
from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, State
from prepaid.core.errors import (
    StripeRefused,
    StripeUnavailable,
    UnknownCheckout,
    UnknownPackage,
    UnknownReceipt,
)
from prepaid.core.pricing import NotSold, Package, package_of
from prepaid.ids import new_id
from prepaid.payments.gateway import (
    CustomerGone,
    Gateway,
    NewCustomer,
    RequestChanged,
    session_params,
    with_session_id,
)
from prepaid.simulator.contract import Breach, check_params

DEPLOYMENT = UUID(int=7)
ANSWERS_OF_AN_ILL_STRIPE = ["server_error", "rate_limit", "lost_response", "lost_request"]


def checkout(price_id: str, customer_id: str, **other: object) -> Checkout:
    now = datetime.now(UTC)
    offer = Checkout(
        id=new_id(),
        account_uid="user-1",
        state=State.OPEN,
        price_id=price_id,
        credits=Credits.of(50),
        units=50,
        price=Money(500, "usd"),
        livemode=False,
        customer_id=customer_id,
        return_url="https://example.com/settings?tab=credits#top",
        automatic_tax=False,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return replace(offer, **other)


def buyer(**other: str | None) -> NewCustomer:
    return NewCustomer(
        **{  # type: ignore[arg-type]  # a test names real fields
            "account_uid": "user-1",
            "handle": "Ada",
            "email": "ada@example.com",
            "idempotency_key": f"key-{new_id()}",
            **other,
        }
    )


@pytest.fixture
async def customer(gateway: Gateway) -> str:
    return await gateway.create_customer(buyer())


@pytest.fixture
async def nobody() -> AsyncIterator[Gateway]:
    """A gateway to a port where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        made = Gateway("sk_test_x", "prod_x", f"http://127.0.0.1:{held.getsockname()[1]}")
        yield made
        await made.close()


async def test_every_page_of_the_prices_is_read(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    made = {stripe_account.package(credits=n, amount=100 + n) for n in range(1, 104)}
    found = await gateway.prices()
    assert {price.id for price in found} == made
    assert len(found) == 103


async def test_prices_that_are_archived_recurring_or_of_another_product_are_not_listed(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    sold = stripe_account.package()
    stripe_account.package(active="false")
    no_division = {"transform_quantity[divide_by]": None, "transform_quantity[round]": None}
    monthly: Json = {"recurring[interval]": "month", **no_division}
    stripe_account.package(**monthly)
    other = stripe_account.ask("POST", "/v1/products", name="Hats")["id"]
    stripe_account.package(product=other)
    assert [price.id for price in await gateway.prices()] == [sold]


async def test_a_price_says_what_it_sells(gateway: Gateway, stripe_account: LocalStripe) -> None:
    name = stripe_account.package(credits=50, amount=500, tax_behavior="exclusive")
    found = await gateway.price(name)
    assert package_of(found, gateway.product_id) == Package(
        price_id=name,
        description="50 credits",
        price=Money(500, "usd"),
        credits=Credits.of(50),
        units=50,
        tax_behavior="exclusive",
    )


async def test_an_archived_price_is_found_and_not_sold(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    found = await gateway.price(stripe_account.package(active="false"))
    assert isinstance(package_of(found, gateway.product_id), NotSold)


async def test_a_fraction_of_a_cent_is_no_amount_that_can_be_sold(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    name = stripe_account.package(unit_amount=None, unit_amount_decimal="12.5")
    found = await gateway.price(name)
    assert found.unit_amount is None
    assert isinstance(package_of(found, gateway.product_id), NotSold)


async def test_yen_have_no_minor_unit(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    name = stripe_account.package(credits=100, amount=1500, currency="jpy")
    found = package_of(await gateway.price(name), gateway.product_id)
    assert isinstance(found, Package)
    assert found.price == Money(1500, "jpy")
    offer = checkout(name, customer, units=100, credits=Credits.of(100), price=found.price)
    opened = await gateway.open_session(offer, DEPLOYMENT)
    assert (opened.amount_subtotal, opened.currency) == (1500, "jpy")


@pytest.mark.parametrize("name", ["price_none", "..", ".", "a/b", "x?y=1", "ü", "a b", "price\0"])
async def test_a_price_that_stripe_does_not_know_is_unknown(gateway: Gateway, name: str) -> None:
    with pytest.raises(UnknownPackage):
        await gateway.price(name)


async def test_ten_requests_at_once_make_one_customer(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    before, wanted = stripe_account.count("customer"), buyer()
    made = await asyncio.gather(*(gateway.create_customer(wanted) for _ in range(10)))
    assert len(set(made)) == 1
    assert stripe_account.count("customer") == before + 1


async def test_a_customer_carries_the_account_and_who_it_is(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    made = stripe_account.ask("GET", f"/v1/customers/{await gateway.create_customer(buyer())}")
    assert made["metadata"] == {"prepaid_account": "user-1"}
    assert (made["name"], made["email"]) == ("Ada", "ada@example.com")


async def test_a_customer_needs_no_email(gateway: Gateway, stripe_account: LocalStripe) -> None:
    unknown = buyer(email=None)
    made = stripe_account.ask("GET", f"/v1/customers/{await gateway.create_customer(unknown)}")
    assert made["email"] is None


async def test_a_deleted_customer_is_told_apart(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    stripe_account.ask("DELETE", f"/v1/customers/{customer}")
    with pytest.raises(CustomerGone):
        await gateway.open_session(checkout(stripe_account.package(), customer), DEPLOYMENT)


async def test_the_same_checkout_opens_the_same_session(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    offer = checkout(stripe_account.package(), customer)
    opened = [await gateway.open_session(offer, DEPLOYMENT) for _ in range(2)]
    assert opened[0] == opened[1]
    assert str(opened[0].client_secret).startswith(f"{opened[0].id}_secret_")
    assert await gateway.session(opened[0].id) == opened[0]


async def test_a_checkout_that_has_changed_is_told_apart(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    offer = checkout(stripe_account.package(), customer)
    await gateway.open_session(offer, DEPLOYMENT)
    with pytest.raises(RequestChanged):
        await gateway.open_session(replace(offer, automatic_tax=True), DEPLOYMENT)


async def test_a_session_that_stripe_does_not_know_is_unknown(gateway: Gateway) -> None:
    with pytest.raises(UnknownCheckout):
        await gateway.session("cs_test_none")


async def test_what_stripe_refuses_for_another_reason_is_the_operators(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    offer = checkout(stripe_account.package(), customer)
    late = replace(offer, expires_at=offer.created_at + timedelta(days=3))
    with pytest.raises(StripeRefused):
        await gateway.open_session(late, DEPLOYMENT)


async def test_a_session_asks_for_what_was_offered_and_nothing_else(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    offer = checkout(stripe_account.package(), customer)
    opened = await gateway.open_session(offer, DEPLOYMENT)
    asked = {"expand[0]": "line_items"}
    told = stripe_account.ask("GET", f"/v1/checkout/sessions/{opened.id}", **asked)
    (line,) = told["line_items"]["data"]
    assert (line["quantity"], line["amount_total"]) == (50, 500)
    assert told["customer"] == customer
    assert told["client_reference_id"] == "user-1"
    assert told["ui_mode"] == "embedded_page"
    assert told["expires_at"] == int(offer.expires_at.timestamp())
    assert told["return_url"] == (
        "https://example.com/settings?tab=credits&session_id={CHECKOUT_SESSION_ID}#top"
    )
    assert not told["automatic_tax"]["enabled"]
    assert not told["allow_promotion_codes"]


async def test_automatic_tax_lets_the_page_write_the_buyers_address(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    priced = stripe_account.package(tax_behavior="exclusive")
    offer = checkout(priced, customer, automatic_tax=True)
    params = session_params(offer, DEPLOYMENT)
    assert params["automatic_tax"] == {"enabled": True}
    assert params["customer_update"] == {"address": "auto", "name": "auto"}
    opened = await gateway.open_session(offer, DEPLOYMENT)
    stripe_account.pay(opened.id)
    paid = await gateway.session(opened.id)
    assert paid.amount_subtotal == 500
    assert int(paid.amount_total or 0) >= 500


async def test_a_buyer_pays_in_the_currency_that_was_shown(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    """Unless it is told, Stripe takes the buyer's own where the price has an option for it."""
    price = stripe_account.package(**{"currency_options[eur][unit_amount]": 450})
    offer = checkout(price, customer)
    assert session_params(offer, DEPLOYMENT)["currency"] == offer.price.currency == "usd"
    opened = await gateway.open_session(offer, DEPLOYMENT)
    assert (opened.currency, opened.amount_subtotal) == ("usd", 500)


@pytest.mark.parametrize("automatic_tax", [False, True])
def test_what_a_session_is_made_of_keeps_the_contract_of_the_sdk(*, automatic_tax: bool) -> None:
    params = session_params(checkout("price_1", "cus_1", automatic_tax=automatic_tax), DEPLOYMENT)
    contract = stripe.params.checkout.SessionCreateParams
    check_params(contract, params)
    with pytest.raises(Breach):
        check_params(contract, {**params, "ui_mode": "embedded"})


async def test_a_stripe_that_nobody_reaches_is_unavailable(nobody: Gateway) -> None:
    with pytest.raises(StripeUnavailable, match="try again"):
        await nobody.prices()


@pytest.mark.parametrize("answer", ANSWERS_OF_AN_ILL_STRIPE)
async def test_a_stripe_that_stays_ill_is_unavailable(
    gateway: Gateway, stripe_account: LocalStripe, answer: str
) -> None:
    stripe_account.fault(answer, count=3)
    with pytest.raises(StripeUnavailable, match="does not answer"):
        await gateway.prices()


@pytest.mark.parametrize("answer", ["server_error", "lost_response", "lock_timeout"])
async def test_a_stripe_that_is_ill_once_makes_one_customer(
    gateway: Gateway, stripe_account: LocalStripe, answer: str
) -> None:
    before = stripe_account.count("customer")
    stripe_account.fault(answer, method="POST", path="/v1/customers")
    await gateway.create_customer(buyer())
    assert stripe_account.count("customer") == before + 1


async def test_a_session_whose_answer_was_lost_is_the_one_that_is_given(
    gateway: Gateway, stripe_account: LocalStripe, customer: str
) -> None:
    offer, before = checkout(stripe_account.package(), customer), stripe_account.count(SESSION)
    stripe_account.fault("lost_response", method="POST", path="/v1/checkout/sessions")
    opened = await gateway.open_session(offer, DEPLOYMENT)
    assert stripe_account.count(SESSION) == before + 1
    assert await gateway.session(opened.id) == opened


async def test_a_key_that_stripe_does_not_take_is_the_operators(
    stripe_account: LocalStripe,
) -> None:
    wrong = Gateway("sk_test_wrong", stripe_account.product, stripe_account.url)
    with pytest.raises(StripeUnavailable, match="API key; the operator has to look") as refusal:
        await wrong.prices()
    await wrong.close()
    assert "sk_test_wrong" not in str(refusal.value)


@pytest.mark.parametrize(
    ("key", "live"), [("sk_test_1", False), ("rk_test_1", False), ("sk_live_1", True)]
)
async def test_the_key_says_whether_money_is_real(key: str, *, live: bool) -> None:
    made = Gateway(key, "prod_1")
    assert made.livemode is live
    await made.close()


_PART = st.text(alphabet="abcXYZ019-_.~!$'()*+,;:@/%=", max_size=20)
_PATH = _PART.filter(lambda path: not path.startswith("/"))  # else it is a host


@given(path=_PATH, query=_PART, fragment=_PART)
def test_a_return_url_keeps_its_path_query_and_fragment(
    path: str, query: str, fragment: str
) -> None:
    url = f"https://example.com/{path}"
    url += f"?{query}" if query else ""
    url += f"#{fragment}" if fragment else ""
    before, after = urlsplit(url), urlsplit(with_session_id(url))
    assert after._replace(query="") == before._replace(query="")
    assert after.query.removesuffix("session_id={CHECKOUT_SESSION_ID}").rstrip("&") == (
        before.query.rstrip("&")
    )
    assert after.query.startswith(before.query)
    assert after.query.endswith("session_id={CHECKOUT_SESSION_ID}")


@given(path=_PATH, query=_PART)
def test_a_return_url_that_has_the_placeholder_is_left_alone(path: str, query: str) -> None:
    url = f"https://example.com/{path}?{query}&sid={{CHECKOUT_SESSION_ID}}"
    assert with_session_id(url) == url


SESSION = "checkout.session"


async def test_a_payment_has_its_receipt_once_it_succeeded(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    unpaid = stripe_account.ask("POST", "/v1/payment_intents", amount=500, currency="usd")["id"]
    assert await gateway.receipt_url(unpaid) is None
    paid = stripe_account.ask(
        "POST", f"/v1/payment_intents/{unpaid}/confirm", payment_method="pm_card_visa"
    )
    charge = stripe_account.ask("GET", f"/v1/charges/{paid['latest_charge']}")
    assert await gateway.receipt_url(unpaid) == charge["receipt_url"]


async def test_a_payment_that_stripe_does_not_know_has_no_receipt(gateway: Gateway) -> None:
    with pytest.raises(UnknownReceipt, match="does not know this payment"):
        await gateway.receipt_url("pi_of_nobody")


async def test_a_key_that_may_not_read_receipts_is_the_operators(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    stripe_account.fault("server_error", status=403)
    with pytest.raises(UnknownReceipt, match="Ask the operator"):
        await gateway.receipt_url("pi_1")


@pytest.mark.parametrize("answer", ["server_error", "rate_limit", "lost_request"])
async def test_a_stripe_that_is_away_shows_no_receipt(
    gateway: Gateway, stripe_account: LocalStripe, answer: str
) -> None:
    stripe_account.fault(answer, count=10)
    with pytest.raises(StripeUnavailable, match="try again"):
        await gateway.receipt_url("pi_1")


async def test_what_stripe_does_not_take_for_a_payment_is_refused(
    gateway: Gateway, stripe_account: LocalStripe
) -> None:
    stripe_account.fault("server_error", status=400, count=10)
    with pytest.raises(StripeRefused):
        await gateway.receipt_url("pi_1")
