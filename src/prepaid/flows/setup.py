"""Setting Stripe up: the product, its packages and the webhook endpoint come to be, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from prepaid.core.currencies import spoken
from prepaid.core.errors import Unknown
from prepaid.core.pricing import Package, package_of
from prepaid.payments import events, setup
from prepaid.payments.gateway import Gateway
from prepaid.payments.setup import Endpoint, Offer, Product


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there should be at Stripe. Without a `product_id` the product is the one that was made
    here before, and else a new one. Without a `webhook_url` no endpoint is looked for: Stripe can't
    reach every machine, and its command line forwards events to the others."""

    product_id: str
    product_name: str
    offers: Sequence[Offer]
    webhook_url: str | None


@dataclass(frozen=True, slots=True)
class Thing:
    """Something at Stripe that is wanted: made now, or found. The note says what an operator
    should know of it."""

    what: str
    id: str
    made: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What there is at Stripe now. The webhook's secret is None unless an endpoint was made now:
    Stripe tells it once."""

    product_id: str
    webhook_secret: str | None
    things: list[Thing]


async def set_up(gateway: Gateway, wanted: Wanted) -> SetUp:
    """Makes what is missing, and changes nothing that is there.

    Raises:
        Unknown: Stripe has no product with the id that is wanted.
        Unavailable: Stripe is away, or refused; what was made stays, and is found the next time.
    """
    product, sold = await _product(gateway, wanted)
    packages = await _packages(gateway, product)
    prices = [await _price(gateway, product, offer, packages) for offer in wanted.offers]
    if wanted.webhook_url is None:
        return SetUp(product.id, None, [sold, *prices])
    endpoint, heard = await _endpoint(gateway, wanted.webhook_url)
    return SetUp(product.id, endpoint.secret, [sold, *prices, heard])


async def _product(gateway: Gateway, wanted: Wanted) -> tuple[Product, Thing]:
    if wanted.product_id:
        found = await setup.product(gateway, wanted.product_id)
        if found is None:
            raise Unknown(f"Stripe has no product {wanted.product_id!r}.")
    else:
        found = await setup.marked_product(gateway)
    if found is None:
        made = await setup.make_product(gateway, wanted.product_name)
        return made, Thing(f"product {made.name!r}", made.id, made=True)
    note = "" if found.active else "it is archived: nothing can be bought until you activate it"
    return found, Thing(f"product {found.name!r}", found.id, made=False, note=note)


async def _packages(gateway: Gateway, product: Product) -> list[Package]:
    offers = [package_of(one, product.id) for one in await setup.prices(gateway, product.id)]
    return [offer for offer in offers if isinstance(offer, Package)]


async def _price(
    gateway: Gateway, product: Product, offer: Offer, packages: Sequence[Package]
) -> Thing:
    what = f"package of {offer.credits} credits for {spoken(offer.price)}"
    alike = [one for one in packages if one.units == offer.credits]
    if same := [one for one in alike if one.price == offer.price]:
        return Thing(what, same[0].price_id, made=False, note=_tax_note(same[0], offer))
    made = await setup.make_price(gateway, product.id, offer)
    rivals = [one for one in alike if one.price.currency == offer.price.currency]
    return Thing(what, made, made=True, note=_rival_note(rivals))


def _tax_note(package: Package, offer: Offer) -> str:
    if package.tax_behavior == offer.tax_behavior:
        return ""
    return (
        f"its tax behavior is {package.tax_behavior}, not {offer.tax_behavior}: archive it and set "
        "up again, or leave it"
    )


def _rival_note(rivals: Sequence[Package]) -> str:
    told = ", ".join(f"{one.price_id} for {spoken(one.price)}" for one in rivals)
    return f"as many credits are on sale as {told}: archive what is superseded" if rivals else ""


async def _endpoint(gateway: Gateway, url: str) -> tuple[Endpoint, Thing]:
    for found in await setup.endpoints(gateway):
        if found.url == url:
            return found, Thing(f"endpoint {url}", found.id, made=False, note=_endpoint_note(found))
    made = await setup.make_endpoint(gateway, url)
    return made, Thing(f"endpoint {url}", made.id, made=True)


def _endpoint_note(found: Endpoint) -> str:
    missing = [type_ for type_ in events.TYPES if not found.hears(type_)]
    notes = [
        *(["it is disabled: enable it"] if not found.enabled else []),
        *([f"it doesn't send {', '.join(missing)}: add them"] if missing else []),
    ]
    return "; ".join(notes)
