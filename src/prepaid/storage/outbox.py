"""The outbox: notices, written with what they tell of, to be delivered afterwards."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.notices import Notice, NoticeType
from prepaid.core.reservations import State
from prepaid.storage.tables import outbox


async def add(connection: AsyncConnection, notices: Iterable[Notice]) -> None:
    """Writes notices."""
    await connection.execute(insert(outbox), [_values(one) for one in notices])


async def after(
    connection: AsyncConnection, account_uid: str, number: int, limit: int
) -> list[Notice]:
    """An account's notices in order, beginning after a number."""
    query = select(outbox).where(outbox.c.account_uid == account_uid, outbox.c.number > number)
    rows = await connection.execute(query.order_by(outbox.c.number).limit(limit))
    return [_notice(row) for row in rows]


def _values(one: Notice) -> dict[str, object]:
    left = None if one.time_left is None else one.time_left // timedelta(microseconds=1)
    return {
        "account_uid": one.account_uid,
        "number": one.number,
        "type": one.type,
        "at": one.at,
        "reservation_id": one.reservation_id,
        "resource": one.resource,
        "resource_type": one.resource_type,
        "state": one.state,
        "burning_rate": one.burning_rate,
        "used": one.used,
        "microseconds_left": left,
        "why": one.why,
    }


def _notice(row: Row[Any]) -> Notice:
    left = row.microseconds_left
    return Notice(
        account_uid=row.account_uid,
        number=row.number,
        type=NoticeType(row.type),
        at=row.at,
        reservation_id=row.reservation_id,
        resource=row.resource,
        resource_type=row.resource_type,
        state=State(row.state),
        burning_rate=row.burning_rate,
        used=row.used,
        time_left=None if left is None else timedelta(microseconds=left),
        why=row.why,
    )
