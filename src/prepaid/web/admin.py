"""What operators do: make accounts and grant credits, with a reason."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import Give
from prepaid.core.entries import Kind
from prepaid.core.identity import idempotency_key
from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.ids import new_id
from prepaid.storage.accounts import AccountRow
from prepaid.web.auth import Admin, Platform, TheService
from prepaid.web.bodies import CreditsNumber, ExactRoute, Instant, Json, Line, Uid
from prepaid.web.openapi import refusals
from prepaid.wire import EntryOut, entry_out

router = APIRouter(route_class=ExactRoute, tags=["operating"])


class AccountIn(BaseModel):
    """An account to be made: `uid` is the platform user's."""

    uid: str


class AccountOut(BaseModel):
    """An account. `handle` and `email` are null until its user first called."""

    uid: str
    credits: CreditsNumber
    entries: int
    created_at: datetime
    handle: str | None
    email: str | None


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


class GrantIn(BaseModel):
    """Credits to be granted. The same `key` grants once, however often it is sent."""

    credits: CreditsNumber
    key: str
    reason: Line = Field(min_length=1, max_length=500)
    kind: Literal["promotion", "adjustment"] = "promotion"
    expires_at: Instant | None = None


class GrantOut(BaseModel):
    """The entry that was posted, now or (`replayed`) when the key was first sent."""

    success: bool = True
    message: str = "OK"
    entry: EntryOut
    replayed: bool


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
) -> Response:
    """All accounts, a page at a time."""
    del caller
    found = await accounts.listed(service.database, after, limit)
    more = found[-1].uid if len(found) == limit else None
    return Json(AccountsOut(accounts=[_account(one) for one in found], next_after=more))


@router.post(
    "/api/iam/v1/accounts/{account_uid}/grants",
    status_code=201,
    response_model=GrantOut,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 503),
)
async def grant(service: TheService, caller: Admin, account_uid: Uid, asked: GrantIn) -> Response:
    """Grants credits; the operator's name and reason stay in the books."""
    posted = await accounts.give(
        service.ledger,
        Give(
            id=new_id(),
            account_uid=account_uid,
            key=idempotency_key(asked.key),
            credits=Credits.read(asked.credits),
            kind=Kind(asked.kind),
            reason=asked.reason,
            actor=caller.name,
            expires_at=asked.expires_at,
        ),
    )
    return Json(GrantOut(entry=entry_out(posted.entry), replayed=posted.replayed), status_code=201)


def _account(row: AccountRow) -> AccountOut:
    profile = row.profile
    return AccountOut(
        uid=row.uid,
        credits=number(row.balance),
        entries=row.entries,
        created_at=row.created_at,
        handle=profile.handle if profile else None,
        email=profile.email if profile else None,
    )
