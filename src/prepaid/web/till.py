"""The till, as operators look at it: checkouts, and the events that Stripe has told of them."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from prepaid.core.amounts import Money
from prepaid.core.checkouts import Checkout, State
from prepaid.core.commands import Verdict
from prepaid.core.quarantine import remedy
from prepaid.exact import number
from prepaid.flows import accounts, till
from prepaid.storage.inbox import Letter, Place
from prepaid.storage.tables import EPOCH, microseconds
from prepaid.web.auth import Admin, TheService
from prepaid.web.bodies import CreditsNumber, Json, Uid
from prepaid.web.grants import MoneyOut
from prepaid.web.openapi import refusals

router = APIRouter(tags=["operating"])

CHECKOUTS = "/api/iam/stripe/v1/checkouts"
EVENTS = "/api/iam/stripe/v1/events"

NAME = "[A-Za-z0-9_-]{1,255}"
"""An id that Stripe made."""

CURSOR = f"^[0-9]{{1,16}}[.]{NAME}$"


class OfferOut(BaseModel):
    """A checkout, as the signed webhook has told of it: open, processing, credited, failed or
    expired. `price` is before tax, `paid` with it; null until it was paid."""

    id: UUID
    account_uid: str
    state: State
    price_id: str
    credits: CreditsNumber
    price: MoneyOut
    paid: MoneyOut | None
    livemode: bool
    customer_id: str
    session_id: str | None
    payment_intent: str | None
    created_at: datetime
    expires_at: datetime
    credited_at: datetime | None


class OffersOut(BaseModel):
    """Checkouts, the newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    checkouts: list[OfferOut]
    next_before: UUID | None


class LetterOut(BaseModel):
    """An event about a checkout of ours, and what became of it. In quarantine it moved nothing:
    `why` says for what reason, and `remedy` what to do. `account_uid` is the checkout's, if there
    is one. An event that was judged again has the instant of the last time."""

    event_id: str
    type: str
    verdict: Verdict
    why: str
    remedy: str
    session_id: str
    account_uid: str | None
    at: datetime


class LettersOut(BaseModel):
    """Events, the newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    events: list[LetterOut]
    next_before: str | None


class OneLetterOut(BaseModel):
    """An event, and its payload as it came: text of JSON."""

    success: bool = True
    message: str = "OK"
    event: LetterOut
    payload: str


Limit = Annotated[int, Query(ge=1, le=accounts.PAGE)]


@router.get(CHECKOUTS, response_model=OffersOut, responses=refusals(401, 403, 422, 503))
async def list_checkouts(  # noqa: PLR0913, PLR0917 - parameters of a query, each with its name
    service: TheService,
    caller: Admin,
    account_uid: Annotated[Uid | None, Query(description="Only this account's.")] = None,
    state: Annotated[State | None, Query(description="Only in this state.")] = None,
    session_id: Annotated[
        str | None,
        StringConstraints(pattern=f"^{NAME}$"),
        Query(description="Only the one with this session at Stripe, whatever else is asked."),
    ] = None,
    before: UUID | None = None,
    limit: Limit = accounts.PAGE,
) -> Response:
    """Everybody's checkouts."""
    del caller
    if session_id is not None:
        found = await till.offer(service.database, session_id)
        return Json(OffersOut(checkouts=[_offer(one) for one in found], next_before=None))
    found = await till.offers(service.database, before, limit + 1, account_uid, state)
    shown = found[:limit]  # the one more says whether a page follows
    more = shown[-1].id if len(found) > limit else None
    return Json(OffersOut(checkouts=[_offer(one) for one in shown], next_before=more))


@router.get(EVENTS, response_model=LettersOut, responses=refusals(401, 403, 422, 503))
async def list_events(
    service: TheService,
    caller: Admin,
    verdict: Annotated[Verdict | None, Query(description="Only with this verdict.")] = None,
    before: Annotated[
        str | None,
        StringConstraints(pattern=CURSOR),
        Query(description="A page's `next_before`."),
    ] = None,
    limit: Limit = accounts.PAGE,
) -> Response:
    """The inbox: every event about a checkout of ours, and what became of it."""
    del caller
    found = await till.letters(service.database, _place(before), limit + 1, verdict)
    shown = found[:limit]
    more = _cursor(shown[-1].place) if len(found) > limit else None
    return Json(LettersOut(events=[_letter(one) for one in shown], next_before=more))


@router.get(
    f"{EVENTS}/{{event_id}}",
    response_model=OneLetterOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def one_event(
    service: TheService, caller: Admin, event_id: Annotated[str, Path(pattern=f"^{NAME}$")]
) -> Response:
    """One event, with its payload as it came."""
    del caller
    found, payload = await till.letter(service.database, event_id)
    return Json(OneLetterOut(event=_letter(found), payload=payload))


def _offer(one: Checkout) -> OfferOut:
    return OfferOut(
        id=one.id,
        account_uid=one.account_uid,
        state=one.state,
        price_id=one.price_id,
        credits=number(one.credits),
        price=_money(one.price),
        paid=None if one.paid_total is None else _money(one.paid_total),
        livemode=one.livemode,
        customer_id=one.customer_id,
        session_id=one.session_id,
        payment_intent=one.payment_intent,
        created_at=one.created_at,
        expires_at=one.expires_at,
        credited_at=one.credited_at,
    )


def _letter(one: Letter) -> LetterOut:
    return LetterOut(
        event_id=one.event_id,
        type=one.type,
        verdict=one.verdict,
        why=one.why,
        remedy=remedy(one.why) if one.verdict is Verdict.QUARANTINED else "",
        session_id=one.session_id,
        account_uid=one.account_uid,
        at=one.at,
    )


def _money(amount: Money) -> MoneyOut:
    return MoneyOut(amount=amount.minor, currency=amount.currency)


def _cursor(place: Place) -> str:
    return f"{microseconds(place.at)}.{place.event_id}"


def _place(written: str | None) -> Place | None:
    if written is None:
        return None
    at, _, event_id = written.partition(".")
    return Place(EPOCH + timedelta(microseconds=int(at)), event_id)
