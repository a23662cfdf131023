"""Opening a checkout with the real SDK: once, at the price of now, and again only when needed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_stripe import LocalStripe, local_stripe
from prepaid.core.amounts import Credits, Money
from prepaid.core.commands import Told
from prepaid.core.errors import (
    InvalidReturnUrl,
    PackageNotSold,
    StripeUnavailable,
    TooMany,
    UnknownCheckout,
    UnknownPackage,
)
from prepaid.flows import accounts, fulfilment
from prepaid.flows.catalog import Catalog
from prepaid.flows.checkout import (
    LIFETIME,
    MOST_OPEN,
    Opened,
    check_return_url,
    open_checkout,
    state_of,
)
from prepaid.flows.customers import Buyer
from prepaid.flows.shop import Shop
from prepaid.ids import new_id
from prepaid.payments.events import Ignored
from prepaid.payments.gateway import Gateway, NewCustomer
from prepaid.storage import deployments
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from signed import SECRET, signed

BACK = "https://app.example.com/credits"


@pytest.fixture(scope="module")
def stripe_account() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@dataclass
class Store:
    """A shop with a real Stripe behind it, and a buyer's hands."""

    shop: Shop
    stripe: LocalStripe
    at: datetime

    uid: str

    async def open(self, price_id: str, uid: str = "", back: str = BACK) -> Opened:
        buyer = Buyer(uid or self.uid, "Ada", "ada@example.com")
        return await open_checkout(self.shop, buyer, price_id, back, self.at)

    async def state(self, opened: Opened) -> str:
        return (await state_of(self.shop, self.uid, str(opened.checkout.id), self.at))[1]

    async def hear(self, event: dict[str, object]) -> Told | Ignored:
        delivery = signed(json.dumps(event).encode(), self.at)
        async with Ledger(self.shop.database, lambda: self.at).open() as ledger:
            return await fulfilment.take(
                self.shop, ledger, delivery, fulfilment.read(delivery, [SECRET], self.at)
            )

    def session(self, opened: Opened) -> dict[str, object]:
        return self.stripe.ask("GET", f"/v1/checkout/sessions/{opened.checkout.session_id}")


@pytest.fixture
async def store(database_url: str, stripe_account: LocalStripe) -> AsyncIterator[Store]:
    database = Database(database_url)
    gateway = Gateway(stripe_account.config.api_key, stripe_account.product, stripe_account.url)
    async with database.reading() as connection:
        deployment = await deployments.own(connection)
    uid = f"ada-{new_id()}"  # the databases are copies of one, and so is their deployment
    await accounts.create(database, uid, datetime.now(UTC))
    origins = frozenset({"https://app.example.com"})
    shop = Shop(database, gateway, Catalog(gateway), deployment, origins, automatic_tax=False)
    yield Store(shop, stripe_account, datetime.now(UTC), uid)
    stripe_account.well()
    await gateway.close()
    await database.close()


def thin(session_id: str) -> dict[str, object]:
    return {
        "id": "evt_thin",
        "object": "v2.core.event",
        "type": "v1.checkout.session.completed",
        "created": "2026-11-23T00:00:00Z",
        "livemode": False,
        "related_object": {
            "id": session_id,
            "type": "checkout.session",
            "url": f"/v1/checkout/sessions/{session_id}",
        },
        "snapshot_event": f"evt_of_{session_id}",
    }


@pytest.fixture(scope="module")
def fifty(stripe_account: LocalStripe) -> str:
    return stripe_account.package(50, 500)


async def test_a_checkout_is_what_was_offered(store: Store, fifty: str) -> None:
    opened = await store.open(fifty)
    session = store.session(opened)
    assert opened.client_secret == session["client_secret"]
    assert (session["amount_total"], session["currency"]) == (500, "usd")
    assert session["ui_mode"] == "embedded_page"
    assert session["client_reference_id"] == store.uid
    assert session["return_url"] == f"{BACK}?session_id={{CHECKOUT_SESSION_ID}}"
    assert opened.checkout.credits == Credits.of(50)
    assert opened.checkout.price == Money(500, "usd")


async def test_asked_again_it_is_the_same_checkout(store: Store, fifty: str) -> None:
    first, second = await store.open(fifty), await store.open(fifty)
    assert first.checkout.id == second.checkout.id
    assert first.client_secret == second.client_secret


async def test_ten_at_once_open_one_checkout_for_one_customer(store: Store, fifty: str) -> None:
    before = store.stripe.count("customer")
    opened = await asyncio.gather(*(store.open(fifty) for _ in range(10)))
    assert len({one.checkout.session_id for one in opened}) == 1
    assert store.stripe.count("customer") == before + 1


async def test_what_differs_is_another_checkout(
    store: Store, fifty: str, stripe_account: LocalStripe
) -> None:
    bob = f"bob-{new_id()}"
    await accounts.create(store.shop.database, bob, store.at)
    opened = [
        await store.open(fifty),
        await store.open(stripe_account.package(120, 1_000)),
        await store.open(fifty, back=f"{BACK}/other"),
        await store.open(fifty, uid=bob),
    ]
    assert len({one.checkout.session_id for one in opened}) == 4
    assert len({one.checkout.customer_id for one in opened}) == 2


async def test_an_account_has_so_many_open_checkouts_and_no_more(store: Store, fifty: str) -> None:
    for number in range(MOST_OPEN):
        await store.open(fifty, back=f"{BACK}/{number}")
    with pytest.raises(TooMany, match="wait an hour"):
        await store.open(fifty, back=f"{BACK}/more")
    assert (await store.open(fifty, back=f"{BACK}/0")).client_secret
    store.at += LIFETIME
    assert (await store.open(fifty, back=f"{BACK}/more")).client_secret


async def test_a_paid_checkout_is_not_offered_again(store: Store, fifty: str) -> None:
    first = await store.open(fifty)
    store.stripe.pay(str(first.checkout.session_id))
    assert await store.state(first) == "paid"
    second = await store.open(fifty)
    assert second.checkout.id != first.checkout.id
    assert await store.state(first) == "paid"


async def test_a_checkout_that_runs_out_is_not_offered_again(store: Store, fifty: str) -> None:
    first = await store.open(fifty)
    store.at += LIFETIME - timedelta(minutes=30)
    assert (await store.open(fifty)).checkout.id != first.checkout.id


async def test_a_lost_answer_is_asked_for_again_and_nothing_is_made_twice(
    store: Store, fifty: str
) -> None:
    sessions, customers = store.stripe.count("checkout.session"), store.stripe.count("customer")
    store.stripe.fault("lost_response", method="POST", path="/v1/customers", count=1)
    store.stripe.fault("lost_response", method="POST", path="/v1/checkout/sessions", count=3)
    with pytest.raises(StripeUnavailable):
        await store.open(fifty)
    await store.open(fifty)
    assert store.stripe.count("checkout.session") == sessions + 1
    assert store.stripe.count("customer") == customers + 1


async def test_a_customer_that_was_deleted_at_stripe_is_made_anew(store: Store, fifty: str) -> None:
    first = await store.open(fifty)
    store.stripe.ask("DELETE", f"/v1/customers/{first.checkout.customer_id}")
    opened = await asyncio.gather(
        *(store.open(fifty, back=f"{BACK}/{number}") for number in range(3))
    )
    (again,) = {one.checkout.customer_id for one in opened}
    assert again != first.checkout.customer_id


async def test_settings_that_changed_meanwhile_make_a_new_offer(store: Store, fifty: str) -> None:
    """The answer was lost, tax was switched on: Stripe refuses the old key with other content."""
    store.stripe.fault("lost_response", method="POST", path="/v1/checkout/sessions", count=3)
    with pytest.raises(StripeUnavailable):
        await store.open(fifty)
    async with store.shop.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE checkouts SET automatic_tax = (1=1)")
    store.shop = replace(store.shop, automatic_tax=True)
    session = store.session(await store.open(fifty))
    tax = session["automatic_tax"]
    assert isinstance(tax, dict)
    assert tax["enabled"] is True


async def test_customers_that_keep_vanishing_end_in_a_refusal(store: Store, fifty: str) -> None:
    for generation in range(1, 4):
        key = f"prepaid-customer-{store.shop.deployment}-{store.uid}-{generation}"
        new = NewCustomer(store.uid, "Ada", "ada@example.com", key)
        made = await store.shop.gateway.create_customer(new)
        store.stripe.ask("DELETE", f"/v1/customers/{made}")
    with pytest.raises(StripeUnavailable, match="opened no checkout"):
        await store.open(fifty)
    assert (await store.open(fifty)).client_secret


async def test_only_packages_of_the_product_can_be_bought(
    store: Store, stripe_account: LocalStripe
) -> None:
    with pytest.raises(UnknownPackage):
        await store.open("price_nobody_knows")
    other = stripe_account.ask("POST", "/v1/products", name="Hats")["id"]
    hat = stripe_account.package(product=other)
    with pytest.raises(PackageNotSold, match="another product"):
        await store.open(hat)


async def test_a_price_that_was_just_archived_is_not_sold_though_still_listed(
    store: Store, stripe_account: LocalStripe
) -> None:
    price = stripe_account.package(70, 700)
    assert price in [one.price_id for one in await store.shop.catalog.packages()]
    stripe_account.ask("POST", f"/v1/prices/{price}", active="false")
    assert price in [one.price_id for one in await store.shop.catalog.packages()]
    with pytest.raises(PackageNotSold, match="archived"):
        await store.open(price)


async def test_prices_that_cant_be_sold_are_left_out_and_the_rest_sorted(
    store: Store, stripe_account: LocalStripe
) -> None:
    alone: dict[str, Any] = {
        "transform_quantity[divide_by]": None,
        "transform_quantity[round]": None,
    }
    plain = stripe_account.package(**alone)
    stripe_account.package(10, 100)
    sold = await store.shop.catalog.packages()
    assert plain not in [one.price_id for one in sold]
    amounts = [one.price.minor for one in sold]
    assert amounts == sorted(amounts)


ORIGINS = frozenset({"https://app.example.com", "http://127.0.0.1:9700"})


@pytest.mark.parametrize(
    "back",
    [
        "https://app.example.com",
        "https://app.example.com/a/b?c=d#e",
        "HTTPS://APP.example.com/",
        "http://127.0.0.1:9700/app/settings",
        "https://app.example.com/{CHECKOUT_SESSION_ID}",
    ],
)
def test_a_buyer_is_sent_back_to_an_allowed_origin(back: str) -> None:
    check_return_url(back, ORIGINS)


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example.com/",
        "https://app.example.com.evil.example.com/",
        "https://app.example.com@evil.example.com/",
        "https://evil.example.com\\@app.example.com/",
        "//app.example.com/",
        "http://app.example.com/",
        "https://app.example.com:8443/",
        "http://127.0.0.1:9701/",
        "javascript:alert(1)",
        "https://[::1/",
        "https://app.example.com/ x",
        "https://app.example.com/\n",
        "https://app.example.com/é",
        "https://app.example.com/" + "x" * 2_000,
        "/app",
        "",
    ],
)
def test_a_buyer_is_sent_back_nowhere_else(back: str) -> None:
    with pytest.raises(InvalidReturnUrl):
        check_return_url(back, ORIGINS)


async def test_a_thin_event_is_looked_up_and_credited(store: Store, fifty: str) -> None:
    opened = await store.open(fifty)
    store.stripe.pay(str(opened.checkout.session_id))
    told = await store.hear(thin(str(opened.checkout.session_id)))
    assert isinstance(told, Told)
    assert told.entry is not None
    assert told.entry.credits == Credits.of(50)
    assert await store.state(opened) == "credited"


async def test_a_thin_event_is_not_taken_before_its_session_says_the_same(
    store: Store, fifty: str
) -> None:
    session = str((await store.open(fifty)).checkout.session_id)
    paid = thin(session) | {"type": "v1.checkout.session.async_payment_succeeded"}
    with pytest.raises(StripeUnavailable, match="its session doesn't yet"):
        await store.hear(paid)
    store.stripe.pay(session)
    told = await store.hear(paid)
    assert isinstance(told, Told)
    assert told.entry is not None


async def test_a_thin_event_about_nothing_that_stripe_knows_is_ignored(store: Store) -> None:
    assert isinstance(await store.hear(thin("cs_test_none")), Ignored)


async def test_where_a_checkout_stands_on_its_way(store: Store, fifty: str) -> None:
    opened = await store.open(fifty)
    assert await store.state(opened) == "open"
    store.stripe.pay(str(opened.checkout.session_id), "delayed_succeeds")
    assert await store.state(opened) in {"processing", "paid"}


async def test_an_expired_session_is_said_to_be(store: Store, fifty: str) -> None:
    opened = await store.open(fifty)
    store.stripe.ask("POST", f"/v1/checkout/sessions/{opened.checkout.session_id}/expire")
    assert await store.state(opened) == "expired"


async def test_an_offer_whose_session_was_never_made_expires_by_itself(
    store: Store, fifty: str
) -> None:
    opened = await store.open(fifty)
    async with store.shop.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE checkouts SET session_id = NULL")
    assert await store.state(opened) == "open"
    store.at += LIFETIME + timedelta(seconds=1)
    assert await store.state(opened) == "expired"


async def test_nobody_sees_anothers_checkout(store: Store, fifty: str) -> None:
    opened = await store.open(fifty)
    for name in (str(opened.checkout.id), str(opened.checkout.session_id), "cs_test_none"):
        with pytest.raises(UnknownCheckout):
            await state_of(store.shop, "bob", name, store.at)
