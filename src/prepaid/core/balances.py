"""Balances: what an account has at an instant, with everything that burns reckoned to it."""

from collections.abc import Sequence
from datetime import datetime

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.books import Account
from prepaid.core.reservations import Reservation, runway, used
from prepaid.core.values import Value


class Balance(Value, frozen=True):
    """An account at an instant.

    `balance` is what is posted, before reservations; `reserved` what open reservations claim of
    it; `accrued` what they would cost if all ended now; `available` what can be spent besides.
    `burning_rate` is credits a second, of all together. `depletes_at` is when the first of those
    without a limit stops for want of credits, if all goes on as it does; None if none burns.
    """

    account_uid: str
    at: datetime
    balance: Credits
    reserved: Credits
    accrued: Credits
    available: Credits
    burning_rate: Credits
    depletes_at: datetime | None
    reservations: tuple[Reservation, ...]


def balance_of(account: Account, running: Sequence[Reservation], at: datetime) -> Balance:
    """The balance of an account whose open reservations these are."""
    available = account.balance - account.reserved
    if not running:
        return _at_rest(account, available, at)
    runways = (
        runway(one, at, available, account.shared_rate) for one in running if one.shared_rate
    )
    first = min((left for left in runways if left is not None), default=None)
    return Balance(
        account_uid=account.uid,
        at=at,
        balance=account.balance,
        reserved=account.reserved,
        accrued=Credits(sum(used(one, at).micro for one in running)),
        available=available,
        burning_rate=Credits(sum(one.burning_rate.micro for one in running)),
        depletes_at=None if first is None else at + first,
        reservations=tuple(running),
    )


def _at_rest(account: Account, available: Credits, at: datetime) -> Balance:
    """As most are: nothing runs, and there is nothing to reckon."""
    return Balance(
        account_uid=account.uid,
        at=at,
        balance=account.balance,
        reserved=account.reserved,
        accrued=NOTHING,
        available=available,
        burning_rate=NOTHING,
        depletes_at=None,
        reservations=(),
    )
