"""What an account has bought: its checkouts, a page at a time or as CSV, and Stripe's receipts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from prepaid.core.checkouts import State
from prepaid.core.filters import CheckoutFilter
from prepaid.flows import purchases
from prepaid.web.auth import AccountUid, AnyCaller, TheService, User, account_for
from prepaid.web.bodies import Json
from prepaid.web.entries import Moment
from prepaid.web.files import CSV, VARY, CsvIsWanted, file
from prepaid.web.openapi import refusals
from prepaid.web.purchases import CheckoutName, CheckoutTold, checkout_out
from prepaid.wire import checkouts_as_csv, file_name

router = APIRouter(tags=["buying"])


class CheckoutsOut(BaseModel):
    """Checkouts, the newest first, as the signed webhook has told of them: Stripe is not asked,
    so none is "paid". `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    checkouts: list[CheckoutTold]
    next_before: str | None


class ReceiptOut(BaseModel):
    """Where Stripe shows the receipt. The link is good for a month at most: ask again for it."""

    success: bool = True
    message: str = "OK"
    receipt_url: str


def _filter(
    state: Annotated[frozenset[State], Query(description="Only in these states.")] = frozenset(),
    since: Annotated[Moment | None, Query(description="Only opened then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only opened before.")] = None,
) -> CheckoutFilter:
    return CheckoutFilter(state, since, until)


@router.get(
    "/api/iam/stripe/v1/checkout/sessions",
    response_model=CheckoutsOut,
    responses=CSV | refusals(400, 401, 403, 404, 422, 503),
)
async def checkouts(  # noqa: PLR0913, PLR0917 - parameters of a query, each with its name
    service: TheService,
    caller: AnyCaller,
    wanted: Annotated[CheckoutFilter, Depends(_filter)],
    csv_is_wanted: CsvIsWanted,
    account_uid: AccountUid = None,
    before: Annotated[UUID | None, Query(description="A page's `next_before`.")] = None,
    limit: Annotated[
        int | None,
        Query(ge=1, le=purchases.PAGE, description=f"Else {purchases.PAGE}, and all as CSV."),
    ] = None,
) -> Response:
    """What an account has bought, or began to buy, newest first."""
    uid = account_for(caller, account_uid)
    if csv_is_wanted:
        lines = checkouts_as_csv(purchases.chunks(service.database, uid, wanted, before, limit))
        return await file(lines, file_name("purchases", uid, service.clock()))
    page = await purchases.page(service.database, uid, wanted, before, limit or purchases.PAGE)
    told = CheckoutsOut(
        checkouts=[checkout_out(one, one.state, CheckoutTold) for one in page.checkouts],
        next_before=None if page.next_before is None else str(page.next_before),
    )
    return Json(told, headers=VARY)


@router.get(
    "/api/iam/stripe/v1/checkout/session/{name}/receipt",
    response_model=ReceiptOut,
    responses=refusals(401, 403, 404, 422, 502, 503),
)
async def receipt(service: TheService, caller: User, name: CheckoutName) -> Response:
    """Where Stripe shows the receipt of one of the caller's checkouts, by our id or Stripe's."""
    url = await purchases.receipt_url(service.shop, caller.account_uid, name)
    return Json(ReceiptOut(receipt_url=url))
