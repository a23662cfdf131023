"""Purchases: every checkout of an account, a page at a time or all of them, and the receipts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from prepaid.core.checkouts import Checkout, State
from prepaid.core.errors import UnknownReceipt
from prepaid.core.filters import EVERY_CHECKOUT, CheckoutFilter
from prepaid.flows import accounts
from prepaid.flows.checkout import found
from prepaid.flows.shop import Shop
from prepaid.storage import checkouts
from prepaid.storage.database import Database

PAGE = accounts.PAGE

CHUNK = 200
"""Checkouts that are held at once, where all are told."""


@dataclass(frozen=True, slots=True)
class Page:
    """Checkouts, the newest first, as the signed webhook has told of them. `next_before` begins
    the next page; None on the last."""

    checkouts: list[Checkout]
    next_before: UUID | None


async def page(
    database: Database,
    uid: str,
    wanted: CheckoutFilter = EVERY_CHECKOUT,
    before: UUID | None = None,
    limit: int = PAGE,
) -> Page:
    """An account's checkouts that are wanted, beginning before one.

    Raises:
        UnknownAccount: there is no such account.
    """
    await accounts.account(database, uid)
    async with database.reading() as connection:  # one more, which says whether a page follows
        listed = await checkouts.listed(connection, uid, before, limit + 1, wanted)
    return Page(listed[:limit], listed[limit - 1].id if len(listed) > limit else None)


async def chunks(
    database: Database,
    uid: str,
    wanted: CheckoutFilter = EVERY_CHECKOUT,
    before: UUID | None = None,
    limit: int | None = None,
) -> AsyncIterator[list[Checkout]]:
    """All the checkouts that are wanted, or at most so many, some at a time; a first chunk, if an
    empty one. Each is as it was when its chunk was read.

    Raises:
        UnknownAccount: there is no such account.
    """
    more = True
    while more:
        read = await page(database, uid, wanted, before, limit or CHUNK)
        yield read.checkouts
        before = read.next_before
        more = before is not None and limit is None


async def receipt_url(shop: Shop, account_uid: str, named: str) -> str:
    """Where Stripe shows the receipt of a checkout of this account. `named` is our id or Stripe's.

    Raises:
        UnknownCheckout: the account has none of this name.
        UnknownReceipt: nothing was paid, or Stripe has no receipt of it.
        StripeUnavailable, StripeRefused: Stripe could not be asked.
    """
    checkout = await found(shop, account_uid, named)
    if checkout.state is not State.CREDITED or checkout.payment_intent is None:
        raise UnknownReceipt("Nothing has been paid by this checkout, so there is no receipt.")
    url = await shop.gateway.receipt_url(checkout.payment_intent)
    if url is None:
        raise UnknownReceipt("Stripe has not written the receipt yet; try again in a minute.")
    return url
