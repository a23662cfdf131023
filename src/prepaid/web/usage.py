"""What an account has, as Datalayer's clients read it."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from fastapi import APIRouter
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.balances import Balance
from prepaid.core.identity import Caller
from prepaid.exact import number
from prepaid.flows import balances
from prepaid.service import Service
from prepaid.web.auth import Platform, TheAccount, TheService, account_for
from prepaid.web.bodies import CreditsNumber, Json, Uid
from prepaid.web.front import Asked, Later, Unusual
from prepaid.web.openapi import refusals
from prepaid.web.reservations import ReservationOut, reservation_out

router = APIRouter(tags=["usage"])

CREDITS, MISSING_SLASH = "/api/iam/v1/usage/credits", "/api/iam/v1usage/credits"

QUERY = re.compile(rb"(?:account_uid=([A-Za-z0-9._-]{1,128}))?")
"""A query that says what it means as it stands."""


@dataclass(slots=True, kw_only=True)
class CreditsOut:
    """`credits` is what remains, before reservations. `quota` is always null: Datalayer's clients
    take `credits` for what was consumed if it isn't."""

    credits: CreditsNumber
    quota: None = None
    last_update: datetime


@dataclass(slots=True, kw_only=True)
class BalanceTold:
    """A balance as Datalayer's clients read it (`credits`, `reservations`), and the fuller view.

    `balance` is what is posted, `reserved` what open reservations claim of it, `accrued` what they
    have cost by now, `available` what can be spent besides. Burning rates are credits a second,
    and an hour. `depletes_at` is when the first of those without a limit stops for want of
    credits, if all goes on as it does; null if none burns.
    """

    credits: CreditsOut
    reservations: list[ReservationOut]
    account_uid: str
    balance: CreditsNumber
    reserved: CreditsNumber
    accrued: CreditsNumber
    available: CreditsNumber
    burning_rate: CreditsNumber
    burning_rate_per_hour: CreditsNumber
    depletes_at: datetime | None


@dataclass(slots=True, kw_only=True)
class BalanceOut(BalanceTold):
    """A balance."""

    success: bool = True
    message: str = "OK"


Told = TypeVar("Told", bound=BalanceTold)


@router.get(
    CREDITS,
    response_model=BalanceOut,
    responses=refusals(401, 403, 404, 422, 503),
)
@router.get(MISSING_SLASH, include_in_schema=False)  # as Datalayer's client asks
async def balance(service: TheService, account_uid: TheAccount) -> Response:
    """What an account has."""
    return Json(await _balance(service, account_uid))


def balance_at_once(asked: Asked) -> Later[Balance]:
    """The same as `balance`, for a query that names an account in one plain way, or none."""
    named = QUERY.fullmatch(asked.query)
    if named is None:
        raise Unusual
    uid = named[1].decode() if named[1] else None

    def begin(caller: Caller) -> asyncio.Future[Balance]:
        return balances.current(asked.service.reader, account_for(caller, uid))

    return Later(asked.by(begin), lambda found: Json(balance_out(found, BalanceOut)))


@router.get(
    "/api/iam/v1/usage/credits/users/{account_uid}",
    response_model=BalanceOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def balance_of(service: TheService, caller: Platform, account_uid: Uid) -> Response:
    """What some account has, for the platform."""
    del caller
    return Json(await _balance(service, account_uid))


def balance_out(found: Balance, kind: type[Told]) -> Told:
    """A balance as it is written on the wire."""
    return kind(
        credits=CreditsOut(credits=number(found.balance), last_update=found.at),
        reservations=[reservation_out(one, found.at) for one in found.reservations],
        account_uid=found.account_uid,
        balance=number(found.balance),
        reserved=number(found.reserved),
        accrued=number(found.accrued),
        available=number(found.available),
        burning_rate=number(found.burning_rate),
        burning_rate_per_hour=number(Credits(found.burning_rate.micro * 3600)),
        depletes_at=found.depletes_at,
    )


async def _balance(service: Service, account_uid: str) -> BalanceOut:
    return balance_out(await balances.current(service.reader, account_uid), BalanceOut)
