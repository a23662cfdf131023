"""History: how a balance came about, a page at a time or all of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from prepaid.core.entries import Entry
from prepaid.core.filters import EVERY, Filter
from prepaid.flows import accounts
from prepaid.storage import entries
from prepaid.storage.database import Database

PAGE = accounts.PAGE

CHUNK = 200
"""Entries of a whole history that are held at once. With 500 the slowest charges beside it take
four times as long, and with 100 the history takes half as long again."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first. `next_before` begins the next page; None on the last."""

    entries: list[Entry]
    next_before: int | None


async def page(
    database: Database,
    uid: str,
    wanted: Filter = EVERY,
    before: int | None = None,
    limit: int = PAGE,
) -> Page:
    """An account's entries that are wanted, beginning before an entry's number.

    Raises:
        UnknownAccount: there is no such account.
    """
    await accounts.account(database, uid)
    async with database.reading() as connection:  # one more, which says whether a page follows
        found = await entries.of_account(connection, uid, before, limit + 1, wanted)
    return Page(found[:limit], found[limit - 1].number if len(found) > limit else None)


async def chunks(
    database: Database,
    uid: str,
    wanted: Filter = EVERY,
    before: int | None = None,
    limit: int | None = None,
) -> AsyncIterator[list[Entry]]:
    """All the entries that are wanted, or at most so many, newest first, some at a time.

    There is a first chunk, if an empty one. Each is read in a transaction of its own, which has
    ended before the chunk is out: whoever takes them slowly holds up nobody. They still are one
    picture, that of the first: entries never change, and what is posted meanwhile is newer.

    Raises:
        UnknownAccount: there is no such account.
    """
    more = True
    while more:
        found = await page(database, uid, wanted, before, limit or CHUNK)
        yield found.entries
        before = found.next_before
        more = before is not None and limit is None
