"""The history of a balance: what an account had, from one instant to another."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.filters import check_span
from prepaid.flows import accounts
from prepaid.storage import entries
from prepaid.storage.database import Database
from prepaid.storage.entries import Mark

POINTS = 300
"""Points that a picture needs, if nobody says how many."""

MOST_POINTS = 1_000


@dataclass(frozen=True, slots=True)
class Point:
    """What an account had at an instant, and from then on until the next point."""

    at: datetime
    balance: Credits


@dataclass(frozen=True, slots=True)
class BalanceHistory:
    """Points in the order of time: the span's beginning, then changes, then its end.

    `every_change` says whether all changes are among them; else there is the last one of each of
    some equally long parts of the span. Every point is exact either way.
    """

    account_uid: str
    points: list[Point]
    every_change: bool


async def balance_history(  # noqa: PLR0913, PLR0917 - whose, from when to when, as of when
    database: Database,
    uid: str,
    since: datetime,
    until: datetime | None,
    at: datetime,
    points: int = POINTS,
) -> BalanceHistory:
    """What an account had, in at most so many points beside the first and the last.

    The span ends at `at`, which is now, at the latest. An account's entries are in the order of
    their numbers; an instant shows what the last of those had made of it that bear it or an
    earlier one. (One machine's clock may be behind another's by a moment.)

    Raises:
        UnknownAccount: there is no such account.
        Invalid: the span is empty.
    """
    end = at if until is None else min(until, at)
    check_span(since, end)
    await accounts.account(database, uid)
    async with database.snapshot() as connection:
        first = await entries.last_by(connection, uid, since) or Mark(0, since, NOTHING)
        marks = await entries.marks(connection, uid, first.number, end, points + 1)
        every_change = len(marks) <= points
        if not every_change:
            marks = await entries.last_marks(connection, uid, first.number, since, end, points)
        changes = in_time(marks)
    last = changes[-1].balance if changes else first.balance
    told = [Point(since, first.balance), *changes]
    return BalanceHistory(
        uid, told if told[-1].at == end else [*told, Point(end, last)], every_change
    )


def in_time(marks: Iterable[Mark]) -> list[Point]:
    """The marks as points, in the order of time. One that a later entry was dated before, or at
    the same instant, was never seen."""
    found: list[Point] = []
    for mark in sorted(marks, key=lambda mark: mark.number, reverse=True):
        if not found or mark.at < found[-1].at:
            found.append(Point(mark.at, mark.balance))
    return found[::-1]
