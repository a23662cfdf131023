"""Reservations: what runs and ran, and what an operator does to one by hand.

Whatever is done is done as the platform: to anybody's reservation, whoever opened it.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from prepaid.cli.options import key_or_new
from prepaid.cli.reports import Report
from prepaid.cli.telling import (
    ReservationOut,
    description,
    held_out,
    listing,
    reservation_out,
    sentence,
)
from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, ChangeRate, Extend, Held, Holding, Open, Release, Settle
from prepaid.core.errors import Invalid, InvalidCredits, InvalidRate, UnknownReservation
from prepaid.flows import reservations
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger, time_of
from prepaid.settings import read_database_settings

NAME = re.compile("[a-z][a-z0-9_-]{0,49}-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""How the API calls a reservation: runtime-01939c4e-..."""

LONGEST_RESOURCE = 200
"""Characters of a resource, as in the API."""


@dataclass(frozen=True, slots=True)
class ReservationsOut:
    """Reservations, the newest first. `next_before` begins the next page; null on the last."""

    reservations: list[ReservationOut]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class Opening:
    """What an operator wants to run. Without a key each call opens anew."""

    account_uid: str
    resource: str
    rate: str
    limit: str | None
    heartbeat_seconds: int
    actor: str
    key: str | None


async def listed(uid: str | None, before: str | None, limit: int, *, everything: bool) -> Report:
    """A page of what runs, or (`everything`) ran too, of an account or of everybody."""
    beginning = None if before is None else id_of(before)
    async with open_database(read_database_settings().database) as database:
        if everything:
            page = await reservations.page(database, uid, before=beginning, limit=limit)
        else:
            page = await reservations.open_page(database, uid, beginning, limit)
        now, more = await time_of(database), page.next_before
    return Report(
        ReservationsOut([reservation_out(one, now) for one in page.reservations], more),
        [listing(page.reservations, now), *([f"Older: --before {more}"] if more else [])],
    )


async def shown(name: str) -> Report:
    """One reservation."""
    id_ = id_of(name)
    async with open_database(read_database_settings().database) as database:
        held = await reservations.found(database, id_, None, await time_of(database))
    return Report(held_out(held), [description(held)])


async def opened(asked: Opening) -> Report:
    """A reservation that is open from now on; its holder is whoever sends heartbeats."""
    held = await _done(_open(asked))
    had_been = "It had been opened before. " if held.replayed else ""
    told = f"{had_been}Its key is {held.reservation.key}."
    return Report(held_out(held), [sentence(held), told])


async def beaten(name: str) -> Report:
    """A reservation whose holder lives."""
    return await _told(Beat(id_of(name), None))


async def extended(name: str, limit: str | None) -> Report:
    """A reservation with a higher limit; without a limit, one whose slice is filled."""
    return await _told(Extend(id_of(name), None, None if limit is None else Credits.read(limit)))


async def rated(name: str, rate: str) -> Report:
    """A reservation that burns at another rate from now on."""
    return await _told(ChangeRate(id_of(name), None, _rate(rate)))


async def settled(name: str, spent: str | None) -> Report:
    """A reservation that has ended, and what it has cost."""
    return await _told(Settle(id_of(name), None, None if spent is None else Credits.read(spent)))


async def released(name: str) -> Report:
    """A reservation that has ended at no cost."""
    return await _told(Release(id_of(name), None))


def id_of(name: str) -> UUID:
    """The id behind a name such as runtime-01939c4e-..., written as the API writes it.

    Raises:
        UnknownReservation: no reservation can be called so.
    """
    written = NAME.fullmatch(name)
    if written is None:
        raise UnknownReservation("There is no such reservation.")
    return UUID(written[1])


async def _told(asked: Holding) -> Report:
    held = await _done(asked)
    return Report(held_out(held), [sentence(held)])


async def _done(asked: Open | Holding) -> Held:
    settings = read_database_settings()
    async with (
        open_database(settings.database) as database,
        open_ledger(database, warn=settings.warn_seconds) as ledger,
    ):
        return await reservations.hold(ledger, asked)


def _open(asked: Opening) -> Open:
    if not 0 < len(asked.resource) <= LONGEST_RESOURCE:
        raise Invalid(f"A resource has 1 to {LONGEST_RESOURCE} characters.")
    id_ = new_id()
    return Open(
        id=id_,
        account_uid=asked.account_uid,
        key=key_or_new(asked.key, id_),
        resource=asked.resource,
        resource_type="runtime",
        given_name="",
        burning_rate=_rate(asked.rate),
        limit=None if asked.limit is None else Credits.read(asked.limit),
        heartbeat_seconds=asked.heartbeat_seconds,
        actor=asked.actor,
        by_platform=True,
    )


def _rate(written: str) -> Credits:
    try:
        return Credits.read(written)
    except InvalidCredits as wrong:
        raise InvalidRate(str(wrong)) from None
