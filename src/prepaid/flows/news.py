"""News: what has happened to an account since somebody last read it, and what it has now."""

from collections.abc import Collection
from dataclasses import dataclass, replace
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
class Asked:
    """An account, how far it was read, and whether what it has now is wanted too."""

    uid: str
    since: Position
    balance: bool = True


@dataclass(frozen=True, slots=True)
class News:
    """What has happened to an account since a position, in order, and the position after it.

    `balance` is what the account has now; None while there is more to be read first, or if it was
    not asked for.
    """

    account: Account
    entries: list[Entry]
    notices: list[Notice]
    position: Position
    balance: Balance | None

    @property
    def is_all(self) -> bool:
        """Whether there is nothing more to be read of what has happened."""
        return self.position == _end(self.account)


async def end(database: Database, uid: str) -> Position:
    """Where an account has come to.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.reading() as connection:
        booked = await accounts.booked(connection, [uid])
    if uid not in booked:
        raise UnknownAccount(uid)
    return _end(booked[uid])


async def news(database: Database, asked: Collection[Asked], at: datetime) -> list[News]:
    """What has happened to accounts that there are, as one consistent picture shows it: a page
    for each, if it is much. What many ask at once takes little more than one query for each."""
    async with database.snapshot() as connection:
        booked = await accounts.booked(connection, {one.uid for one in asked})
        shown = {one.uid for one in asked if one.balance and booked[one.uid].open}
        running = await reservations.open_ones(connection, list(shown))
        posted = {
            (uid, number): await entries.after(connection, uid, number, PAGE)
            for uid, number in {(one.uid, one.since.entry) for one in asked}
            if number < booked[uid].last_entry
        }
        noticed = {
            (uid, number): await outbox.after(connection, uid, number, PAGE)
            for uid, number in {(one.uid, one.since.notice) for one in asked}
            if number < booked[uid].last_notice
        }
    found = [
        _news(
            booked[one.uid],
            one.since,
            posted.get((one.uid, one.since.entry), []),
            noticed.get((one.uid, one.since.notice), []),
        )
        for one in asked
    ]
    return [
        replace(told, balance=balance_of(told.account, running.get(one.uid, []), at))
        if one.balance and told.is_all
        else told
        for one, told in zip(asked, found, strict=True)
    ]


def _news(account: Account, since: Position, posted: list[Entry], noticed: list[Notice]) -> News:
    position = Position(since.entry + len(posted), since.notice + len(noticed))  # without gaps
    return News(account, posted, noticed, position, balance=None)


def _end(account: Account) -> Position:
    return Position(account.last_entry, account.last_notice)
