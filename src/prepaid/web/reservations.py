"""Reservations over HTTP: opened for what runs, listed, and read. What is done to them stands in
holdings.py."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import Held, Open
from prepaid.core.errors import InvalidCredits, InvalidRate, UnknownReservation
from prepaid.core.filters import Filter
from prepaid.core.identity import Caller, Scope, idempotency_key
from prepaid.core.reservations import Reservation, runs_out_at, runway, time_left, used
from prepaid.exact import number
from prepaid.flows import accounts, reservations
from prepaid.ids import new_id
from prepaid.web.auth import AccountUid, AnyCaller, TheService, account_for
from prepaid.web.bodies import CreditsNumber, ExactRoute, Json, Line, Uid
from prepaid.web.openapi import refusals

router = APIRouter(route_class=ExactRoute, tags=["spending"])

RESERVATIONS = "/api/iam/v1/usage/reservations"

KIND = "[a-z][a-z0-9_-]{0,49}"
UUID_ = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

Kind = Annotated[str, StringConstraints(pattern=f"^{KIND}$")]
"""A resource's type: part of the reservation's id."""

Seconds = Annotated[Decimal, WithJsonSchema({"type": "number"})]


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


@dataclass(slots=True, kw_only=True)
class ReservationOut:
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


@dataclass(slots=True, kw_only=True)
class HeldOut:
    """A reservation as it is now.

    `seconds_left` is how long what is reserved lasts; `runway_seconds` how long it could go on if
    heartbeats keep renewing it and nothing else changes. Null if it doesn't burn.
    """

    success: bool = True
    message: str = "OK"
    reservation: ReservationOut
    seconds_left: Seconds | None
    runway_seconds: Seconds | None
    heartbeat_seconds: int


@dataclass(slots=True, kw_only=True)
class OpenedOut(HeldOut):
    """The reservation that was opened, now or (`replayed`) when the key was first sent."""

    replayed: bool


class Nested(BaseModel):
    """The list, where Datalayer's command line looks for it; `total` is how many it has."""

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
            burning_rate=rate_of(asked.burning_rate),
            limit=None if asked.credits is None else Credits.read(asked.credits),
            heartbeat_seconds=asked.heartbeat_seconds,
            actor=caller.name,
            by_platform=caller.scope is not Scope.USER,
        ),
    )
    told = held_out(held)
    opened = OpenedOut(
        reservation=told.reservation,
        seconds_left=told.seconds_left,
        runway_seconds=told.runway_seconds,
        heartbeat_seconds=told.heartbeat_seconds,
        replayed=held.replayed,
    )
    return Json(opened, status_code=201)


@router.get(
    RESERVATIONS, response_model=ReservationsOut, responses=refusals(401, 403, 404, 422, 503)
)
async def list_reservations(  # noqa: PLR0913, PLR0917 - a query has this many parts
    service: TheService,
    caller: AnyCaller,
    account_uid: AccountUid = None,
    resource_type: Annotated[Line, Query(alias="type", max_length=50)] = "",
    state: Literal["open", "all"] = "open",
    before: Annotated[
        str | None,
        Query(pattern=f"^{KIND}-{UUID_}$", description="With `state=all`: the id to begin before."),
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=accounts.PAGE, description="With `state=all`: how many.")
    ] = accounts.PAGE,
) -> Response:
    """All that run, whatever their number; or with `state=all` what ran too, in pages."""
    uid, wanted = account_for(caller, account_uid), resource_type or None
    if state == "open":
        found = await reservations.running(service.database, uid)
        found = [one for one in found if wanted in {None, one.resource_type}]
        return _listed(found, None, service.ledger.clock())
    start = None if before is None else id_of(before)
    page = await reservations.page(
        service.database, uid, Filter(resource_type=wanted), start, limit
    )
    return _listed(page.reservations, page.next_before, service.ledger.clock())


@router.get(
    f"{RESERVATIONS}/{{reservation_id}}",
    response_model=HeldOut,
    responses=refusals(401, 403, 404, 422, 503),
)
async def one_reservation(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """A reservation as it is now."""
    id_, own, now = id_of(reservation_id), own_account(caller), service.ledger.clock()
    return Json(held_out(await reservations.found(service.database, id_, own, now)))


def held_out(held: Held) -> HeldOut:
    """A reservation, and how long it lasts, as they are written on the wire."""
    one = held.reservation
    return HeldOut(
        reservation=reservation_out(one, held.at),
        seconds_left=_seconds(time_left(one, held.at)),
        runway_seconds=_seconds(runway(one, held.at, held.available, held.shared_rate)),
        heartbeat_seconds=one.heartbeat_seconds,
    )


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


def id_of(name: str) -> UUID:
    """The id behind a name such as runtime-01939c4e-..., written letter by letter as it was told.

    Its uuid alone says which reservation is meant: that the word before it is the right one is
    not checked, since it would cost every heartbeat a look at the database.

    Raises:
        UnknownReservation: no reservation can be called so.
    """
    written = re.fullmatch(f"{KIND}-({UUID_})", name)
    if written is None:
        raise UnknownReservation("There is no such reservation.")
    return UUID(written[1])


def rate_of(written: Decimal) -> Credits:
    """A burning rate that somebody sent.

    Raises:
        InvalidRate: it is not exact, or beyond all amounts.
    """
    try:
        return Credits.read(written)
    except InvalidCredits as wrong:
        raise InvalidRate(str(wrong)) from None


def own_account(caller: Caller) -> str | None:
    """The account whose reservations a caller may touch; None for the platform, which may all."""
    return caller.account_uid if caller.scope is Scope.USER else None


def _listed(found: list[Reservation], more: str | None, at: datetime) -> Response:
    told = [reservation_out(one, at) for one in found]
    nested = Nested(reservations=told, total=len(told))
    return Json(ReservationsOut(reservations=told, data=nested, next_before=more))


def _seconds(left: timedelta | None) -> Decimal | None:
    """With three decimals, rounded down: nobody is told more than there is."""
    return None if left is None else Decimal(left // timedelta(milliseconds=1)).scaleb(-3)
