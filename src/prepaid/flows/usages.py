"""Usages: what resources have cost, each as it was reserved for or charged, a page at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.entries import Entry, Kind
from prepaid.core.filters import EVERY, Filter
from prepaid.core.reservations import Reservation
from prepaid.core.values import Value
from prepaid.flows import accounts
from prepaid.storage import entries, reservations
from prepaid.storage.database import Database

Usage = Reservation | Entry
"""A reservation, running or ended, or the entry of a charge. A reservation's settlement is none of
its own."""

PAGE = accounts.PAGE

CHARGES = frozenset((Kind.CHARGE,))


class Before(Value, frozen=True):
    """Where a page begins: before a charge's number, and before a reservation. None is the end."""

    charge: int | None = None
    reservation: UUID | None = None


THE_END = Before()


@dataclass(frozen=True, slots=True)
class Page:
    """Usages, the newest first. `next_before` begins the next page; None on the last."""

    usages: list[Usage]
    next_before: Before | None


async def page(
    database: Database,
    uid: str,
    wanted: Filter = EVERY,
    before: Before = THE_END,
    limit: int = PAGE,
) -> Page:
    """An account's usages that are wanted.

    Raises:
        UnknownAccount: there is no such account.
    """
    await accounts.account(database, uid)
    spent = replace(wanted, kinds=CHARGES)
    async with database.snapshot() as connection:
        held = await reservations.listed(
            connection, uid, before.reservation, limit + 1, wanted=wanted
        )
        charged = await entries.of_account(connection, uid, before.charge, limit + 1, spent)
    return _page(held, charged, before, limit)


async def platform_page(
    database: Database,
    wanted: Filter = EVERY,
    before: Before = THE_END,
    limit: int = PAGE,
) -> Page:
    """Everybody's usages that are wanted, of reservations alone: entries are kept by account, so
    that nobody can page through the charges of all."""
    async with database.reading() as connection:
        held = await reservations.listed(
            connection, None, before.reservation, limit + 1, wanted=wanted
        )
    return _page(held, [], before, limit)


def began_at(usage: Usage) -> datetime:
    """When a usage began."""
    return usage.at if isinstance(usage, Entry) else usage.started_at


def _page(held: Iterable[Usage], charged: Iterable[Usage], before: Before, limit: int) -> Page:
    """The newest of both. Each came in its own order, and keeps it: so a page ends at one place of
    each, wherever clocks of two machines disagreed. There is one too many if another page follows.
    """
    found = [*islice(merge(held, charged, key=began_at, reverse=True), limit + 1)]
    shown = found[:limit]
    return Page(shown, _after(shown, before) if len(found) > limit else None)


def _after(shown: Sequence[Usage], before: Before) -> Before:
    for usage in shown:
        if isinstance(usage, Entry):
            before = replace(before, charge=usage.number)
        else:
            before = replace(before, reservation=usage.id)
    return before
