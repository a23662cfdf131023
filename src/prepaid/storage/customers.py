"""Each account's Stripe customer."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite's dialect reads its ON CONFLICT too
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.storage.tables import customers


@dataclass(frozen=True, slots=True)
class Customer:
    """An account's customer at Stripe, or the intention to make one.

    The row is written before Stripe is asked, and says everything that is sent: whoever asks, and
    however often, it is the same request under the same key, so Stripe makes one customer.
    `generation` counts them, for a customer can be deleted at Stripe.
    """

    account_uid: str
    livemode: bool
    generation: int
    customer_id: str | None
    handle: str
    email: str | None


async def wanted(connection: AsyncConnection, customer: Customer) -> Customer:
    """The account's customer row; this one, if there was none."""
    await connection.execute(
        insert(customers)
        .values(
            account_uid=customer.account_uid,
            livemode=customer.livemode,
            generation=customer.generation,
            customer_id=customer.customer_id,
            handle=customer.handle,
            email=customer.email,
        )
        .on_conflict_do_nothing()
    )
    return await _of(connection, customer)


async def name(connection: AsyncConnection, customer: Customer, customer_id: str) -> None:
    """Writes down the customer that Stripe made."""
    await connection.execute(
        update(customers)
        .where(_is(customer), customers.c.generation == customer.generation)
        .values(customer_id=customer_id)
    )


async def next_generation(
    connection: AsyncConnection, gone: Customer, email: str | None
) -> Customer:
    """The row without the customer that is gone; ten who find it gone begin one generation."""
    await connection.execute(
        update(customers)
        .where(_is(gone), customers.c.generation == gone.generation)
        .values(generation=gone.generation + 1, customer_id=None, email=email)
    )
    return await _of(connection, gone)


async def _of(connection: AsyncConnection, customer: Customer) -> Customer:
    row = (await connection.execute(select(customers).where(_is(customer)))).one()
    return Customer(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row's columns


def _is(customer: Customer) -> ColumnElement[bool]:
    return and_(
        customers.c.account_uid == customer.account_uid,
        customers.c.livemode == customer.livemode,
    )
