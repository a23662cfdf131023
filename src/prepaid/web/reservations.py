"""Reservations over HTTP: opened by what runs, kept alive by heartbeats, settled at the end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Extend,
    Held,
    Holding,
    Open,
    Release,
    Settle,
)
from prepaid.core.errors import UnknownReservation
from prepaid.core.identity import Caller, Scope, idempotency_key
from prepaid.core.reservations import Reservation, runs_out_at, runway, time_left, used
from prepaid.exact import number
from prepaid.flows import reservations
from prepaid.ids import new_id
from prepaid.service import Service
from prepaid.web.auth import AccountUid, AnyCaller, TheService, account_for
from prepaid.web.bodies import CreditsNumber, ExactRoute, Json, Line, Uid
from prepaid.web.openapi import refusals

router = APIRouter(route_class=ExactRoute, tags=["spending"])

RESERVATIONS = "/api/iam/v1/usage/reservations"

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,49}$")]
"""A resource's type: part of the reservation's id."""


class ReservationIn(BaseModel):
    """What is to run. The same `key` opens once, however often it is sent.

    `burning_rate` is credits a second. `credits` is a limit, reserved at once; without it a slice
    is reserved, and renewed by every heartbeat. A user's own token may leave `account_uid` out.
    """

    account_uid: Uid | None = None
    resource: Line = Field(min_length=1, max_length=200)
    resource_type: Kind = "runtime"
    resource_given_name: Line = Field(default="", max_length=200)
    burning_rate: CreditsNumber
    credits: CreditsNumber | None = None
    heartbeat_seconds: Annotated[int, Field(strict=True)] = 30
    key: str


class ExtensionIn(BaseModel):
    """The new limit, in all; nothing for a reservation without a limit."""

    credits: CreditsNumber | None = None


class RateIn(BaseModel):
    """The burning rate from now on, in credits a second."""

    burning_rate: CreditsNumber


class SettlementIn(BaseModel):
    """What it has cost; only for what doesn't burn."""

    credits: CreditsNumber | None = None


class ReservationOut(BaseModel):
    """A reservation, with the names that Datalayer's clients read.

    `credits` is what it reserves, `used` what it has cost by now. `last_update` is the last proof
    of life, `depletes_at` when what is reserved has burnt; null if that is never.
    """

    id: str
    account_uid: str
    resource: str
    resource_type: str
    resource_given_name: str
    resource_state: str
    credits: CreditsNumber
    limit: CreditsNumber | None
    burning_rate: CreditsNumber
    used: CreditsNumber
    state: str
    why: str
    start_date: datetime
    last_update: datetime
    end_date: datetime | None
    depletes_at: datetime | None
    heartbeat_seconds: int
    epoch: int
    key: str


class HeldOut(BaseModel):
    """A reservation as it is now.

    `seconds_left` is how long what is reserved lasts; `runway_seconds` how long it could go on if
    heartbeats keep renewing it and nothing else changes. Null if it doesn't burn.
    """

    success: bool = True
    message: str = "OK"
    reservation: ReservationOut
    seconds_left: CreditsNumber | None
    runway_seconds: CreditsNumber | None
    heartbeat_seconds: int


class OpenedOut(HeldOut):
    """The reservation that was opened, now or (`replayed`) when the key was first sent."""

    replayed: bool


class Nested(BaseModel):
    """The list, where Datalayer's command line looks for it."""

    reservations: list[ReservationOut]
    total: int


class ReservationsOut(BaseModel):
    """Reservations, the newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    reservations: list[ReservationOut]
    data: Nested
    next_before: str | None


@router.post(
    RESERVATIONS,
    status_code=201,
    response_model=OpenedOut,
    responses=refusals(400, 401, 402, 403, 404, 409, 413, 422, 503),
)
async def open_reservation(
    service: TheService, caller: AnyCaller, asked: ReservationIn
) -> Response:
    """Reserves credits for something that runs, or says what is missing."""
    held = await reservations.hold(
        service.ledger,
        Open(
            id=new_id(),
            account_uid=account_for(caller, asked.account_uid),
            key=idempotency_key(asked.key),
            resource=asked.resource,
            resource_type=asked.resource_type,
            given_name=asked.resource_given_name,
            burning_rate=Credits.read(asked.burning_rate),
            limit=None if asked.credits is None else Credits.read(asked.credits),
            heartbeat_seconds=asked.heartbeat_seconds,
            actor=caller.name,
            by_platform=caller.scope is not Scope.USER,
        ),
    )
    told = _held(held)
    return Json(OpenedOut(**told.model_dump(), replayed=held.replayed), status_code=201)


@router.get(
    RESERVATIONS, response_model=ReservationsOut, responses=refusals(401, 403, 404, 422, 503)
)
async def list_reservations(  # noqa: PLR0913, PLR0917 - a query has this many parts
    service: TheService,
    caller: AnyCaller,
    account_uid: AccountUid = None,
    resource_type: Annotated[Line | None, Query(alias="type", max_length=50)] = None,
    state: Literal["open", "all"] = "open",
    before: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """What runs (all of it, whatever their number), or with `state=all` what ran too."""
    uid = account_for(caller, account_uid)
    page = None if before is None else _id(before)
    found = await reservations.listed(service.database, uid, page, open_only=state == "open")
    more = found[-1].name if state == "all" and len(found) == reservations.PAGE else None
    at = service.ledger.clock()
    told = [
        reservation_out(one, at) for one in found if resource_type in {None, "", one.resource_type}
    ]
    return Json(
        ReservationsOut(
            reservations=told,
            data=Nested(reservations=told, total=len(told)),
            next_before=more,
        )
    )


@router.get(
    f"{RESERVATIONS}/{{reservation_id}}",
    response_model=HeldOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def one_reservation(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """A reservation as it is now."""
    id_, own, now = _id(reservation_id), _own(caller), service.ledger.clock()
    return Json(_held(await reservations.found(service.database, id_, own, now)))


def _changes(path: str, method: str = "POST") -> Callable[..., Callable[..., object]]:
    """A route that does something to a reservation."""
    return router.api_route(
        f"{RESERVATIONS}/{{reservation_id}}{path}",
        methods=[method],
        response_model=HeldOut,
        responses=refusals(400, 401, 402, 403, 404, 409, 413, 422, 503),
    )


@_changes("/heartbeat")
async def heartbeat(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """Its holder lives. It may come late, or twice; the first one confirms the reservation."""
    return await _done(service, Beat(_id(reservation_id), _own(caller)))


@_changes("/extension")
async def extension(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: ExtensionIn | None = None
) -> Response:
    """Raises its limit to a new total; without a limit, renews its slice."""
    limit = None if asked is None or asked.credits is None else Credits.read(asked.credits)
    return await _done(service, Extend(_id(reservation_id), _own(caller), limit))


@_changes("/burning-rate", "PUT")
async def burning_rate(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: RateIn
) -> Response:
    """It burns at another rate from now on; its cost is split exactly here."""
    rate = Credits.read(asked.burning_rate)
    return await _done(service, ChangeRate(_id(reservation_id), _own(caller), rate))


@_changes("/settlement")
async def settlement(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: SettlementIn | None = None
) -> Response:
    """Ends it, and posts what it has cost. Once it has ended, says how."""
    spent = None if asked is None or asked.credits is None else Credits.read(asked.credits)
    return await _done(service, Settle(_id(reservation_id), _own(caller), spent))


@_changes("/release")
async def release(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """Ends it at no cost: what it was for didn't happen. A user can before the first heartbeat,
    the platform always."""
    return await _done(service, Release(_id(reservation_id), _own(caller)))


@_changes("", "DELETE")
async def end_reservation(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """Settles it, as Datalayer's clients ask for it."""
    return await _done(service, Settle(_id(reservation_id), _own(caller)))


def reservation_out(one: Reservation, at: datetime) -> ReservationOut:
    """A reservation as it is written on the wire."""
    return ReservationOut(
        id=one.name,
        account_uid=one.account_uid,
        resource=one.resource,
        resource_type=one.resource_type,
        resource_given_name=one.given_name or one.resource,
        resource_state=one.state,
        credits=number(one.claim),
        limit=None if one.limit is None else number(one.limit),
        burning_rate=number(one.burning_rate),
        used=number(used(one, at)),
        state=one.state,
        why=one.why,
        start_date=one.started_at,
        last_update=one.beat_at,
        end_date=one.ended_at,
        depletes_at=runs_out_at(one) if one.is_open else None,
        heartbeat_seconds=one.heartbeat_seconds,
        epoch=one.epoch,
        key=one.key,
    )


async def _done(service: Service, asked: Holding) -> Response:
    return Json(_held(await reservations.hold(service.ledger, asked)))


def _held(held: Held) -> HeldOut:
    one = held.reservation
    return HeldOut(
        reservation=reservation_out(one, held.at),
        seconds_left=_seconds(time_left(one, held.at)),
        runway_seconds=_seconds(runway(one, held.at, held.available, held.shared_rate)),
        heartbeat_seconds=one.heartbeat_seconds,
    )


def _seconds(left: timedelta | None) -> Decimal | None:
    """With three decimals, rounded down: nobody is told more than there is."""
    return None if left is None else Decimal(left // timedelta(milliseconds=1)).scaleb(-3)


def _id(written: str) -> UUID:
    """The id behind a name such as runtime-01939c4e-....

    Raises:
        UnknownReservation: it has none.
    """
    try:
        return UUID(written[-36:])
    except ValueError:
        raise UnknownReservation("There is no such reservation.") from None


def _own(caller: Caller) -> str | None:
    return caller.account_uid if caller.scope is Scope.USER else None
