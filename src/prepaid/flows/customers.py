"""Customers: one at Stripe for each account, made when first needed."""

from dataclasses import dataclass, replace

from prepaid.core.errors import StripeUnavailable
from prepaid.flows.shop import Shop
from prepaid.payments.gateway import EmailRefused, KeySpent, NewCustomer
from prepaid.storage import customers
from prepaid.storage.customers import Customer

ATTEMPTS = 3
"""A customer is asked for anew without its address, or under another key; not for ever."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """The account that buys, and what Stripe's receipts should call its user."""

    account_uid: str
    handle: str
    email: str | None


async def customer_of(shop: Shop, buyer: Buyer) -> Customer:
    """The buyer's customer; `customer_id` is set.

    The intention is written down before Stripe is asked, and everybody who asks sends what is
    written there under the same key. So ten requests at once make one customer, and so does a
    request whose answer was lost, for as long as Stripe remembers keys (a day).
    """
    first = Customer(
        account_uid=buyer.account_uid,
        livemode=shop.gateway.livemode,
        generation=1,
        customer_id=None,
        handle=buyer.handle,
        email=buyer.email,
    )
    async with shop.database.writing() as connection:
        wanted = await customers.wanted(connection, first)
    return wanted if wanted.customer_id else await _made(shop, wanted)


async def customer_after(shop: Shop, gone: Customer) -> Customer:
    """The buyer's next customer, for the last was deleted at Stripe."""
    wanted = await _next(shop, gone, gone.email)
    return wanted if wanted.customer_id else await _made(shop, wanted)


async def _made(shop: Shop, wanted: Customer) -> Customer:
    for _ in range(ATTEMPTS):
        try:
            return await _asked(shop, wanted)
        except EmailRefused:
            wanted = await _next(shop, wanted, None)
        except KeySpent:
            wanted = await _next(shop, wanted, wanted.email)
    raise StripeUnavailable("Stripe makes no customer for this account; try again in a moment.")


async def _next(shop: Shop, gone: Customer, email: str | None) -> Customer:
    async with shop.database.writing() as connection:
        return await customers.next_generation(connection, gone, email)


async def _asked(shop: Shop, wanted: Customer) -> Customer:
    customer_id = await shop.gateway.create_customer(
        NewCustomer(
            account_uid=wanted.account_uid,
            handle=wanted.handle,
            email=wanted.email,
            idempotency_key=(
                f"prepaid-customer-{shop.deployment}-{wanted.account_uid}-{wanted.generation}"
            ),
        )
    )
    async with shop.database.writing() as connection:
        await customers.name(connection, wanted, customer_id)
    return replace(wanted, customer_id=customer_id)
