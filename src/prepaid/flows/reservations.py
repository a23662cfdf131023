"""Reservations: what runs claims credits, says that it lives, and is settled."""

from datetime import datetime
from uuid import UUID

from prepaid.core.books import Account
from prepaid.core.commands import Held, Holding, Open
from prepaid.core.errors import UnknownAccount, UnknownReservation
from prepaid.core.reservations import Reservation
from prepaid.storage import accounts, reservations
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

PAGE = 100
"""Reservations in one answer, unless all that are open are asked for."""


async def hold(ledger: Ledger, asked: Open | Holding) -> Held:
    """Opens a reservation, or does something to one: a heartbeat, an extension, a settlement ...

    Raises:
        InsufficientCredits: the account has less than it takes.
        UnknownReservation: there is none, or it is another account's.
        ReservationClosed: it has ended.
        Refusal: not so, for another reason.
    """
    return await ledger.hold(asked)


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


async def listed(
    database: Database, account_uid: str, before: UUID | None, *, open_only: bool
) -> list[Reservation]:
    """An account's reservations, the newest first: all that are open, or a page of all there
    were, beginning before one.

    Raises:
        UnknownAccount: there is no such account.
    """
    async with database.reading() as connection:
        booked = await accounts.booked(connection, [account_uid])
        if open_only:
            running = await reservations.open_ones(connection, [account_uid])
            found = running[account_uid][::-1]
        else:
            found = await reservations.listed(connection, account_uid, before, PAGE)
    if not booked:
        raise UnknownAccount(f"There is no account {account_uid[:128]!r}.")
    return found


def held_of(one: Reservation, account: Account, at: datetime) -> Held:
    """A reservation with what its account says at an instant."""
    return Held(one, at, account.balance - account.reserved, account.shared_rate)
