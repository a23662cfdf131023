"""History: how a balance came about, for people, as JSON or as CSV."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from prepaid.cli.reports import Report, moment, table
from prepaid.core.entries import Entry
from prepaid.core.filters import Filter
from prepaid.flows import history
from prepaid.opening import open_database
from prepaid.settings import read_database_settings
from prepaid.wire import EntryOut, entries_as_csv, entry_out


@dataclass(frozen=True, slots=True)
class EntriesOut:
    """Entries, newest first. `next_before` begins the next page; null on the last."""

    account_uid: str
    entries: list[EntryOut]
    next_before: int | None


async def listed(uid: str, wanted: Filter, before: int | None, limit: int | None) -> Report:
    """A page of the entries that are wanted."""
    async with open_database(read_database_settings().database) as database:
        page = await history.page(database, uid, wanted, before, limit or history.PAGE)
    more = page.next_before
    return Report(
        EntriesOut(uid, [entry_out(one) for one in page.entries], more),
        [_table(page.entries), *([f"Older: --before {more}"] if more else [])],
    )


async def written(uid: str, wanted: Filter, before: int | None, limit: int | None) -> Report:
    """All the entries that are wanted, or at most so many, written as CSV while they are read."""
    async with open_database(read_database_settings().database) as database:
        async for lines in entries_as_csv(history.chunks(database, uid, wanted, before, limit)):
            sys.stdout.buffer.write(lines.encode())
    return Report(None, [])


def _table(entries: Sequence[Entry]) -> Table:
    return table(
        *("number", "at", "kind", "credits", "balance", "reason", "actor", "key"),
        rows=map(_row, entries),
    )


def _row(one: Entry) -> tuple[object, ...]:
    before = (one.number, moment(one.at), one.kind, one.credits, one.balance)
    return (*before, one.reason, one.actor, one.key)
