"""What an account has and how it came about, as Datalayer's clients read it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.core.entries import Entry
from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.service import Service
from prepaid.web.auth import AnyCaller, Platform, TheService, account_for
from prepaid.web.bodies import CreditsNumber, Json, Uid
from prepaid.web.openapi import refusals

router = APIRouter(tags=["usage"])

AccountUid = Annotated[
    Uid | None, Query(description="The account; a user may only name their own.")
]


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


class EntryOut(BaseModel):
    """One change of a balance: `credits` is signed, `balance` is what there was after it."""

    number: int
    id: str
    kind: str
    credits: CreditsNumber
    balance: CreditsNumber
    at: datetime
    source: str
    reason: str
    actor: str
    key: str


class EntriesOut(BaseModel):
    """Entries, newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    entries: list[EntryOut]
    next_before: int | None


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


@router.get(
    "/api/iam/v1/usage/entries",
    response_model=EntriesOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def entries(
    service: TheService,
    caller: AnyCaller,
    account_uid: AccountUid = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=accounts.PAGE)] = accounts.PAGE,
) -> Response:
    """How a balance came about."""
    uid = account_for(caller, account_uid)
    found = await accounts.history(service.database, uid, before, limit)
    more = found[-1].number if found and found[-1].number > 1 else None
    return Json(EntriesOut(entries=[entry_out(entry) for entry in found], next_before=more))


def entry_out(entry: Entry) -> EntryOut:
    """An entry as it is written on the wire."""
    return EntryOut(
        number=entry.number,
        id=str(entry.id),
        kind=entry.kind,
        credits=number(entry.credits),
        balance=number(entry.balance),
        at=entry.at,
        source=entry.source,
        reason=entry.reason,
        actor=entry.actor,
        key=entry.key,
    )


async def _balance(service: Service, account_uid: str) -> BalanceOut:
    found = await accounts.balance(service.database, account_uid, service.clock())
    return BalanceOut(credits=CreditsOut(credits=number(found.credits), last_update=found.at))
