"""News: what has happened to an account since somebody last read it, and what it has now."""

from collections.abc import Collection
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


Asked = tuple[str, Position]
"""An account, and how far it was read."""


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


async def news(database: Database, asked: Collection[Asked], at: datetime) -> list[News]:
    """What has happened to accounts that there are, as one consistent picture shows it: a page
    for each, if it is much. What many ask at once takes little more than one query for each."""
    async with database.snapshot() as connection:
        booked = await accounts.booked(connection, {uid for uid, _ in asked})
        some_run = [account.uid for account in booked.values() if account.open]
        running = await reservations.open_ones(connection, some_run)
        posted = {
            (uid, number): await entries.after(connection, uid, number, PAGE)
            for uid, number in {(uid, since.entry) for uid, since in asked}
            if number < booked[uid].last_entry
        }
        noticed = {
            (uid, number): await outbox.after(connection, uid, number, PAGE)
            for uid, number in {(uid, since.notice) for uid, since in asked}
            if number < booked[uid].last_notice
        }
    return [
        _news(
            booked[uid],
            since,
            posted.get((uid, since.entry), []),
            noticed.get((uid, since.notice), []),
            balance_of(booked[uid], running.get(uid, []), at),
        )
        for uid, since in asked
    ]


def _news(
    account: Account, since: Position, posted: list[Entry], noticed: list[Notice], balance: Balance
) -> News:
    position = Position(since.entry + len(posted), since.notice + len(noticed))  # without gaps
    is_all = position == _end(account)
    return News(account, posted, noticed, position, balance if is_all else None)


def _end(account: Account) -> Position:
    return Position(account.last_entry, account.last_notice)
