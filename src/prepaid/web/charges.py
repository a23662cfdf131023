"""Charges: so much now, for a resource, or a refusal that says what is missing."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Header
from pydantic import BaseModel, Field
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge, Posted
from prepaid.core.errors import Refusal
from prepaid.core.identity import Caller, idempotency_key
from prepaid.flows import consumption
from prepaid.ids import new_id
from prepaid.service import Service
from prepaid.settings import Settings
from prepaid.web.auth import AnyCaller, TheService, User, account_for
from prepaid.web.bodies import UID, BatchRoute, CreditsNumber, Json, Line, Uid, Word
from prepaid.web.front import Asked, Later, Unusual
from prepaid.web.openapi import refusals
from prepaid.web.problems import Insufficient, Problem, problem_of
from prepaid.wire import EntryOut, entry_out

router = APIRouter(route_class=BatchRoute, tags=["spending"])

PLAIN = re.compile(rb"[0-9]{1,9}([.][0-9]{1,6})?")
"""A number that is as many microcredits as its digits say, and not too many."""

RESOURCE, RESOURCE_TYPE, DESCRIPTION = 200, 50, 500
"""Characters of these at most."""

T = TypeVar("T")


class ChargeIn(BaseModel):
    """What is to be spent. The same `key` spends once, however often it is sent.

    `resource` is what it is spent on, `resource_type` its kind, a word, as the platform names them.
    A user's own token may leave `account_uid` out.
    """

    account_uid: Uid | None = None
    credits: CreditsNumber
    key: str
    resource: Line = Field(default="", max_length=RESOURCE)
    resource_type: Word = Field(default="", max_length=RESOURCE_TYPE)
    description: Line = Field(default="", max_length=DESCRIPTION)


class ChargesIn(BaseModel):
    """Several charges, each on its own."""

    charges: Annotated[list[ChargeIn], Field(min_length=1, max_length=consumption.MOST_CHARGES)]


class BurnIn(BaseModel):
    """What is to be burnt of the caller's own credits."""

    credits: CreditsNumber


@dataclass(slots=True, kw_only=True)
class ChargeOut:
    """The entry that was posted, now or (`replayed`) when the key was first sent."""

    success: bool = True
    message: str = "OK"
    entry: EntryOut
    replayed: bool


@dataclass(slots=True, kw_only=True)
class ChargesOut:
    """One outcome for each charge, in order: what a single charge would have been answered."""

    success: bool = True
    message: str = "OK"
    outcomes: list[ChargeOut | Insufficient | Problem]


CHARGES = "/api/iam/v1/usage/charges"
BATCH = f"{CHARGES}/batch"


@router.post(
    CHARGES,
    status_code=201,
    response_model=ChargeOut,
    responses=refusals(400, 401, 402, 403, 404, 409, 413, 422, 503),
)
async def charge(service: TheService, caller: AnyCaller, asked: ChargeIn) -> Response:
    """Spends now, or refuses and says what is missing."""
    posted = await consumption.charge(service.ledger, _command(caller, asked))
    return Json(_charged(posted), status_code=201)


@router.post(
    BATCH,
    response_model=ChargesOut,
    responses=refusals(400, 401, 403, 413, 422, 503),
)
async def charges(service: TheService, caller: AnyCaller, asked: ChargesIn) -> Response:
    """Spends up to a thousand times; one that is refused is no other's concern."""
    commands = [_command_or_refusal(caller, one) for one in asked.charges]
    charged = await consumption.charge_all(service.ledger, _charges(commands))
    return _charged_all(service, commands, charged)


def charge_at_once(asked: Asked) -> Later[Posted]:
    """The same as `charge`, for what usually comes."""
    one = _usual(_read(asked.body, _one))

    def begin(caller: Caller) -> asyncio.Future[Posted]:
        return consumption.charge(asked.service.ledger, _command(caller, one))

    return Later(asked.by(begin), lambda posted: Json(_charged(posted), status_code=201))


def charges_at_once(asked: Asked) -> Later[list[Posted | Refusal]]:
    """The same as `charges`, for what usually comes."""
    if asked.body.count(b"{") > consumption.MOST_CHARGES + 1:  # too many: not even read
        raise Unusual
    several = [_usual(one) for one in _read(asked.body, _several).charges]
    if not several:
        raise Unusual
    commands = list[Charge | Refusal]()

    def begin(caller: Caller) -> asyncio.Future[list[Posted | Refusal]]:
        commands.extend(_command_or_refusal(caller, one) for one in several)
        return consumption.charge_all(asked.service.ledger, _charges(commands))

    return Later(asked.by(begin), lambda charged: _charged_all(asked.service, commands, charged))


def _charges(commands: Sequence[Charge | Refusal]) -> list[Charge]:
    return [one for one in commands if isinstance(one, Charge)]


def _charged_all(
    service: Service, commands: Sequence[Charge | Refusal], charged: Iterable[Posted | Refusal]
) -> Response:
    charged = iter(charged)
    outcomes = [next(charged) if isinstance(one, Charge) else one for one in commands]
    return Json(ChargesOut(outcomes=[_outcome(one, service.settings) for one in outcomes]))


@router.delete(
    "/api/iam/v1/usage/credits",
    response_model=ChargeOut,
    responses=refusals(400, 401, 402, 403, 409, 413, 422, 503),
)
async def burn(
    service: TheService,
    caller: User,
    asked: BurnIn,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
) -> Response:
    """Burns a user's own credits, for nothing in particular, as Datalayer's clients ask: a charge.
    With an idempotency key it happens once; it is one of the keys that charges have."""
    id_ = new_id()
    burnt = Charge(
        id=id_,
        account_uid=caller.account_uid,
        key=idempotency_key(f"burn-{id_}" if key is None else key),
        credits=Credits.read(asked.credits),
        resource="",
        reason="burnt by its owner",
        actor=caller.name,
    )
    return Json(_charged(await consumption.charge(service.ledger, burnt)))


class _ChargeAsked(msgspec.Struct):
    """A charge as it usually comes: a ChargeIn that is read in a tenth of the time."""

    credits: msgspec.Raw
    key: str
    account_uid: str | None = None
    resource: str = ""
    resource_type: str = ""
    description: str = ""


class _ChargesAsked(msgspec.Struct):
    charges: list[_ChargeAsked]


_one = msgspec.json.Decoder(_ChargeAsked)
_several = msgspec.json.Decoder(_ChargesAsked)


def _read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Unusual from None


def _usual(asked: _ChargeAsked) -> _ChargeAsked:
    """It, if it surely keeps the rules of a ChargeIn; else that one says which it doesn't."""
    texts = asked.resource + asked.resource_type + asked.description
    if not (
        texts.isprintable()
        and len(asked.resource) <= RESOURCE
        and len(asked.resource_type) <= RESOURCE_TYPE
        and len(asked.description) <= DESCRIPTION
        and " " not in asked.resource_type
        and (asked.account_uid is None or UID.fullmatch(asked.account_uid))
        and PLAIN.fullmatch(asked.credits)
    ):
        raise Unusual
    return asked


def _credits(written: Decimal | msgspec.Raw) -> Credits:
    """A number, exactly; what hasn't been read yet is PLAIN."""
    if isinstance(written, Decimal):
        return Credits.read(written)
    whole, _, part = bytes(written).decode().partition(".")
    return Credits(int(whole + part.ljust(6, "0")))


def _command_or_refusal(caller: Caller, asked: ChargeIn | _ChargeAsked) -> Charge | Refusal:
    try:
        return _command(caller, asked)
    except Refusal as refusal:
        return refusal


def _command(caller: Caller, asked: ChargeIn | _ChargeAsked) -> Charge:
    return Charge(
        id=new_id(),
        account_uid=account_for(caller, asked.account_uid),
        key=idempotency_key(asked.key),
        credits=_credits(asked.credits),
        resource=" ".join(filter(None, (asked.resource_type, asked.resource))),
        reason=asked.description,
        actor=caller.name,
    )


def _charged(posted: Posted) -> ChargeOut:
    return ChargeOut(entry=entry_out(posted.entry), replayed=posted.replayed)


def _outcome(outcome: Posted | Refusal, settings: Settings) -> ChargeOut | Problem:
    return _charged(outcome) if isinstance(outcome, Posted) else problem_of(outcome, settings)
