"""Activity: who burns credits now, how fast, and on what."""

from dataclasses import dataclass
from datetime import datetime

from prepaid.core.books import Account
from prepaid.core.commands import Held
from prepaid.core.errors import UnknownAccount
from prepaid.core.reservations import Reservation, runway
from prepaid.flows.reservations import held_of
from prepaid.storage import accounts, burning
from prepaid.storage.burning import Burning
from prepaid.storage.database import Database


@dataclass(frozen=True, slots=True)
class Burner:
    """An account that burns. `depletes_at` is when the first of its reservations without a limit
    stops for want of credits, if all goes on as it does; None if none burns."""

    account: Account
    burning: Burning
    depletes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Activity:
    """What is going on at an instant: all of it in sum, and the busiest, these first.

    An account that was asked for is in it, whether or not it burns.
    """

    at: datetime
    burning: Burning
    burners: tuple[Burner, ...]
    busiest: tuple[Held, ...]


async def activity(
    database: Database, at: datetime, most: int, account_uid: str | None = None
) -> Activity:
    """The accounts and the reservations that burn most, at most so many of each; those of one
    account, if it is named. It is one consistent picture.

    Each goes through all that is open: ten thousand reservations take some 50 ms.

    Raises:
        UnknownAccount: there is no such account.
    """
    async with database.snapshot() as connection:
        in_all = await burning.in_all(connection, account_uid)
        rates = await burning.of_accounts(connection, account_uid, most)
        busiest = await burning.busiest(connection, account_uid, most)
        named = [] if account_uid is None else [account_uid]
        uids = list(dict.fromkeys([*rates, *named]))
        owners = {one.account_uid for one in busiest}
        booked = await accounts.booked(connection, {*uids, *owners})
        first_out = await burning.first_out(connection, uids)
    if account_uid is not None and account_uid not in booked:
        raise UnknownAccount(account_uid)
    return Activity(
        at=at,
        burning=in_all,
        burners=tuple(
            Burner(booked[uid], rates.get(uid, in_all), _depletes_at(booked[uid], first_out, at))
            for uid in uids
        ),
        busiest=tuple(held_of(one, booked[one.account_uid], at) for one in busiest),
    )


def _depletes_at(
    account: Account, first_out: dict[str, Reservation], at: datetime
) -> datetime | None:
    """As a balance tells it: all of an account share what is available, so the one that has the
    least reserved stops first."""
    one = first_out.get(account.uid)
    available = account.balance - account.reserved
    left = None if one is None else runway(one, at, available, account.shared_rate)
    return None if left is None else at + left
