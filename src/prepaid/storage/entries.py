"""Entries: written once, read by account."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    func,
    insert,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Credits
from prepaid.core.entries import Entry, Kind
from prepaid.core.filters import EVERY, Filter
from prepaid.storage.tables import entries, keyed, microseconds

_NAMES = [column.name for column in entries.columns]


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
    await connection.execute(insert(entries), [values_of(entry) for entry in posted])


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
    query = select(entries).where(entries.c.account_uid == account_uid, *true_of(wanted))
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


@dataclass(frozen=True, slots=True)
class Mark:
    """What an account had after one of its entries."""

    number: int
    at: datetime
    balance: Credits


async def last_by(connection: AsyncConnection, account_uid: str, at: datetime) -> Mark | None:
    """The last entry of an account by an instant; None if it had none.

    The newest are read first, so that what is read is what came after the instant.
    """
    query = _marks(account_uid).where(entries.c.at <= at).order_by(entries.c.number.desc())
    row = (await connection.execute(query.limit(1))).one_or_none()
    return None if row is None else Mark(*row)


async def marks(
    connection: AsyncConnection, account_uid: str, after: int, until: datetime, limit: int
) -> list[Mark]:
    """What an account had after each entry beginning after a number, by an instant, in order."""
    query = _marks(account_uid).where(entries.c.number > after, entries.c.at <= until)
    rows = await connection.execute(query.order_by(entries.c.number).limit(limit))
    return [Mark(*row) for row in rows]


async def last_marks(  # noqa: PLR0913, PLR0917 - where, from when to when, and in how many parts
    connection: AsyncConnection,
    account_uid: str,
    after: int,
    since: datetime,
    until: datetime,
    parts: int,
) -> list[Mark]:
    """The same of the last entry alone in each of so many equally long parts of a span, if it has
    any. Nothing but these is fetched, however many entries there are."""
    at, begins = type_coerce(entries.c.at, BigInteger), microseconds(since)
    length = -(-(microseconds(until) - begins) // parts)
    last = (
        select(func.max(entries.c.number))
        .where(
            entries.c.account_uid == account_uid,
            entries.c.number > after,
            entries.c.at > since,
            entries.c.at <= until,
        )
        .group_by((at - begins - 1) // length)
    )
    query = _marks(account_uid).where(entries.c.number.in_(last)).order_by(entries.c.number)
    return [Mark(*row) for row in await connection.execute(query)]


def _marks(account_uid: str) -> Select[Any]:
    columns = (entries.c.number, entries.c.at, entries.c.balance)
    return select(*columns).where(entries.c.account_uid == account_uid)


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


def true_of(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    """What is true of each entry that is wanted."""
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


def values_of(entry: Entry) -> dict[str, object]:
    """An entry as its row has it."""
    return {name: getattr(entry, name) for name in _NAMES}
