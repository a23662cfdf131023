"""Checkouts: the offers that were made, each with its price frozen."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Money
from prepaid.core.checkouts import Checkout, State
from prepaid.core.filters import EVERY_CHECKOUT, CheckoutFilter
from prepaid.storage.tables import checkouts


async def add(connection: AsyncConnection, checkout: Checkout) -> None:
    """Writes a new offer."""
    await connection.execute(
        insert(checkouts).values(
            id=checkout.id,
            account_uid=checkout.account_uid,
            price_id=checkout.price_id,
            credits=checkout.credits,
            units=checkout.units,
            price_minor=checkout.price.minor,
            price_currency=checkout.price.currency,
            livemode=checkout.livemode,
            customer_id=checkout.customer_id,
            return_url=checkout.return_url,
            automatic_tax=checkout.automatic_tax,
            created_at=checkout.created_at,
            expires_at=checkout.expires_at,
            **changing(checkout),
        )
    )


async def lock(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, Checkout]:
    """The checkouts there are among these, locked in one fixed order."""
    if not ids:
        return {}
    query = select(checkouts).where(checkouts.c.id.in_(ids)).order_by(checkouts.c.id)
    return {row.id: checkout_of(row) for row in await connection.execute(query.with_for_update())}


async def owners(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Whose these checkouts are. That never changes."""
    if not ids:
        return {}
    query = select(checkouts.c.id, checkouts.c.account_uid).where(checkouts.c.id.in_(ids))
    return {row.id: row.account_uid for row in await connection.execute(query)}


async def save(connection: AsyncConnection, changed: Iterable[Checkout]) -> None:
    """Writes what Stripe has told us of checkouts; an offer itself never changes."""
    values: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in CHANGING}
    await connection.execute(
        update(checkouts).where(checkouts.c.id == bindparam("of")).values(values),
        [
            {"of": one.id} | {f"new_{name}": value for name, value in changing(one).items()}
            for one in changed
        ],
    )


async def name_session(connection: AsyncConnection, checkout_id: UUID, session_id: str) -> None:
    """Writes down the session that Stripe made for an offer, unless an event told us first."""
    await connection.execute(
        update(checkouts)
        .where(checkouts.c.id == checkout_id, checkouts.c.session_id.is_(None))
        .values(session_id=session_id)
    )


async def by_id(connection: AsyncConnection, checkout_id: UUID) -> Checkout | None:
    """The checkout with our own id."""
    return await _one(connection, select(checkouts).where(checkouts.c.id == checkout_id))


async def by_session(connection: AsyncConnection, session_id: str) -> Checkout | None:
    """The checkout with Stripe's id of its session."""
    return await _one(connection, select(checkouts).where(checkouts.c.session_id == session_id))


async def listed(
    connection: AsyncConnection,
    account_uid: str | None,
    before: UUID | None,
    limit: int,
    wanted: CheckoutFilter = EVERY_CHECKOUT,
) -> list[Checkout]:
    """An account's checkouts that are wanted, or everybody's, the newest first, beginning before
    one. Their ids are in the order in which they were opened."""
    query = select(checkouts).where(*_true_of(wanted))
    if account_uid is not None:
        query = query.where(checkouts.c.account_uid == account_uid)
    if before is not None:
        query = query.where(checkouts.c.id < before)
    rows = await connection.execute(query.order_by(checkouts.c.id.desc()).limit(limit))
    return [checkout_of(row) for row in rows]


def _true_of(wanted: CheckoutFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.states:
        yield checkouts.c.state.in_(wanted.states)
    if wanted.since is not None:
        yield checkouts.c.created_at >= wanted.since
    if wanted.until is not None:
        yield checkouts.c.created_at < wanted.until


async def open_for(
    connection: AsyncConnection, offer: Checkout, payable_until: datetime
) -> Checkout | None:
    """The newest open checkout that offers the same as this one, and can still be paid then."""
    same = ("account_uid", "price_id", "credits", "livemode", "customer_id", "return_url")
    return await _one(
        connection,
        select(checkouts)
        .where(*(checkouts.c[name] == getattr(offer, name) for name in same))
        .where(
            checkouts.c.price_minor == offer.price.minor,
            checkouts.c.price_currency == offer.price.currency,
            checkouts.c.automatic_tax == offer.automatic_tax,
            checkouts.c.state == State.OPEN,
            checkouts.c.expires_at > payable_until,
        )
        .order_by(checkouts.c.id.desc())
        .limit(1),
    )


async def count_open(connection: AsyncConnection, offer: Checkout) -> int:
    """How many checkouts of the offer's account could be paid at its moment."""
    payable = (
        checkouts.c.account_uid == offer.account_uid,
        checkouts.c.state == State.OPEN,
        checkouts.c.expires_at > offer.created_at,
    )
    counted = await connection.execute(select(func.count()).select_from(checkouts).where(*payable))
    return counted.scalar_one()


CHANGING = (
    "state",
    "session_id",
    "payment_intent",
    "paid_minor",
    "paid_currency",
    "credited_at",
)


def changing(checkout: Checkout) -> dict[str, object]:
    """What Stripe tells of a checkout, as its row has it."""
    return {
        "state": checkout.state,
        "session_id": checkout.session_id,
        "payment_intent": checkout.payment_intent,
        "paid_minor": checkout.paid_total and checkout.paid_total.minor,
        "paid_currency": checkout.paid_total and checkout.paid_total.currency,
        "credited_at": checkout.credited_at,
    }


async def _one(connection: AsyncConnection, query: Select[Any]) -> Checkout | None:
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else checkout_of(row)


def checkout_of(row: Row[Any]) -> Checkout:
    """A checkout from its row."""
    return Checkout(
        id=row.id,
        account_uid=row.account_uid,
        state=State(row.state),
        price_id=row.price_id,
        credits=row.credits,
        units=row.units,
        price=Money(row.price_minor, row.price_currency),
        livemode=row.livemode,
        customer_id=row.customer_id,
        return_url=row.return_url,
        automatic_tax=row.automatic_tax,
        created_at=row.created_at,
        expires_at=row.expires_at,
        session_id=row.session_id,
        payment_intent=row.payment_intent,
        paid_total=None if row.paid_minor is None else Money(row.paid_minor, row.paid_currency),
        credited_at=row.credited_at,
    )
