"""Grants: where credits came from."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Row,
    bindparam,
    func,
    insert,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Money
from prepaid.core.entries import Kind
from prepaid.core.grants import Grant, ordered, spending_order
from prepaid.storage.tables import accounts, grants

UNSPENT = text("grants.unspent")
"""Grants with something left, in the one form in which both databases find their indexes."""


async def add(connection: AsyncConnection, given: Iterable[Grant]) -> None:
    """Writes grants."""
    await connection.execute(insert(grants), [values_of(grant) for grant in given])


async def spendable(
    connection: AsyncConnection, uids: Collection[str]
) -> dict[str, dict[UUID, Grant]]:
    """All grants of these accounts that have something left, in spending order; each account is
    there, if empty."""
    held: dict[str, list[Grant]] = {uid: [] for uid in uids}
    if held:
        query = select(grants).where(grants.c.account_uid.in_(uids), UNSPENT)
        for row in await connection.execute(query):
            held[row.account_uid].append(grant_of(row))
    return {uid: ordered(mine) for uid, mine in held.items()}


async def save(connection: AsyncConnection, drawn: Iterable[Grant]) -> None:
    """Writes what is left of grants."""
    await connection.execute(
        update(grants)
        .where(grants.c.account_uid == bindparam("u"), grants.c.id == bindparam("g"))
        .values(remaining=bindparam("r"), unspent=bindparam("s")),
        [
            {"u": one.account_uid, "g": one.id, "r": one.remaining, "s": bool(one.remaining)}
            for one in drawn
        ],
    )


async def due(connection: AsyncConnection, at: datetime, after: str, limit: int) -> list[str]:
    """Accounts with grants whose time has come and that have something left which no reservation
    claims, by uid, beginning after one.

    Claims lie over the grants in spending order: what reaches beyond them is free. An account
    whose grants are all claimed would be asked for in vain until something ends.
    """
    over = (grants.c.expires_at <= at, UNSPENT)
    having = select(grants.c.account_uid).where(*over, grants.c.account_uid > after)
    held = (
        select(grants.c.account_uid, grants.c.expires_at, _UP_TO)
        .where(UNSPENT, grants.c.account_uid.in_(having))
        .subquery()
    )
    free = (
        select(held.c.account_uid)
        .join(accounts, accounts.c.uid == held.c.account_uid)
        .where(held.c.expires_at <= at, held.c.up_to > type_coerce(accounts.c.reserved, BigInteger))
        .distinct()
    )
    rows = await connection.execute(free.order_by(held.c.account_uid).limit(limit))
    return list(rows.scalars())


async def of_account(connection: AsyncConnection, account_uid: str) -> list[Grant]:
    """An account's grants, in the order in which they are spent."""
    rows = await connection.execute(select(grants).where(grants.c.account_uid == account_uid))
    return spending_order(grant_of(row) for row in rows)


def grant_of(row: Row[Any]) -> Grant:
    """A grant from its row."""
    return Grant(
        account_uid=row.account_uid,
        id=row.id,
        kind=Kind(row.kind),
        priority=row.priority,
        credits=row.credits,
        remaining=row.remaining,
        paid=None if row.paid_minor is None else Money(row.paid_minor, row.paid_currency),
        expires_at=row.expires_at,
        at=row.at,
    )


def values_of(grant: Grant) -> dict[str, object]:
    """A grant as its row has it."""
    return {
        "account_uid": grant.account_uid,
        "id": grant.id,
        "kind": grant.kind,
        "priority": grant.priority,
        "credits": grant.credits,
        "remaining": grant.remaining,
        "unspent": bool(grant.remaining),
        "paid_minor": grant.paid and grant.paid.minor,
        "paid_currency": grant.paid and grant.paid.currency,
        "expires_at": grant.expires_at,
        "at": grant.at,
    }


_NEVER = 2**62

_UP_TO = (
    func.sum(type_coerce(grants.c.remaining, BigInteger))
    .over(
        partition_by=grants.c.account_uid,
        order_by=(
            grants.c.priority,
            func.coalesce(type_coerce(grants.c.expires_at, BigInteger), _NEVER),
            grants.c.at,
            grants.c.id,
        ),
    )
    .label("up_to")
)
"""What is left of a grant and of all that are spent before it: the spending order, in SQL."""
