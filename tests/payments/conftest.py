"""One simulated Stripe for the tests of a process, and the gateway that speaks to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from local_stripe import LocalStripe, local_stripe
from prepaid.payments.gateway import Gateway


@pytest.fixture(scope="session")
def running_stripe() -> Iterator[LocalStripe]:
    with local_stripe() as running:
        yield running


@pytest.fixture
def stripe_account(running_stripe: LocalStripe) -> Iterator[LocalStripe]:
    """The simulator with a product of the test's own; its faults end with the test."""
    shared = running_stripe.product
    running_stripe.product = running_stripe.ask("POST", "/v1/products", name="Credits")["id"]
    yield running_stripe
    running_stripe.product = shared
    running_stripe.well()


@pytest.fixture
async def gateway(stripe_account: LocalStripe) -> AsyncIterator[Gateway]:
    made = Gateway(stripe_account.config.api_key, stripe_account.product, stripe_account.url)
    yield made
    await made.close()
