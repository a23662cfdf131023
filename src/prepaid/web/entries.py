"""How a balance came about: its entries, a page at a time, or all of them as CSV."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, BeforeValidator
from starlette.responses import Response

from prepaid.core.entries import Kind
from prepaid.core.filters import Filter
from prepaid.flows import history
from prepaid.web.auth import AccountUid, AnyCaller, TheService, account_for
from prepaid.web.bodies import Instant, Json, Line
from prepaid.web.files import CSV, VARY, CsvIsWanted, file
from prepaid.web.openapi import refusals
from prepaid.wire import EntryOut, entries_as_csv, entry_out, file_name

router = APIRouter(tags=["usage"])


class EntriesOut(BaseModel):
    """Entries, newest first. `next_before` begins the next page; null on the last."""

    success: bool = True
    message: str = "OK"
    entries: list[EntryOut]
    next_before: int | None


def _with_plus(written: object) -> object:
    """A query writes a plus as %2B: a bare one is a blank by now."""
    if isinstance(written, str) and re.search(r"T.* ", written):
        raise ValueError("it has a blank: write the + of an offset as %2B")
    return written


Moment = Annotated[Instant, BeforeValidator(_with_plus)]


def _filter(
    kind: Annotated[frozenset[Kind], Query(description="Only of these kinds.")] = frozenset(),
    since: Annotated[Moment | None, Query(description="Only at this instant or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only before this instant.")] = None,
    resource: Annotated[
        Line | None,
        Query(description="Only what was spent on it: the source, or its end behind a blank."),
    ] = None,
) -> Filter:
    return Filter(kind, since, until, resource)


@router.get(
    "/api/iam/v1/usage/entries",
    response_model=EntriesOut,
    responses=CSV | refusals(400, 401, 403, 404, 422, 503),
)
async def entries(  # noqa: PLR0913, PLR0917 - parameters of a query, each with its name
    service: TheService,
    caller: AnyCaller,
    wanted: Annotated[Filter, Depends(_filter)],
    csv_is_wanted: CsvIsWanted,
    account_uid: AccountUid = None,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[
        int | None,
        Query(ge=1, le=history.PAGE, description=f"Else {history.PAGE}, and all as CSV."),
    ] = None,
) -> Response:
    """How a balance came about, newest first."""
    uid = account_for(caller, account_uid)
    if csv_is_wanted:
        lines = entries_as_csv(history.chunks(service.database, uid, wanted, before, limit))
        return await file(lines, file_name("entries", uid, service.clock()))
    page = await history.page(service.database, uid, wanted, before, limit or history.PAGE)
    found = [entry_out(entry) for entry in page.entries]
    return Json(EntriesOut(entries=found, next_before=page.next_before), headers=VARY)
