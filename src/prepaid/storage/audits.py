"""What an audit reads: whole accounts in pages, and their entries as a stream.

Every page is a range of account uids, compared by the database alone: its order of text need not
be Python's. The last page has no end, so that rows whose account is gone are read too.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import fields
from sqlalchemy import Column, ColumnElement, Table, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import NOTHING
from prepaid.core.audit import (
    CreditedCheckout,
    Holdings,
    StoredEntry,
    StoredGrant,
    StoredReservation,
)
from prepaid.core.books import Account
from prepaid.core.checkouts import State
from prepaid.core.reservations import OPEN
from prepaid.storage.tables import accounts, checkouts, entries, grants, reservations

PAGE = 500
"""Accounts whose grants, checkouts and reservations are held in memory together."""

CHUNK = 1_000
"""Entries that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some accounts, with their grants and credited checkouts. Its entries are read on demand."""

    held: dict[str, Holdings]
    _connection: AsyncConnection
    _span: "_Range"

    async def entries(self) -> AsyncIterator[Sequence[StoredEntry]]:
        """Their entries, by account and number, a chunk at a time."""
        query = (
            select(*_columns(entries, StoredEntry))
            .where(self._span.has(entries.c.account_uid))
            .order_by(entries.c.account_uid, entries.c.number)
            .execution_options(yield_per=CHUNK)
        )
        async with self._connection.stream(query) as rows:
            async for chunk in rows.partitions():
                yield [StoredEntry(*row) for row in chunk]


async def recorded(connection: AsyncConnection) -> int:
    """How many entries the accounts say that they have."""
    total = select(func.coalesce(func.sum(accounts.c.last_entry), 0))
    return int((await connection.execute(total)).scalar_one())


async def pages(connection: AsyncConnection) -> AsyncIterator[Page]:
    """All accounts, a page at a time."""
    after: str | None = None
    while True:
        found = await _accounts(connection, after)
        last = found[-1].uid if len(found) == PAGE else None
        span = _Range(after, last)
        yield Page(await _held(connection, found, span), connection, span)
        if last is None:
            return
        after = last


@dataclass(frozen=True, slots=True)
class _Range:
    """Account uids after one, up to and including another; None is no bound."""

    after: str | None
    last: str | None

    def has(self, uid: ColumnElement[Any]) -> ColumnElement[bool]:
        after = true() if self.after is None else uid > self.after
        return after & (true() if self.last is None else uid <= self.last)


async def _accounts(connection: AsyncConnection, after: str | None) -> list[Account]:
    query = select(*_columns(accounts, Account)).where(_Range(after, None).has(accounts.c.uid))
    rows = await connection.execute(query.order_by(accounts.c.uid).limit(PAGE))
    return [Account(*row) for row in rows]


async def _held(
    connection: AsyncConnection, found: Sequence[Account], span: _Range
) -> dict[str, Holdings]:
    """Foreign keys say that a grant has its account; an audit finds out whether it has."""
    held = {account.uid: Holdings(account.uid, account) for account in found}
    for grant in await _grants(connection, span):
        held.setdefault(grant.account_uid, Holdings(grant.account_uid)).grants[grant.id] = grant
    for sold in await _credited(connection, span):
        held.setdefault(sold.account_uid, Holdings(sold.account_uid)).checkouts[sold.id] = sold
    for one in await _reserved(connection, span):
        held.setdefault(one.account_uid, Holdings(one.account_uid)).reservations[one.id] = one
    return held


async def _grants(connection: AsyncConnection, span: _Range) -> list[StoredGrant]:
    query = select(*_columns(grants, StoredGrant)).where(span.has(grants.c.account_uid))
    return [StoredGrant(*row) for row in await connection.execute(query)]


async def _credited(connection: AsyncConnection, span: _Range) -> list[CreditedCheckout]:
    query = select(*_columns(checkouts, CreditedCheckout)).where(
        checkouts.c.state == State.CREDITED, span.has(checkouts.c.account_uid)
    )
    return [CreditedCheckout(*row) for row in await connection.execute(query)]


async def _reserved(connection: AsyncConnection, span: _Range) -> list[StoredReservation]:
    """Those that claim something, or have cost something."""
    query = select(*_columns(reservations, StoredReservation)).where(
        reservations.c.state.in_(sorted(OPEN)) | (reservations.c.spent > NOTHING),
        span.has(reservations.c.account_uid),
    )
    return [StoredReservation(*row) for row in await connection.execute(query)]


def _columns(table: Table, record: type[Any]) -> list[Column[Any]]:
    """The columns that a record is made of: they have its fields' names and order."""
    return [table.c[one.name] for one in fields(record)]
