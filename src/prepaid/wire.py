"""Entries and checkouts on the wire: what is written of one, in JSON and in CSV."""

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import WithJsonSchema

from prepaid.core.checkouts import Checkout
from prepaid.core.currencies import decimal
from prepaid.core.entries import Entry
from prepaid.exact import ExactNumber, number

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would execute; the last four are = + - @ in full width."""


Id = Annotated[UUID, WithJsonSchema({"type": "string"})]


@dataclass(slots=True)  # frozen, it would take three times as long to make one
class EntryOut:
    """One change of a balance: `credits` is signed, `balance` is what there was after it."""

    number: int
    id: Id
    kind: str
    credits: ExactNumber
    balance: ExactNumber
    at: datetime
    source: str
    reason: str
    actor: str
    key: str


def entry_out(entry: Entry) -> EntryOut:
    """An entry as it is written in JSON."""
    return EntryOut(
        entry.number,
        entry.id,
        entry.kind,
        number(entry.credits),
        number(entry.balance),
        entry.at,
        entry.source,
        entry.reason,
        entry.actor,
        entry.key,
    )


Row = TypeVar("Row")


def entries_as_csv(chunks: AsyncIterator[Iterable[Entry]]) -> AsyncIterator[str]:
    """The lines of a file with entries, under the names that JSON has too. Cells are what JSON
    says, but for texts that a spreadsheet would execute: see `guarded`."""
    return as_csv([field.name for field in fields(EntryOut)], _of_entry, chunks)


CHECKOUT_COLUMNS = (
    *("id", "session_id", "state", "price_id", "credits", "price", "price_currency"),
    *("paid", "paid_currency", "created_at", "expires_at", "credited_at"),
)


def checkouts_as_csv(chunks: AsyncIterator[Iterable[Checkout]]) -> AsyncIterator[str]:
    """The lines of a file with checkouts. Money is in the currency's own decimals, as people and
    spreadsheets read it: "5.00" of usd."""
    return as_csv(CHECKOUT_COLUMNS, _of_checkout, chunks)


async def as_csv(
    names: Iterable[str],
    cells: Callable[[Row], tuple[object, ...]],
    chunks: AsyncIterator[Iterable[Row]],
) -> AsyncIterator[str]:
    """The lines of a CSV file (RFC 4180), a chunk at a time."""
    rows: list[tuple[object, ...]] = [tuple(names)]
    async for chunk in chunks:
        rows += map(cells, chunk)
        yield _lines(rows)
        rows = []


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula.

    Whoever may write a reason or name a resource could otherwise have a formula executed by
    whoever opens the file. An apostrophe in front makes it a text everywhere. A text that begins
    with an apostrophe gets another, so that taking one away always gives back what was written.
    Numbers are ours, and stay numbers, also where they begin with a minus.
    """
    return f"'{text}" if text.startswith((*FORMULAS, "'")) else text


def file_name(what: str, account_uid: str, at: datetime) -> str:
    """What a CSV file of an account is called on the day that it is asked for."""
    return f"{what}-{re.sub(r'[^A-Za-z0-9._-]', '-', account_uid)}-{at:%Y-%m-%d}.csv"


def _of_entry(entry: Entry) -> tuple[object, ...]:
    return (
        entry.number,
        entry.id,
        entry.kind,
        entry.credits,
        entry.balance,
        _instant(entry.at),
        *map(guarded, (entry.source, entry.reason, entry.actor, entry.key)),
    )


def _of_checkout(one: Checkout) -> tuple[object, ...]:
    paid = one.paid_total
    return (
        one.id,
        one.session_id or "",
        one.state,
        one.price_id,
        one.credits,
        decimal(one.price),
        one.price.currency,
        decimal(paid) if paid else "",
        paid.currency if paid else "",
        *map(_instant, (one.created_at, one.expires_at)),
        _instant(one.credited_at) if one.credited_at else "",
    )


def _instant(at: datetime) -> str:
    return f"{at.isoformat().removesuffix('+00:00')}Z"


def _lines(rows: Iterable[Iterable[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
