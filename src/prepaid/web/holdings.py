"""What is done to a reservation over HTTP: heartbeats, extensions, other rates, and its end.

A body may be left out, or be `null` or `{}`, where none of its fields is needed. A heartbeat and
a release have none: what is sent is not read.
"""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Extend,
    Held,
    Holding,
    Release,
    Settle,
)
from prepaid.core.identity import Caller
from prepaid.flows import reservations
from prepaid.service import Service
from prepaid.web.auth import AnyCaller, TheService
from prepaid.web.bodies import CreditsNumber, ExactRoute, Json
from prepaid.web.front import Asked, Later
from prepaid.web.openapi import refusals
from prepaid.web.reservations import RESERVATIONS, HeldOut, held_out, id_of, own_account, rate_of

router = APIRouter(route_class=ExactRoute, tags=["spending"])


class ExtensionIn(BaseModel):
    """The new limit, in all; nothing for a reservation without a limit."""

    credits: CreditsNumber | None = None


class RateIn(BaseModel):
    """The burning rate from now on, in credits a second."""

    burning_rate: CreditsNumber


class SettlementIn(BaseModel):
    """What it has cost; only for what doesn't burn."""

    credits: CreditsNumber | None = None


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
    return await _done(service, Beat(id_of(reservation_id), own_account(caller)))


def heartbeat_at_once(asked: Asked) -> Later[Held]:
    """The same as `heartbeat`, before routes are looked for."""

    def begin(caller: Caller) -> asyncio.Future[Held]:
        beat = Beat(id_of(asked.tail), own_account(caller))
        return reservations.hold(asked.service.ledger, beat)

    return Later(asked.by(begin), lambda held: Json(held_out(held)))


@_changes("/extension")
async def extension(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: ExtensionIn | None = None
) -> Response:
    """Raises its limit to a new total; without a limit, renews its slice."""
    limit = None if asked is None or asked.credits is None else Credits.read(asked.credits)
    return await _done(service, Extend(id_of(reservation_id), own_account(caller), limit))


@_changes("/burning-rate", "PUT")
async def burning_rate(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: RateIn
) -> Response:
    """It burns at another rate from now on; its cost is split exactly here."""
    rate = rate_of(asked.burning_rate)
    return await _done(service, ChangeRate(id_of(reservation_id), own_account(caller), rate))


@_changes("/settlement")
async def settlement(
    service: TheService, caller: AnyCaller, reservation_id: str, asked: SettlementIn | None = None
) -> Response:
    """Ends it, and posts what it has cost. Once it has ended, says how."""
    spent = None if asked is None or asked.credits is None else Credits.read(asked.credits)
    return await _done(service, Settle(id_of(reservation_id), own_account(caller), spent))


@_changes("/release")
async def release(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """Ends it at no cost: what it was for didn't happen. A user can before the first heartbeat,
    the platform always."""
    return await _done(service, Release(id_of(reservation_id), own_account(caller)))


@_changes("", "DELETE")
async def end_reservation(service: TheService, caller: AnyCaller, reservation_id: str) -> Response:
    """Settles it, as Datalayer's clients ask for it."""
    return await _done(service, Settle(id_of(reservation_id), own_account(caller)))


async def _done(service: Service, asked: Holding) -> Response:
    return Json(held_out(await reservations.hold(service.ledger, asked)))
