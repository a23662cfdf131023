"""Reservations: what runs claims credits, says that it lives, and is settled."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prepaid.core.books import Account
from prepaid.core.commands import Held, Holding, Open
from prepaid.core.errors import UnknownReservation
from prepaid.core.filters import EVERY, Filter
from prepaid.core.reservations import Reservation
from prepaid.flows.accounts import PAGE, account
from prepaid.storage import accounts, burning, reservations
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger


@dataclass(frozen=True, slots=True)
class Page:
    """Some reservations, the newest first. `next_before` names the one that the next page begins
    before; None on the last."""

    reservations: list[Reservation]
    next_before: str | None


def hold(ledger: Ledger, asked: Open | Holding) -> asyncio.Future[Held]:
    """Opens a reservation, or does something to one: a heartbeat, an extension, a settlement ...

    Raises:
        InsufficientCredits: the account has less than it takes.
        UnknownReservation: there is none, or it is another account's.
        ReservationClosed: it has ended.
        Refusal: not so, for another reason.
    """
    return ledger.holding(asked)


async def found(database: Database, id_: UUID, account_uid: str | None, at: datetime) -> Held:
    """A reservation as it is; a user sees their own.

    Raises:
        UnknownReservation: there is none, or it is another account's.
    """
    async with database.snapshot() as connection:
        one = await reservations.find(connection, id_)
        owners = [] if one is None else [one.account_uid]
        booked = await accounts.booked(connection, owners)
    if one is None or account_uid not in {None, one.account_uid}:
        raise UnknownReservation("There is no such reservation.")
    return held_of(one, booked[one.account_uid], at)


async def running(database: Database, uid: str) -> list[Reservation]:
    """All of an account's open reservations, the newest first.

    Raises:
        UnknownAccount: there is no such account.
    """
    await account(database, uid)
    async with database.reading() as connection:
        opened = await reservations.open_ones(connection, [uid])
    return opened[uid][::-1]


async def page(
    database: Database,
    uid: str | None,
    wanted: Filter = EVERY,
    before: UUID | None = None,
    limit: int = PAGE,
) -> Page:
    """The reservations that are wanted, open or ended, of an account or of everybody, beginning
    before one.

    Raises:
        UnknownAccount: there is no such account.
    """
    if uid is not None:
        await account(database, uid)
    async with database.reading() as connection:  # one more, which says whether a page follows
        found = await reservations.listed(connection, uid, before, limit + 1, wanted=wanted)
    return _page(found, limit)


async def open_page(
    database: Database, uid: str | None, before: UUID | None = None, limit: int = PAGE
) -> Page:
    """What is open, of an account or of everybody, beginning before one.

    Raises:
        UnknownAccount: there is no such account.
    """
    if uid is not None:
        await account(database, uid)
    async with database.reading() as connection:
        found = await burning.newest(connection, uid, before, limit + 1)
    return _page(found, limit)


def _page(found: list[Reservation], limit: int) -> Page:
    return Page(found[:limit], found[limit - 1].name if len(found) > limit else None)


def held_of(one: Reservation, account: Account, at: datetime) -> Held:
    """A reservation with what its account says at an instant."""
    return Held(one, at, account.balance - account.reserved, account.shared_rate)
