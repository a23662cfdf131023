"""Totals over all accounts, added up by the database.

Grants and checkouts are counted, and of the entries only those that took credits back, which have
an index of their own: charges, of which there are ever more, are never gone through.
"""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, String, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import MICRO, NOTHING, Credits, Money
from prepaid.core.checkouts import State
from prepaid.core.entries import Kind
from prepaid.core.totals import Given, Sold
from prepaid.storage.tables import checkouts, entries, grants

GIVEN = (Kind.PURCHASE, Kind.PROMOTION, Kind.ADJUSTMENT)
"""The kinds of grants there are."""

_TAKEN = [literal(one, String, literal_execute=True) for one in (Kind.EXPIRY, Kind.REVERSAL)]
"""Written out, as in the partial index: SQLite takes them for no condition with parameters."""


async def sold(connection: AsyncConnection) -> list[Sold]:
    """What was paid for and credited, by mode and currency."""
    one = checkouts.c
    of = (one.livemode, one.price_currency)
    paid = func.coalesce(one.paid_minor, one.price_minor)
    query = (
        select(*of, func.count(), func.sum(one.price_minor), func.sum(paid), *_sum(one.credits))
        .where(one.state == State.CREDITED)
        .group_by(*of)
        .order_by(*of)
    )
    return [
        Sold(live, count, _credits(*sums), Money(int(price), unit), Money(int(with_tax), unit))
        for live, unit, count, price, with_tax, *sums in await connection.execute(query)
    ]


async def given(connection: AsyncConnection) -> list[Given]:
    """All grants, by kind; each kind is there."""
    amounts = (*_sum(grants.c.credits), *_sum(grants.c.remaining))
    query = select(grants.c.kind, func.count(), *amounts).group_by(grants.c.kind)
    found = {
        kind: Given(Kind(kind), count, _credits(*sums[:2]), _credits(*sums[2:]))
        for kind, count, *sums in await connection.execute(query)
    }
    return [found.get(kind, Given(kind, 0, NOTHING, NOTHING)) for kind in GIVEN]


async def taken(connection: AsyncConnection) -> dict[Kind, Credits]:
    """What has expired, and what was taken back."""
    query = select(entries.c.kind, *_sum(entries.c.credits)).where(entries.c.kind.in_(_TAKEN))
    rows = await connection.execute(query.group_by(entries.c.kind))
    return {Kind(kind): -_credits(whole, rest) for kind, whole, rest in rows}


def _sum(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """A sum of credits, in whole ones and in what is over: in microcredits, ten thousand accounts
    could have more together than fits into SQLite's 64 bits."""
    micro = type_coerce(column, BigInteger)
    return func.coalesce(func.sum(micro // MICRO), 0), func.coalesce(func.sum(micro % MICRO), 0)


def _credits(whole: Any, rest: Any) -> Credits:  # PostgreSQL's sums are decimals
    return Credits(int(whole) * MICRO + int(rest))
