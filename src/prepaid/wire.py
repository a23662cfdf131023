"""Entries on the wire: what the API and the command line write of one, in JSON and in CSV."""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import WithJsonSchema

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


async def as_csv(chunks: AsyncIterator[Iterable[Entry]]) -> AsyncIterator[str]:
    """The lines of a CSV file (RFC 4180), a chunk at a time, under the names that JSON has too.

    Cells are what JSON says, but for texts that a spreadsheet would execute: see `guarded`.
    """
    rows: list[tuple[object, ...]] = [tuple(field.name for field in fields(EntryOut))]
    async for chunk in chunks:
        rows += map(_cells, chunk)
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


def file_name(account_uid: str, at: datetime) -> str:
    """What the CSV of an account's entries is called on the day that it is asked for."""
    return f"entries-{re.sub(r'[^A-Za-z0-9._-]', '-', account_uid)}-{at:%Y-%m-%d}.csv"


def _cells(entry: Entry) -> tuple[object, ...]:
    return (
        entry.number,
        entry.id,
        entry.kind,
        entry.credits,
        entry.balance,
        f"{entry.at.isoformat().removesuffix('+00:00')}Z",
        *map(guarded, (entry.source, entry.reason, entry.actor, entry.key)),
    )


def _lines(rows: Iterable[Iterable[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
