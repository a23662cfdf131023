"""What resources have cost, record by record, as Datalayer's clients read it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, StringConstraints
from starlette.responses import Response

from prepaid.core.amounts import Credits
from prepaid.core.entries import Entry
from prepaid.core.filters import Filter
from prepaid.core.reservations import Reservation, used
from prepaid.exact import number
from prepaid.flows import usages
from prepaid.flows.usages import Before, Usage
from prepaid.service import Service
from prepaid.web.auth import Admin, Platform, TheAccount, TheService
from prepaid.web.bodies import CreditsNumber, Json, Line, Uid, Word
from prepaid.web.entries import Moment
from prepaid.web.openapi import refusals
from prepaid.web.reservations import UUID_

router = APIRouter(tags=["usage"])

CURSOR = f"^[0-9]{{0,18}}[.](?:{UUID_})?$"


class UsageOut(BaseModel):
    """What one resource has cost: a reservation (each epoch by itself), or a charge.

    `credits` is what it has cost by now, of which `credits_limit` is the most (null if none was
    set), and `burning_rate` what it costs a second. A charge's `resource_state` is `charged`, and
    all its instants are its own; its `resource_type` is the first word of what it was for, if that
    has several. `metadata` says which reservation, or which entry, it is. There are no plans and
    no accounts that pay for others.
    """

    account_uid: str
    usage_account_uid: None = None
    resource_uid: str
    resource_type: str
    resource_given_name: str
    resource_state: str
    start_date: datetime
    end_date: datetime | None
    updated_at: datetime
    burning_rate: CreditsNumber
    credits_limit: CreditsNumber | None
    credits: CreditsNumber
    plan: None = None
    metadata: dict[str, str]


class UsagesOut(BaseModel):
    """Usages, the newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    usages: list[UsageOut]
    next_before: str | None


def _filter(
    since: Annotated[Moment | None, Query(description="Only begun then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only begun before.")] = None,
    resource: Annotated[Line | None, Query(description="Only of this resource.")] = None,
    resource_type: Annotated[
        Word | None,
        Query(min_length=1, max_length=50, description="Only of resources of this type."),
    ] = None,
) -> Filter:
    return Filter(since=since, until=until, resource=resource, resource_type=resource_type)


def _before(
    before: Annotated[
        str, StringConstraints(pattern=CURSOR), Query(description="A page's `next_before`.")
    ] = ".",
) -> Before:
    charge, _, reservation = before.partition(".")
    return Before(int(charge) if charge else None, UUID(reservation) if reservation else None)


Wanted = Annotated[Filter, Depends(_filter)]
Start = Annotated[Before, Depends(_before)]
Limit = Annotated[int, Query(ge=1, le=usages.PAGE)]


@router.get(
    "/api/iam/v1/usage/user",
    response_model=UsagesOut,
    responses=refusals(400, 401, 403, 404, 422, 503),
)
async def own_usages(
    service: TheService,
    account_uid: TheAccount,
    wanted: Wanted,
    before: Start,
    limit: Limit = usages.PAGE,
) -> Response:
    """What an account's resources have cost."""
    page = await usages.page(service.database, account_uid, wanted, before, limit)
    return _told(service, page)


@router.get(
    "/api/iam/v1/usage/users/{account_uid}",
    response_model=UsagesOut,
    responses=refusals(400, 401, 403, 404, 422, 503),
)
async def usages_of(  # noqa: PLR0913, PLR0917 - a query has this many parts
    service: TheService,
    caller: Platform,
    account_uid: Uid,
    wanted: Wanted,
    before: Start,
    limit: Limit = usages.PAGE,
) -> Response:
    """What some account's resources have cost, for the platform."""
    del caller
    page = await usages.page(service.database, account_uid, wanted, before, limit)
    return _told(service, page)


@router.get(
    "/api/iam/v1/usage/platform",
    response_model=UsagesOut,
    responses=refusals(400, 401, 403, 422, 503),
)
async def platform_usages(
    service: TheService,
    caller: Admin,
    wanted: Wanted,
    before: Start,
    limit: Limit = usages.PAGE,
) -> Response:
    """What everybody's reservations have cost. Charges are not among them: each account's are
    listed with its own usages."""
    del caller
    return _told(service, await usages.platform_page(service.database, wanted, before, limit))


def usage_out(usage: Usage, at: datetime) -> UsageOut:
    """A usage as it is written on the wire."""
    return _charged(usage) if isinstance(usage, Entry) else _reserved(usage, at)


def _reserved(one: Reservation, at: datetime) -> UsageOut:
    return UsageOut(
        account_uid=one.account_uid,
        resource_uid=one.resource,
        resource_type=one.resource_type,
        resource_given_name=one.given_name or one.resource,
        resource_state=one.state,
        start_date=one.started_at,
        end_date=one.ended_at,
        updated_at=one.ended_at or one.beat_at,
        burning_rate=number(one.burning_rate),
        credits_limit=None if one.limit is None else number(one.limit),
        credits=number(used(one, at)),
        metadata={"reservation_id": one.name},
    )


def _charged(entry: Entry) -> UsageOut:
    type_, resource = spent_on(entry.source)
    return UsageOut(
        account_uid=entry.account_uid,
        resource_uid=resource,
        resource_type=type_,
        resource_given_name=resource,
        resource_state="charged",
        start_date=entry.at,
        end_date=entry.at,
        updated_at=entry.at,
        burning_rate=number(Credits(0)),
        credits_limit=None,
        credits=number(-entry.credits),
        metadata={"entry_id": str(entry.id)},
    )


def spent_on(source: str) -> tuple[str, str]:
    """The type and the name of what was charged for: "kernel k1" is k1, a kernel."""
    type_, several, resource = source.partition(" ")
    return (type_, resource) if several else ("", source)


def _told(service: Service, page: usages.Page) -> Response:
    at, more = service.ledger.clock(), page.next_before
    return Json(
        UsagesOut(
            usages=[usage_out(one, at) for one in page.usages],
            next_before=None if more is None else _written(more),
        )
    )


def _written(before: Before) -> str:
    return f"{before.charge or ''}.{before.reservation or ''}"
