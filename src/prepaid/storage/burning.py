"""What burns: everybody's open reservations, the busiest first.

No question goes through anything that has ended, of which there is ever more.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    case,
    cast,
    desc,
    func,
    null,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import MICRO, Credits
from prepaid.core.reservations import CENTURY, Reservation
from prepaid.storage.reservations import COLUMNS, IS_OPEN, reservation_of
from prepaid.storage.tables import reservations


@dataclass(frozen=True, slots=True)
class Burning:
    """How fast open reservations burn together (credits a second), and how many they are."""

    burning_rate: Credits
    running: int


async def of_accounts(
    connection: AsyncConnection, account_uid: str | None, limit: int
) -> dict[str, Burning]:
    """The accounts that burn most, the first one first; or one account, if it burns."""
    uid = reservations.c.account_uid
    query = _open(account_uid, uid, _RATES, func.count()).group_by(uid).having(_RATES > 0)
    rows = await connection.execute(query.order_by(desc(_RATES), uid).limit(limit))
    return {uid: Burning(Credits(rate), running) for uid, rate, running in rows}


async def in_all(connection: AsyncConnection, account_uid: str | None) -> Burning:
    """All that is open; or all of an account."""
    query = _open(account_uid, func.coalesce(_RATES, 0), func.count())
    rate, running = (await connection.execute(query)).one()
    return Burning(Credits(rate), running)


async def busiest(
    connection: AsyncConnection, account_uid: str | None, limit: int
) -> list[Reservation]:
    """The open reservations that burn fastest, the fastest first; of equals the oldest first."""
    query = _open(account_uid, *COLUMNS)
    order = (reservations.c.burning_rate.desc(), reservations.c.id)
    rows = await connection.execute(query.order_by(*order).limit(limit))
    return [reservation_of(row) for row in rows]


async def first_out(connection: AsyncConnection, uids: Collection[str]) -> dict[str, Reservation]:
    """Of each account's open reservations without a limit that burn, the one that runs out
    first of what it has reserved."""
    one = reservations.c
    place = func.row_number().over(partition_by=one.account_uid, order_by=(_runs_out(), one.id))
    query = _open(None, *COLUMNS, place.label("place")).where(
        one.account_uid.in_(uids), one.limit.is_(None), one.burning_rate > Credits(0)
    )
    ranked = query.subquery()
    columns = [ranked.c[column.name] for column in COLUMNS]
    rows = await connection.execute(select(*columns).where(ranked.c.place == 1))
    return {row.account_uid: reservation_of(row) for row in rows}


async def newest(
    connection: AsyncConnection, account_uid: str | None, before: UUID | None, limit: int
) -> list[Reservation]:
    """The open reservations, the newest first, beginning before one.

    They are sorted: asked for the bare id, SQLite would walk back through all that have ended.
    """
    place = func.coalesce(reservations.c.id, null())
    query = _open(account_uid, *COLUMNS)
    if before is not None:
        query = query.where(place < before)
    rows = await connection.execute(query.order_by(place.desc()).limit(limit))
    return [reservation_of(row) for row in rows]


def _open(account_uid: str | None, *columns: Any) -> Select[Any]:
    query = select(*columns).where(IS_OPEN)
    return query if account_uid is None else query.where(reservations.c.account_uid == account_uid)


def _integer(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)


def _runs_out() -> ColumnElement[int]:
    """When all that is reserved has burnt, in microseconds, but for a few: only to compare by.

    Whole seconds first, and a century at most: nothing here may be too large for 64 bits.
    """
    one = reservations.c
    left, rate = _integer(one.reserved) - _integer(one.burnt), _integer(one.burning_rate)
    century = int(CENTURY.total_seconds())
    seconds = case((left // rate > century, century), else_=left // rate)
    return _integer(one.rated_at) + seconds * MICRO + left % rate * MICRO // rate


_RATES = cast(func.sum(_integer(reservations.c.burning_rate)), BigInteger)
"""Summed up; PostgreSQL would make a numeric of it."""
