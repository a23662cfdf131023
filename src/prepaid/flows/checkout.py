"""Checkout: a buyer is offered a package, and asks what became of it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from msgspec.structs import replace

from prepaid.core.checkouts import Checkout, State
from prepaid.core.errors import InvalidReturnUrl, StripeUnavailable, TooMany, UnknownCheckout
from prepaid.core.origins import origin_of
from prepaid.core.pricing import Package
from prepaid.flows.customers import Buyer, customer_after, customer_of
from prepaid.flows.shop import Shop
from prepaid.ids import new_id
from prepaid.payments.gateway import CustomerGone, KeySpent, RequestChanged
from prepaid.payments.sessions import StripeSession
from prepaid.storage import accounts, checkouts

LIFETIME = timedelta(minutes=60)
"""How long a buyer may take. Stripe allows 30 minutes to a day."""

SHARED_UNTIL = timedelta(minutes=31)
"""An open checkout is offered again while it has this long to live: asking Stripe again for the
session of one that has less would be refused, as its minimum is 30 minutes."""

MOST_OPEN = 20
"""Checkouts of one account that can be paid at a time. Each is a session at Stripe, and a browser
that asks for ever must not make them for ever."""

ATTEMPTS = 3
"""An offer is made anew when its customer or its session has gone; three times is a fault."""

LONGEST_URL = 2_000
"""Characters in a return URL; browsers and proxies cut longer ones."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """A checkout that can be paid: the client secret is for Stripe.js in the buyer's browser."""

    checkout: Checkout
    client_secret: str


async def open_checkout(
    shop: Shop, buyer: Buyer, price_id: str, return_url: str, at: datetime
) -> Opened:
    """A checkout of this package. Asked again soon, the same one: nothing is sold twice by a
    browser that asks twice.

    Raises:
        InvalidReturnUrl: the URL is none, or leads to an origin that isn't allowed.
        UnknownPackage, PackageNotSold: there is nothing to buy under this price.
        TooMany: the account has as many open checkouts as it may.
        StripeUnavailable, StripeRefused: no checkout was opened.
    """
    check_return_url(return_url, shop.return_origins)
    package = await shop.catalog.package(price_id)
    customer = await customer_of(shop, buyer)
    again = True
    for _ in range(ATTEMPTS):
        offer = _offer(shop, buyer, package, str(customer.customer_id), return_url, at)
        checkout = await _written(shop, offer, again=again)
        try:
            if opened := await _opened(shop, checkout):
                return opened
        except CustomerGone:
            customer = await customer_after(shop, customer)
        except RequestChanged:
            log.info("checkout_settings_changed", checkout=str(checkout.id))
        except KeySpent:
            log.warning("checkout_failed_at_stripe", checkout=str(checkout.id))
        except UnknownCheckout:
            log.warning("session_gone_from_stripe", checkout=str(checkout.id))
        again = False
    raise StripeUnavailable("Stripe opened no checkout for this package; try again in a moment.")


async def state_of(shop: Shop, account_uid: str, named: str, at: datetime) -> tuple[Checkout, str]:
    """A checkout of this account and where it stands: open, processing, paid, credited, failed
    or expired.

    `named` is our id or Stripe's. "paid" means that Stripe has the money and the signed event
    has not come yet; nothing but that event makes it "credited".

    Raises:
        UnknownCheckout: the account has none of this name.
    """
    checkout = await found(shop, account_uid, named)
    if checkout.state not in {State.OPEN, State.PROCESSING}:
        return checkout, checkout.state
    return checkout, await _told_by_stripe(shop, checkout, at)


def check_return_url(return_url: str, origins: frozenset[str]) -> None:
    """Raises InvalidReturnUrl unless the URL leads to an allowed origin.

    What browsers and parsers read differently (blanks, backslashes, credentials) is refused.
    """
    if len(return_url) > LONGEST_URL or not re.fullmatch(r"[!-\[\]-~]+", return_url):
        raise InvalidReturnUrl("return_url is not a URL of printable characters.")
    try:
        origin = origin_of(return_url)
    except ValueError as error:
        raise InvalidReturnUrl(f"return_url is not a URL: {error}.") from error
    if origin not in origins:
        raise InvalidReturnUrl(
            f"return_url leads to {origin!r}; this service sends buyers back only to "
            f"{', '.join(sorted(origins))}. The operator can allow more."
        )


def _offer(  # noqa: PLR0913, PLR0917 - an offer is made of this much
    shop: Shop, buyer: Buyer, package: Package, customer_id: str, return_url: str, at: datetime
) -> Checkout:
    return Checkout(
        id=new_id(),
        account_uid=buyer.account_uid,
        state=State.OPEN,
        price_id=package.price_id,
        credits=package.credits,
        units=package.units,
        price=package.price,
        livemode=shop.gateway.livemode,
        customer_id=customer_id,
        return_url=return_url,
        automatic_tax=shop.automatic_tax,
        created_at=at,
        expires_at=(at + LIFETIME).replace(microsecond=0),
    )


async def _written(shop: Shop, offer: Checkout, *, again: bool) -> Checkout:
    """The offer, or an open one that is the same. The account's lock makes two requests at once
    find one offer, under whose id Stripe makes one session."""
    async with shop.database.writing() as connection:
        await accounts.lock(connection, [offer.account_uid])
        if again and (
            same := await checkouts.open_for(connection, offer, offer.created_at + SHARED_UNTIL)
        ):
            return same
        if await checkouts.count_open(connection, offer) >= MOST_OPEN:
            raise TooMany(
                f"{MOST_OPEN} checkouts of this account are open: pay one, or wait an hour."
            )
        await checkouts.add(connection, offer)
    return offer


async def _opened(shop: Shop, checkout: Checkout) -> Opened | None:
    """The checkout with its session's secret; None if the session can't be paid any more."""
    session = await _session(shop, checkout)
    if session.client_secret is None:
        return None
    return Opened(replace(checkout, session_id=session.id), session.client_secret)


async def _session(shop: Shop, checkout: Checkout) -> StripeSession:
    if checkout.session_id is not None:
        return await shop.gateway.session(checkout.session_id)
    session = await shop.gateway.open_session(checkout, shop.deployment)
    async with shop.database.writing() as connection:
        await checkouts.name_session(connection, checkout.id, session.id)
    log.info(
        "checkout_opened",
        checkout=str(checkout.id),
        session=session.id,
        account=checkout.account_uid,
        credits=str(checkout.credits),
    )
    return session


async def found(shop: Shop, account_uid: str, named: str) -> Checkout:
    """A checkout of this account, by our id or Stripe's, as far as we have been told of it.

    Raises:
        UnknownCheckout: the account has none of this name.
    """
    async with shop.database.reading() as connection:
        try:
            checkout = await checkouts.by_id(connection, UUID(named))
        except ValueError:
            checkout = await checkouts.by_session(connection, named)
    if checkout is None or checkout.account_uid != account_uid:
        raise UnknownCheckout(f"There is no checkout {named[:100]!r}.")
    return checkout


async def _told_by_stripe(shop: Shop, checkout: Checkout, at: datetime) -> str:
    if checkout.session_id is None:
        return State.EXPIRED if at > checkout.expires_at else State.OPEN
    session = await shop.gateway.session(checkout.session_id)
    if session.status == "expired":
        return State.EXPIRED
    if session.status != "complete":
        return checkout.state
    return "paid" if session.payment_status == "paid" else State.PROCESSING
