"""Totals over all accounts: what was sold and given, and what became of it."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from prepaid.flows import totals
from prepaid.web.auth import Admin, TheService
from prepaid.web.bodies import Json
from prepaid.web.openapi import refusals
from prepaid.wire_totals import TotalsTold, totals_out

router = APIRouter(tags=["operating"])


@dataclass(slots=True, kw_only=True)
class TotalsOut(TotalsTold):
    """Totals over all accounts."""

    success: bool = True
    message: str = "OK"


@router.get("/api/iam/v1/totals", response_model=TotalsOut, responses=refusals(401, 403, 503))
async def of_all(service: TheService, caller: Admin) -> Response:
    """What was sold and given, what was spent, has expired or was taken back, and what is still
    owed. Every grant and checkout is gone through: ask for it now and then."""
    del caller
    return Json(totals_out(await totals.of_all(service.database), TotalsOut))
