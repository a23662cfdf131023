"""Grants over HTTP: given by an operator, listed, and taken back, each with a reason."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import Give, Posted, Reverse
from prepaid.core.entries import Kind
from prepaid.core.grants import Grant
from prepaid.core.identity import idempotency_key
from prepaid.exact import number
from prepaid.flows import accounts, grants
from prepaid.ids import new_id
from prepaid.web.auth import Admin, Platform, TheService
from prepaid.web.bodies import CreditsNumber, ExactRoute, Instant, Json, Line, Uid
from prepaid.web.openapi import refusals
from prepaid.wire import EntryOut, entry_out

router = APIRouter(route_class=ExactRoute, tags=["operating"])

GRANTS = "/api/iam/v1/accounts/{account_uid}/grants"


class GrantIn(BaseModel):
    """Credits to be granted. The same `key` grants once, however often it is sent."""

    credits: CreditsNumber
    key: str
    reason: Line = Field(min_length=1, max_length=500)
    kind: Literal["promotion", "adjustment"] = "promotion"
    expires_at: Instant | None = None


class ReversalIn(BaseModel):
    """Credits to be taken back; without them, all that is left of the grant and not reserved. The
    same `key` takes once, however often it is sent."""

    credits: CreditsNumber | None = None
    key: str
    reason: Line = Field(min_length=1, max_length=500)


class PostedOut(BaseModel):
    """The entry that was posted, now or (`replayed`) when the key was first sent."""

    success: bool = True
    message: str = "OK"
    entry: EntryOut
    replayed: bool


class MoneyOut(BaseModel):
    """Money, in the currency's minor unit: cents."""

    amount: int
    currency: str


class GrantOut(BaseModel):
    """Credits that came together, and what is left of them. What has the lowest `priority` is spent
    first. `paid` is before tax; null if they were given. The entry that gave them has this id."""

    id: UUID
    kind: str
    priority: int
    credits: CreditsNumber
    remaining: CreditsNumber
    paid: MoneyOut | None
    expires_at: datetime | None
    at: datetime


class GrantsOut(BaseModel):
    """Grants, in the order in which they are spent."""

    success: bool = True
    message: str = "OK"
    grants: list[GrantOut]


@router.post(
    GRANTS,
    status_code=201,
    response_model=PostedOut,
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
    return _told(posted)


@router.get(GRANTS, response_model=GrantsOut, responses=refusals(401, 403, 404, 422, 503))
async def list_grants(
    service: TheService,
    caller: Platform,
    account_uid: Uid,
    state: Annotated[
        Literal["left", "all"], Query(description="`left`: only what has something left.")
    ] = "left",
) -> Response:
    """Where an account's credits came from, in the order in which they are spent."""
    del caller
    found = await grants.of_account(service.database, account_uid)
    shown = [grant_out(one) for one in found if one.remaining or state == "all"]
    return Json(GrantsOut(grants=shown))


@router.post(
    f"{GRANTS}/{{grant_id}}/reversal",
    status_code=201,
    response_model=PostedOut,
    responses=refusals(400, 401, 402, 403, 404, 409, 413, 422, 503),
)
async def reversal(
    service: TheService, caller: Admin, account_uid: Uid, grant_id: UUID, asked: ReversalIn
) -> Response:
    """Takes credits back from a grant; the operator's name and reason stay in the books. What has
    been spent or is reserved can't be taken back."""
    posted = await grants.reverse(
        service.ledger,
        Reverse(
            id=new_id(),
            account_uid=account_uid,
            key=idempotency_key(asked.key),
            grant_id=grant_id,
            credits=None if asked.credits is None else Credits.read(asked.credits),
            reason=asked.reason,
            actor=caller.name,
        ),
    )
    return _told(posted)


def grant_out(one: Grant) -> GrantOut:
    """A grant as it is written on the wire."""
    paid = None if one.paid is None else MoneyOut(amount=one.paid.minor, currency=one.paid.currency)
    return GrantOut(
        id=one.id,
        kind=one.kind,
        priority=one.priority,
        credits=number(one.credits),
        remaining=number(one.remaining),
        paid=paid,
        expires_at=one.expires_at,
        at=one.at,
    )


def _told(posted: Posted) -> Response:
    told = PostedOut(entry=entry_out(posted.entry), replayed=posted.replayed)
    return Json(told, status_code=201)
