"""What an account has, as Datalayer's clients read it."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.service import Service
from prepaid.web.auth import AccountUid, AnyCaller, Platform, TheService, account_for
from prepaid.web.bodies import CreditsNumber, Json, Uid
from prepaid.web.openapi import refusals

router = APIRouter(tags=["usage"])


class CreditsOut(BaseModel):
    """`credits` is what remains, before reservations. `quota` is always null: Datalayer's clients
    take `credits` for what was consumed if it isn't."""

    credits: CreditsNumber
    quota: None = None
    last_update: datetime


class BalanceOut(BaseModel):
    """A balance, and what is reserved of it."""

    success: bool = True
    message: str = "OK"
    credits: CreditsOut
    reservations: list[None] = []


@router.get(
    "/api/iam/v1/usage/credits",
    response_model=BalanceOut,
    responses=refusals(401, 403, 404, 422, 503),
)
@router.get("/api/iam/v1usage/credits", include_in_schema=False)  # as Datalayer's client asks
async def balance(
    service: TheService, caller: AnyCaller, account_uid: AccountUid = None
) -> Response:
    """What an account has."""
    return Json(await _balance(service, account_for(caller, account_uid)))


@router.get(
    "/api/iam/v1/usage/credits/users/{account_uid}",
    response_model=BalanceOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def balance_of(service: TheService, caller: Platform, account_uid: Uid) -> Response:
    """What some account has, for the platform."""
    del caller
    return Json(await _balance(service, account_uid))


async def _balance(service: Service, account_uid: str) -> BalanceOut:
    found = await accounts.balance(service.database, account_uid, service.clock())
    return BalanceOut(credits=CreditsOut(credits=number(found.credits), last_update=found.at))
