"""Customers: one at Stripe for each account, made when first needed."""

from dataclasses import dataclass, replace

from prepaid.flows.shop import Shop
from prepaid.payments.gateway import NewCustomer
from prepaid.storage import customers
from prepaid.storage.customers import Customer


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
    async with shop.database.writing() as connection:
        wanted = await customers.next_generation(connection, gone)
    return wanted if wanted.customer_id else await _made(shop, wanted)


async def _made(shop: Shop, wanted: Customer) -> Customer:
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
