"""How a balance came about: its entries, a page at a time."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.core.entries import Entry
from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.web.auth import AccountUid, AnyCaller, TheService, account_for
from prepaid.web.bodies import CreditsNumber, Json
from prepaid.web.openapi import refusals

router = APIRouter(tags=["usage"])


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
