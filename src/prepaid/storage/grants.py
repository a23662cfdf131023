"""Grants: where credits came from."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Money
from prepaid.core.entries import Kind
from prepaid.core.grants import Grant
from prepaid.storage.tables import grants


async def add(connection: AsyncConnection, given: Iterable[Grant]) -> None:
    """Writes grants."""
    await connection.execute(insert(grants), [_values(grant) for grant in given])


async def of_account(connection: AsyncConnection, account_uid: str) -> list[Grant]:
    """An account's grants, in the order in which they are spent."""
    rows = await connection.execute(
        select(grants)
        .where(grants.c.account_uid == account_uid)
        .order_by(
            grants.c.priority, grants.c.expires_at.asc().nulls_last(), grants.c.at, grants.c.id
        )
    )
    return [_grant(row) for row in rows]


def _grant(row: Row[Any]) -> Grant:
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


def _values(grant: Grant) -> dict[str, object]:
    return {
        "account_uid": grant.account_uid,
        "id": grant.id,
        "kind": grant.kind,
        "priority": grant.priority,
        "credits": grant.credits,
        "remaining": grant.remaining,
        "paid_minor": grant.paid and grant.paid.minor,
        "paid_currency": grant.paid and grant.paid.currency,
        "expires_at": grant.expires_at,
        "at": grant.at,
    }
