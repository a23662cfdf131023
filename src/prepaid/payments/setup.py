"""The set-up at Stripe: the product, its prices and the webhook endpoints, read and made.

All of it is an operator's; the running service needs the right to read prices and nothing else
of this.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeVar

import stripe

from prepaid.core.amounts import Money
from prepaid.core.pricing import Price, TaxBehavior
from prepaid.payments import events
from prepaid.payments.gateway import Gateway, price_of

API_VERSION = stripe.api_version
"""The version that the SDK speaks; an endpoint's events should have the same form."""

MARK = {"prepaid": "credits"}
"""The metadata by which a product that was made here is found again."""

T = TypeVar("T", bound=stripe.StripeObject)


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold."""

    id: str
    name: str
    active: bool
    livemode: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Stripe sends events. `secret` is told once, to who made it; None ever after."""

    id: str
    url: str
    enabled: bool
    events: frozenset[str]
    api_version: str | None
    secret: str | None

    def hears(self, type_: str) -> bool:
        """Whether events of a type are sent there."""
        return bool(self.events & {type_, "*"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A package that an operator wants to sell: so many whole credits for so much money."""

    credits: int
    price: Money
    tax_behavior: TaxBehavior


async def product(gateway: Gateway, product_id: str) -> Product | None:
    """The product with an id; None if there is none, or no longer."""
    async with gateway.asking() as v1:
        try:
            found = await v1.products.retrieve_async(product_id)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            return None
    return None if "deleted" in found else _product(found)


async def marked_product(gateway: Gateway) -> Product | None:
    """The product that was made here before: the oldest, should there be several."""
    marked = None
    async with gateway.asking() as v1:
        page = await v1.products.list_async({"active": True, "limit": 100})
        async for found in _all(page):
            if MARK.items() <= found.metadata.to_dict().items():
                marked = found
    return _product(marked) if marked else None


async def make_product(gateway: Gateway, name: str) -> Product:
    """A new product, marked as ours."""
    async with gateway.asking() as v1:
        made = await v1.products.create_async({"name": name, "metadata": MARK})
    return _product(made)


async def prices(gateway: Gateway, product_id: str) -> list[Price]:
    """All active prices of a product, also those that are no packages."""
    async with gateway.asking() as v1:
        page = await v1.prices.list_async({"product": product_id, "active": True, "limit": 100})
        return [price_of(price) async for price in _all(page)]


async def make_price(gateway: Gateway, product_id: str, offer: Offer) -> str:
    """The id of a new price that sells a package. An archived one gives up its lookup key."""
    amount = f"{offer.price.minor}{offer.price.currency}"
    async with gateway.asking() as v1:
        made = await v1.prices.create_async(
            {
                "product": product_id,
                "currency": offer.price.currency,
                "unit_amount": offer.price.minor,
                "nickname": f"{offer.credits} credits",
                "transform_quantity": {"divide_by": offer.credits, "round": "up"},
                "tax_behavior": offer.tax_behavior,
                "lookup_key": f"{product_id}_{offer.credits}_for_{amount}",
                "transfer_lookup_key": True,
            }
        )
    return made.id


async def endpoints(gateway: Gateway) -> list[Endpoint]:
    """All webhook endpoints of the account."""
    async with gateway.asking() as v1:
        page = await v1.webhook_endpoints.list_async({"limit": 100})
        return [_endpoint(one) async for one in _all(page)]


async def make_endpoint(gateway: Gateway, url: str) -> Endpoint:
    """A new webhook endpoint for the events that prepaid needs, with its secret."""
    params = {"url": url, "enabled_events": [*events.TYPES], "api_version": API_VERSION}
    async with gateway.asking() as v1:
        made = await v1.webhook_endpoints.create_async(
            params  # type: ignore[arg-type]  # plain text, which the SDK lists value by value
        )
    return _endpoint(made)


async def move_endpoint(gateway: Gateway, endpoint: Endpoint, url: str) -> None:
    """Sends an endpoint's events elsewhere from now on, those that are still due too."""
    async with gateway.asking() as v1:
        await v1.webhook_endpoints.update_async(endpoint.id, {"url": url})


async def _all(page: stripe.ListObject[T]) -> AsyncIterator[T]:
    async for one in page.auto_paging_iter():
        yield one


def _product(found: stripe.Product) -> Product:
    return Product(found.id, found.name, found.active, found.livemode)


def _endpoint(found: stripe.WebhookEndpoint) -> Endpoint:
    return Endpoint(
        id=found.id,
        url=found.url,
        enabled=found.status == "enabled",
        events=frozenset(found.enabled_events),
        api_version=found.api_version,
        secret=found.secret if "secret" in found else None,
    )
