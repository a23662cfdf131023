"""Accounts, as operators make and the platform lists them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.storage.accounts import AccountRow
from prepaid.web.auth import Admin, Platform, TheService
from prepaid.web.bodies import CreditsNumber, ExactRoute, Json, Line, Uid
from prepaid.web.openapi import refusals

router = APIRouter(route_class=ExactRoute, tags=["operating"])


class AccountIn(BaseModel):
    """An account to be made: `uid` is the platform user's."""

    uid: str


class AccountOut(BaseModel):
    """An account: `credits` is what it has, `reserved` what reservations claim of that. The rest is
    null until its user first called."""

    uid: str
    credits: CreditsNumber
    reserved: CreditsNumber
    entries: int
    created_at: datetime
    handle: str | None
    email: str | None
    first_name: str | None
    last_name: str | None


class OneAccountOut(BaseModel):
    """An account."""

    success: bool = True
    message: str = "OK"
    account: AccountOut


class AccountsOut(BaseModel):
    """Accounts by uid. `next_after` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    accounts: list[AccountOut]
    next_after: str | None


@router.post(
    "/api/iam/v1/accounts",
    status_code=201,
    response_model=OneAccountOut,
    responses=refusals(400, 401, 403, 413, 422, 503),
)
async def make_account(service: TheService, caller: Admin, asked: AccountIn) -> Response:
    """Makes an account, or finds it."""
    del caller
    made = await accounts.create(service.database, asked.uid, service.clock())
    return Json(OneAccountOut(account=_account(made)), status_code=201)


@router.get(
    "/api/iam/v1/accounts", response_model=AccountsOut, responses=refusals(401, 403, 422, 503)
)
async def list_accounts(
    service: TheService,
    caller: Platform,
    after: Annotated[Line, Query(max_length=128)] = "",
    limit: Annotated[int, Query(ge=1, le=accounts.PAGE)] = accounts.PAGE,
    search: Annotated[
        Line,
        Query(
            max_length=128,
            description="Only whose uid, handle, e-mail, first, last or full name begins so.",
        ),
    ] = "",
) -> Response:
    """All accounts, a page at a time."""
    del caller
    found = await accounts.listed(service.database, after, limit, search)
    more = found[-1].uid if len(found) == limit else None
    return Json(AccountsOut(accounts=[_account(one) for one in found], next_after=more))


@router.get(
    "/api/iam/v1/accounts/{account_uid}",
    response_model=OneAccountOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def one_account(service: TheService, caller: Platform, account_uid: Uid) -> Response:
    """One account, and who it belongs to."""
    del caller
    found = await accounts.account(service.database, account_uid)
    return Json(OneAccountOut(account=_account(found)))


def _account(row: AccountRow) -> AccountOut:
    profile = row.profile
    return AccountOut(
        uid=row.uid,
        credits=number(row.balance),
        reserved=number(row.reserved),
        entries=row.entries,
        created_at=row.created_at,
        handle=profile.handle if profile else None,
        email=profile.email if profile else None,
        first_name=profile.first_name if profile else None,
        last_name=profile.last_name if profile else None,
    )
