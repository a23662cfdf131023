"""Entries: written once, read by account."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.entries import Entry, Kind
from prepaid.storage.tables import entries


async def recorded(
    connection: AsyncConnection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Entry]:
    """The entries that were posted under these keys (account, key)."""
    if not keys:
        return {}
    rows = await connection.execute(
        select(entries).where(tuple_(entries.c.account_uid, entries.c.key).in_(list(keys)))
    )
    return {(row.account_uid, row.key): entry_of(row) for row in rows}


async def add(connection: AsyncConnection, posted: Iterable[Entry]) -> None:
    """Writes entries."""
    await connection.execute(insert(entries), [_values(entry) for entry in posted])


async def of_account(
    connection: AsyncConnection, account_uid: str, before: int | None, limit: int
) -> list[Entry]:
    """An account's entries, newest first, beginning before a number."""
    query = select(entries).where(entries.c.account_uid == account_uid)
    if before is not None:
        query = query.where(entries.c.number < before)
    rows = await connection.execute(query.order_by(entries.c.number.desc()).limit(limit))
    return [entry_of(row) for row in rows]


def entry_of(row: Row[Any]) -> Entry:
    """An entry from its row."""
    return Entry(
        account_uid=row.account_uid,
        number=row.number,
        id=row.id,
        kind=Kind(row.kind),
        credits=row.credits,
        balance=row.balance,
        at=row.at,
        key=row.key,
        fingerprint=row.fingerprint,
        source=row.source,
        reason=row.reason,
        actor=row.actor,
    )


def _values(entry: Entry) -> dict[str, object]:
    return {column.name: getattr(entry, column.name) for column in entries.columns}
