from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from local_stripe import LocalStripe, local_stripe
from prepaid.core.amounts import Money
from prepaid.core.errors import StripeRefused, Unknown
from prepaid.core.pricing import Package, package_of
from prepaid.flows.setup import SetUp, Wanted, set_up
from prepaid.payments import events, setup
from prepaid.payments.gateway import Gateway
from prepaid.payments.setup import Offer

URL = "https://credits.example.com/api/iam/stripe/v1/webhook"
FIFTY = Offer(50, Money(500, "usd"), "unspecified")
HUNDRED = Offer(100, Money(900, "usd"), "exclusive")
WANTED = Wanted("", "Compute credits", [FIFTY, HUNDRED], URL)


@pytest.fixture
def stripe() -> Iterator[LocalStripe]:
    with local_stripe() as running:
        yield running


@pytest.fixture
async def gateway(stripe: LocalStripe) -> AsyncIterator[Gateway]:
    opened = Gateway(stripe.config.api_key, "", stripe.url)
    yield opened
    await opened.close()


async def test_what_is_missing_is_made_and_can_be_sold(gateway: Gateway) -> None:
    done = await set_up(gateway, WANTED)
    assert told(done) == [
        ("product 'Compute credits'", True, ""),
        ("package of 50 credits for 5.00 usd", True, ""),
        ("package of 100 credits for 9.00 usd", True, ""),
        (f"endpoint {URL}", True, ""),
    ]
    assert (done.webhook_secret or "").startswith("whsec_")
    sold = [
        package_of(one, done.product_id) for one in await setup.prices(gateway, done.product_id)
    ]
    assert {(one.units, one.price.minor) for one in sold if isinstance(one, Package)} == {
        (50, 500),
        (100, 900),
    }
    (endpoint,) = await setup.endpoints(gateway)
    assert endpoint.events == frozenset(events.TYPES)
    assert endpoint.api_version == setup.API_VERSION


async def test_without_an_address_no_endpoint_is_made(
    stripe: LocalStripe, gateway: Gateway
) -> None:
    done = await set_up(gateway, replace(WANTED, webhook_url=None))
    assert [what for what, _, _ in told(done)] == [
        "product 'Compute credits'",
        "package of 50 credits for 5.00 usd",
        "package of 100 credits for 9.00 usd",
    ]
    assert done.webhook_secret is None
    assert stripe.count("webhook_endpoint") == 0


async def test_a_second_time_everything_is_found_and_nothing_made(
    stripe: LocalStripe, gateway: Gateway
) -> None:
    first = await set_up(gateway, WANTED)
    before = [stripe.count(kind) for kind in ("product", "price", "webhook_endpoint")]
    second = await set_up(gateway, WANTED)
    assert [stripe.count(kind) for kind in ("product", "price", "webhook_endpoint")] == before
    assert [one.id for one in second.things] == [one.id for one in first.things]
    assert not any(one.made for one in second.things)
    assert second.webhook_secret is None


async def test_a_product_that_is_named_is_used(stripe: LocalStripe, gateway: Gateway) -> None:
    done = await set_up(gateway, replace(WANTED, product_id=stripe.product))
    assert done.product_id == stripe.product


async def test_an_archived_product_is_found_and_noted(
    stripe: LocalStripe, gateway: Gateway
) -> None:
    stripe.ask("POST", f"/v1/products/{stripe.product}", active="false")
    done = await set_up(gateway, replace(WANTED, product_id=stripe.product, offers=[]))
    assert done.things[0].note.startswith("it is archived")


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_product_that_does_not_exist_is_refused(
    stripe: LocalStripe, gateway: Gateway, *, deleted: bool
) -> None:
    gone = "prod_gone"
    if deleted:
        gone = stripe.product
        stripe.ask("DELETE", f"/v1/products/{gone}")
    with pytest.raises(Unknown, match=gone):
        await set_up(gateway, replace(WANTED, product_id=gone))


async def test_what_stripe_refuses_is_refused(gateway: Gateway) -> None:
    with pytest.raises(StripeRefused, match="Invalid URL"):
        await set_up(gateway, replace(WANTED, webhook_url="credits.example.com"))


async def test_a_package_with_other_taxes_is_left_and_noted(gateway: Gateway) -> None:
    await set_up(gateway, WANTED)
    done = await set_up(gateway, replace(WANTED, offers=[replace(FIFTY, tax_behavior="inclusive")]))
    assert not done.things[1].made
    assert done.things[1].note.startswith("its tax behavior is unspecified, not inclusive")


async def test_a_package_that_gets_a_rival_is_noted(gateway: Gateway) -> None:
    first = await set_up(gateway, WANTED)
    cheaper = replace(FIFTY, price=Money(400, "usd"))
    elsewhere = replace(FIFTY, price=Money(400, "eur"))
    done = await set_up(gateway, replace(WANTED, offers=[cheaper, elsewhere]))
    assert done.things[1].note == (
        f"as many credits are on sale as {first.things[1].id} for 5.00 usd: archive what is "
        "superseded"
    )
    assert (done.things[2].made, done.things[2].note) == (True, "")


async def test_a_package_that_was_archived_is_made_again(
    stripe: LocalStripe, gateway: Gateway
) -> None:
    first = await set_up(gateway, WANTED)
    stripe.ask("POST", f"/v1/prices/{first.things[1].id}", active="false")
    second = await set_up(gateway, WANTED)
    assert (second.things[1].made, second.things[2].made) == (True, False)


async def test_an_endpoint_that_lacks_something_is_left_and_noted(
    stripe: LocalStripe, gateway: Gateway
) -> None:
    other = {"enabled_events[0]": "checkout.session.completed"}
    made = stripe.ask("POST", "/v1/webhook_endpoints", url=URL, **other)
    stripe.ask("POST", "/v1/webhook_endpoints", url="https://other.example.com", **other)
    stripe.ask("POST", f"/v1/webhook_endpoints/{made['id']}", disabled="true")
    done = await set_up(gateway, replace(WANTED, offers=[]))
    assert done.things[-1].note.startswith(
        "it is disabled: enable it; it doesn't send checkout.session.async_payment_succeeded, "
    )


def told(done: SetUp) -> list[tuple[str, bool, str]]:
    return [(one.what, one.made, one.note) for one in done.things]
