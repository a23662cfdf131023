"""Balances: what an account has, what claims it, and how long it lasts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.console import RenderableType

from prepaid.cli.reports import Report, lasting, moment
from prepaid.cli.telling import ReservationOut, an_hour, listing, reservation_out
from prepaid.core.balances import Balance
from prepaid.exact import number
from prepaid.flows import balances
from prepaid.opening import open_database, time_of
from prepaid.settings import read_database_settings


@dataclass(frozen=True, slots=True)
class BalanceOut:
    """What an account has at an instant, in the API's words, and what runs, the oldest first."""

    account_uid: str
    at: datetime
    balance: Decimal
    reserved: Decimal
    accrued: Decimal
    available: Decimal
    burning_rate: Decimal
    burning_rate_per_hour: Decimal
    depletes_at: datetime | None
    reservations: list[ReservationOut]


async def balance(uid: str) -> Report:
    """What an account has."""
    async with open_database(read_database_settings().database) as database:
        found = await balances.balance(database, uid, await time_of(database))
    return Report(_balance_out(found), [*_sentences(found)])


def _balance_out(found: Balance) -> BalanceOut:
    return BalanceOut(
        account_uid=found.account_uid,
        at=found.at,
        balance=number(found.balance),
        reserved=number(found.reserved),
        accrued=number(found.accrued),
        available=number(found.available),
        burning_rate=number(found.burning_rate),
        burning_rate_per_hour=number(an_hour(found.burning_rate)),
        depletes_at=found.depletes_at,
        reservations=[reservation_out(one, found.at) for one in found.reservations],
    )


def _sentences(found: Balance) -> Iterator[RenderableType]:
    yield f"{found.account_uid} has {found.balance} credits."
    if not found.reservations:
        return
    yield f"{found.reserved} of them are reserved; {found.available} are available."
    yield f"What runs has used {found.accrued}, and burns {an_hour(found.burning_rate)} an hour."
    if found.depletes_at is not None:
        left = lasting(found.depletes_at - found.at)
        at = moment(found.depletes_at)
        yield f"If all goes on as it does, the first stops for want of credits in {left}, at {at}."
    yield listing(found.reservations, found.at)
