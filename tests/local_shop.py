"""A shop for tests: the service with its page, before a local Stripe that tells it everything."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local_service import ISSUER, JWT_SECRET, WEBHOOK, House, key, token
from local_stripe import WEBHOOK_SECRET, LocalStripe, in_thread
from prepaid.cli import servers
from prepaid.clock import Clock
from prepaid.core.identity import Scope
from prepaid.settings import read_settings
from prepaid.web.app import create_app

PACKAGES = {50: 500, 120: 1_000, 650: 5_000}
"""Credits, and what they cost in cents: what the demo sells."""

DEBIT_SECONDS = 20
"""How long a bank takes to decide of a debit, in tests of the page."""

DEMO_USER = "demo-user"


@contextmanager
def local_shop(
    database_url: str,
    stripe: LocalStripe,
    clock: Clock | None = None,
    *,
    demo: bool = True,
    **chosen: str,
) -> Iterator[House]:
    """The service, where its page and Stripe's webhook find it, until the block ends.

    As in the demo, its door opens to anybody, unless `demo` is false.
    """
    listening = servers.listen("127.0.0.1", 0)
    url = servers.address_of(listening)
    usual = {
        "DATALAYER_STRIPE_API_KEY": stripe.config.api_key,
        "DATALAYER_STRIPE_JS_API_KEY": stripe.config.publishable_key,
        "DATALAYER_STRIPE_PRODUCT_ID": stripe.product,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DATALAYER_JWT_ISSUER": ISSUER,
        "DATALAYER_JWT_SECRET": JWT_SECRET,
        "PREPAID_STRIPE_API_BASE": stripe.url,
        "PREPAID_DATABASE_URL": database_url,
        "PREPAID_PUBLIC_URL": url,
    }
    settings = read_settings(**(usual | chosen))
    operator = key(settings.database, Scope.ADMIN, name="operator").secret
    tokens = {"demo_token": token(DEMO_USER), "demo_operator_token": operator}
    app = create_app(settings, clock, **(tokens if demo else {}))

    async def serve(ready: Callable[[str], None]) -> None:
        async with servers.serving(app, listening):
            ready(url)
            await asyncio.Event().wait()  # until it is cancelled

    with in_thread(serve), told_by_stripe(stripe, url):
        house = House(url, settings.database, stripe, operator)
        yield house
        house.close()


@contextmanager
def told_by_stripe(stripe: LocalStripe, url: str) -> Iterator[None]:
    """Stripe delivers its events to the service there, until the block ends."""
    wanted = {"url": url + WEBHOOK, "enabled_events[0]": "*"}
    hook = stripe.ask("POST", "/v1/webhook_endpoints", **wanted)
    yield
    stripe.ask("DELETE", f"/v1/webhook_endpoints/{hook['id']}")


def stock(stripe: LocalStripe) -> dict[int, str]:
    """Puts the packages on sale; their prices' ids by their credits."""
    return {size: stripe.package(size, amount) for size, amount in PACKAGES.items()}
