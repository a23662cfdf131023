"""Entries: written once, read by account."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.entries import Entry, Kind
from prepaid.core.filters import EVERY, Filter
from prepaid.storage.tables import entries, keyed


async def recorded(
    connection: AsyncConnection, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Entry]:
    """The entries that were posted under these keys (account, key)."""
    if not keys:
        return {}
    rows = await connection.execute(select(entries).where(keyed(entries, keys)))
    return {(row.account_uid, row.key): entry_of(row) for row in rows}


async def add(connection: AsyncConnection, posted: Iterable[Entry]) -> None:
    """Writes entries."""
    await connection.execute(insert(entries), [_values(entry) for entry in posted])


async def of_account(
    connection: AsyncConnection,
    account_uid: str,
    before: int | None,
    limit: int,
    wanted: Filter = EVERY,
) -> list[Entry]:
    """An account's entries that are wanted, newest first, beginning before a number.

    No index helps a filter: the account's entries are read until there are enough. An index would
    cost every charge something, for what few people ask.
    """
    query = select(entries).where(entries.c.account_uid == account_uid, *_true_of(wanted))
    if before is not None:
        query = query.where(entries.c.number < before)
    rows = await connection.execute(query.order_by(entries.c.number.desc()).limit(limit))
    return [entry_of(row) for row in rows]


async def after(
    connection: AsyncConnection, account_uid: str, number: int, limit: int
) -> list[Entry]:
    """An account's entries in order, beginning after a number."""
    query = select(entries).where(entries.c.account_uid == account_uid, entries.c.number > number)
    rows = await connection.execute(query.order_by(entries.c.number).limit(limit))
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


def _true_of(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.kinds:
        yield entries.c.kind.in_(wanted.kinds)
    if wanted.since is not None:
        yield entries.c.at >= wanted.since
    if wanted.until is not None:
        yield entries.c.at < wanted.until
    if wanted.resource is not None:
        yield _spent_on(wanted.resource)
    if wanted.resource_type is not None:
        yield _of_type(wanted.resource_type)


def _spent_on(resource: str) -> ColumnElement[bool]:
    """Compares the source's end: LIKE has wildcards, and ignores case on SQLite. Where the source
    is shorter, what is cut out of it is too, so that it can't be the same."""
    source = entries.c.source
    end = func.substr(source, func.length(source) - len(resource))
    return (source == resource) | (end == f" {resource}")


def _of_type(resource_type: str) -> ColumnElement[bool]:
    begins = f"{resource_type} "
    return func.substr(entries.c.source, 1, len(begins)) == begins


def _values(entry: Entry) -> dict[str, object]:
    return {column.name: getattr(entry, column.name) for column in entries.columns}
