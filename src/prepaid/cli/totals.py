"""`prepaid totals`: what was sold and given to everybody, and what became of it."""

from rich.console import RenderableType

from prepaid.cli.reports import Report, table
from prepaid.core.currencies import spoken
from prepaid.core.totals import Totals
from prepaid.flows import totals
from prepaid.opening import open_database
from prepaid.settings import read_database_settings
from prepaid.wire_totals import TotalsTold, totals_out


async def told() -> Report:
    """Totals over all accounts."""
    async with open_database(read_database_settings().database) as database:
        found = await totals.of_all(database)
    return Report(totals_out(found, TotalsTold), [*_sold(found), *_given(found), _gone(found)])


def _sold(found: Totals) -> list[RenderableType]:
    if not found.sold:
        return ["Nothing has been sold yet.", ""]
    rows = [
        (
            "live" if one.livemode else "test",
            one.checkouts,
            one.credits,
            spoken(one.price),
            spoken(one.paid),
        )
        for one in found.sold
    ]
    return [table("sold", "checkouts", "credits", "before tax", "paid", rows=rows), ""]


def _given(found: Totals) -> list[RenderableType]:
    rows = [(one.kind, one.grants, one.credits, one.remaining) for one in found.given]
    return [table("came in by", "grants", "credits", "left", rows=rows), ""]


def _gone(found: Totals) -> str:
    return (
        f"{found.spent} credits were spent, {found.expired} have expired, {found.reversed} were "
        f"taken back; {found.outstanding} are outstanding."
    )
