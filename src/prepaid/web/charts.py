"""What charts of an account are drawn from: its balance over time, and what it went to."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.exact import number
from prepaid.flows import balance_history, spending
from prepaid.flows.spending import By, Cost, Spending
from prepaid.web.auth import AccountUid, AnyCaller, TheService, account_for
from prepaid.web.bodies import CreditsNumber, Json
from prepaid.web.entries import Moment
from prepaid.web.openapi import refusals
from prepaid.web.usages import spent_on

router = APIRouter(tags=["usage"])


class PointOut(BaseModel):
    """What there was at an instant, and from then on until the next point."""

    at: datetime
    balance: CreditsNumber


class BalanceHistoryOut(BaseModel):
    """A balance over time, before reservations: the beginning of the span, then changes, then its
    end. `every_change` says whether all changes are among the points; if not, there is the last
    one of each of `points` equally long parts of the span. Each point is exact either way."""

    success: bool = True
    message: str = "OK"
    account_uid: str
    points: list[PointOut]
    every_change: bool


class CostOut(BaseModel):
    """What something has cost: `spent` is posted, `accrued` what runs there would cost if it ended
    now, `credits` both."""

    credits: CreditsNumber
    spent: CreditsNumber
    accrued: CreditsNumber


class SpendingPart(CostOut):
    """What went to one resource, or to all of a type; its `resource` and `resource_given_name` are
    null then. The type is the first word of what it was for, if that has several, as with
    usages. What has no given name has its own."""

    resource_type: str
    resource: str | None
    resource_given_name: str | None


class OthersOut(CostOut):
    """What went to all the others, and how many they are."""

    count: int


class SpendingOut(BaseModel):
    """What credits went to, most expensive first. `at` is when what runs had cost so much."""

    success: bool = True
    message: str = "OK"
    account_uid: str
    at: datetime
    by: By
    spending: list[SpendingPart]
    others: OthersOut
    total: CostOut


@router.get(
    "/api/iam/v1/usage/balance-history",
    response_model=BalanceHistoryOut,
    responses=refusals(400, 401, 403, 404, 422, 503),
)
async def balances(  # noqa: PLR0913, PLR0917 - parameters of a query, each with its name
    service: TheService,
    caller: AnyCaller,
    since: Annotated[Moment, Query(description="Where the span begins.")],
    until: Annotated[Moment | None, Query(description="Where it ends; now, if earlier.")] = None,
    points: Annotated[
        int,
        Query(ge=1, le=balance_history.MOST_POINTS, description="At most, between both ends."),
    ] = balance_history.POINTS,
    account_uid: AccountUid = None,
) -> Response:
    """What an account had, over time."""
    uid, now = account_for(caller, account_uid), service.ledger.clock()
    found = await balance_history.balance_history(service.database, uid, since, until, now, points)
    return Json(
        BalanceHistoryOut(
            account_uid=uid,
            points=[PointOut(at=one.at, balance=number(one.balance)) for one in found.points],
            every_change=found.every_change,
        )
    )


@router.get(
    "/api/iam/v1/usage/spending",
    response_model=SpendingOut,
    responses=refusals(400, 401, 403, 404, 422, 503),
)
async def spent(  # noqa: PLR0913, PLR0917 - parameters of a query, each with its name
    service: TheService,
    caller: AnyCaller,
    since: Annotated[Moment | None, Query(description="Only posted then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only posted before.")] = None,
    by: Annotated[By, Query(description="What it is summed up by.")] = By.RESOURCE,
    limit: Annotated[
        int, Query(ge=1, le=spending.MOST_SHOWN, description="The others are told in one.")
    ] = spending.SHOWN,
    account_uid: AccountUid = None,
) -> Response:
    """What an account's credits went to."""
    uid, now = account_for(caller, account_uid), service.ledger.clock()
    found = await spending.spending(service.database, uid, since, until, now, by, limit)
    count, others = found.others
    return Json(
        SpendingOut(
            account_uid=uid,
            at=found.at,
            by=found.by,
            spending=[_part(found, name, cost) for name, cost in found.costs.items()],
            others=OthersOut(count=count, **_cost(others)),
            total=CostOut(**_cost(found.total)),
        )
    )


def _part(found: Spending, name: str, cost: Cost) -> SpendingPart:
    type_, resource = (name, None) if found.by is By.RESOURCE_TYPE else spent_on(name)
    return SpendingPart(
        resource_type=type_,
        resource=resource,
        resource_given_name=found.given_names.get(name, resource),
        **_cost(cost),
    )


def _cost(cost: Cost) -> dict[str, Decimal]:
    told = {"credits": cost.credits, "spent": cost.spent, "accrued": cost.accrued}
    return {name: number(amount) for name, amount in told.items()}
