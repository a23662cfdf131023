"""News: what has happened to an account since somebody last read it, and what it has now."""

from dataclasses import dataclass
from datetime import datetime

from prepaid.core.balances import Balance, balance_of
from prepaid.core.books import Account
from prepaid.core.entries import Entry
from prepaid.core.errors import UnknownAccount
from prepaid.core.notices import Notice
from prepaid.storage import accounts, entries, outbox, reservations
from prepaid.storage.database import Database

PAGE = 100
"""Entries, and notices, that are read at once: a thousand readers may each hold so many."""

MOST_MISSED = 1_000
"""Entries, or notices, that are told to somebody who comes back: half a day of a busy account.
Whoever was away for longer reads the history anyway."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far somebody has read an account: the numbers of the last entry and the last notice."""

    entry: int
    notice: int

    def is_near(self, end: "Position") -> bool:
        """Whether one can go on from here, where the account has come to `end`. A position beyond
        it is none of this account's: another's, or from before its database was restored."""
        missed = (end.entry - self.entry, end.notice - self.notice)
        return min(missed) >= 0 and max(missed) <= MOST_MISSED


@dataclass(frozen=True, slots=True)
class News:
    """What has happened to an account since a position, in order, and the position after it.

    `balance` is what the account has now; None while there is more to be read first.
    """

    account: Account
    entries: list[Entry]
    notices: list[Notice]
    position: Position
    balance: Balance | None


async def end(database: Database, uid: str) -> Position:
    """Where an account has come to.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.reading() as connection:
        booked = await accounts.booked(connection, [uid])
    if uid not in booked:
        raise UnknownAccount(f"There is no account {uid[:128]!r}.")
    return _end(booked[uid])


async def news(database: Database, uid: str, since: Position, at: datetime) -> News:
    """What has happened to an account that there is, as one consistent picture shows it: a page
    of it, if it is much."""
    async with database.snapshot() as connection:
        account = (await accounts.booked(connection, [uid]))[uid]
        posted = await entries.after(connection, uid, since.entry, PAGE)
        noticed = await outbox.after(connection, uid, since.notice, PAGE)
        running = await reservations.open_ones(connection, [uid])
    # Numbers have no gaps.
    position = Position(since.entry + len(posted), since.notice + len(noticed))
    is_all = position == _end(account)
    balance = balance_of(account, running[uid], at) if is_all else None
    return News(account, posted, noticed, position, balance)


def _end(account: Account) -> Position:
    return Position(account.last_entry, account.last_notice)
