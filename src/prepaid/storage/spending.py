"""Spending: charges and settlements, summed up by what they were for.

No index helps: the account's entries are read through, as for a filter of its history. A million
of them take about a second.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Credits
from prepaid.core.filters import Filter
from prepaid.storage.entries import true_of
from prepaid.storage.tables import entries


@dataclass(frozen=True, slots=True)
class Spent:
    """The entries of an account that are wanted, by the whole of what they were for ("kernel k1"),
    or by its first word alone, which is its type."""

    account_uid: str
    wanted: Filter
    by_type: bool


@dataclass(frozen=True, slots=True)
class Sums:
    """What most was spent on, this first; and what was spent on how many in all."""

    most: dict[str, Credits]
    total: Credits
    count: int


async def most(connection: AsyncConnection, spent: Spent, limit: int) -> Sums:
    """What most was spent on, at most so many; of equals the first by name. Whoever reads all of
    it for the first ones has its total too."""
    one = _named(connection, spent)
    total = cast(func.sum(func.sum(one.c.cost)).over(), BigInteger)
    query = select(one.c.name, _sum(one), total, func.count().over()).group_by(one.c.name)
    found = (
        await connection.execute(query.order_by(_sum(one).desc(), one.c.name).limit(limit))
    ).all()
    in_all, count = (found[0][2], found[0][3]) if found else (0, 0)
    return Sums({row[0]: Credits(row[1]) for row in found}, Credits(in_all), count)


async def on(
    connection: AsyncConnection, spent: Spent, names: Collection[str]
) -> dict[str, Credits]:
    """What was spent on each of these, if anything was."""
    if not names:
        return {}
    one = _named(connection, spent)
    query = select(one.c.name, _sum(one)).where(one.c.name.in_(names)).group_by(one.c.name)
    return {name: Credits(micro) for name, micro in await connection.execute(query)}


def _named(connection: AsyncConnection, spent: Spent) -> Subquery:
    """The entries, each with its name and what it has cost."""
    name = _type(connection) if spent.by_type else entries.c.source
    cost = -type_coerce(entries.c.credits, BigInteger)
    return (
        select(name.label("name"), cost.label("cost"))
        .where(entries.c.account_uid == spent.account_uid, *true_of(spent.wanted))
        .subquery()
    )


def _type(connection: AsyncConnection) -> ColumnElement[str]:
    """The source's first word, if it has several; else nothing, as with usages."""
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    blank = place(entries.c.source, " ")
    return case((blank > 0, func.substr(entries.c.source, 1, blank - 1)), else_=literal(""))


def _sum(one: Subquery) -> ColumnElement[int]:
    """PostgreSQL would make a numeric of it."""
    return cast(func.sum(one.c.cost), BigInteger)
