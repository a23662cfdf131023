"""`prepaid verify`: the ledger, folded again."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from prepaid.cli.exits import Exit
from prepaid.cli.reports import Report, table
from prepaid.core.audit import Finding
from prepaid.flows import verification
from prepaid.flows.verification import Tally
from prepaid.opening import open_database
from prepaid.settings import read_database_settings


@dataclass(frozen=True, slots=True)
class VerifiedOut:
    """What a verification went through, and what it found. A finding without an account is about
    the whole ledger."""

    accounts: int
    entries: int
    findings: list[Finding]


async def verified() -> Report:
    """The ledger, folded again."""
    tally = Tally()
    database_url = read_database_settings().database
    async with open_database(database_url, guarded=False) as database:
        with _Bar(tally):
            found = [one async for one in verification.verify(database, tally)]
    document = VerifiedOut(tally.accounts, tally.entries, found)
    counted = f"{tally.entries} entries of {tally.accounts} accounts were folded"
    if not found:
        return Report(document, [f"{counted}: every balance follows from them."])
    rows = [(one.account_uid or "(ledger)", one.what) for one in found]
    said = (table("account", "finding", rows=rows), f"{counted}: {len(found)} findings.")
    return Report(document, said, Exit.REFUSED)


class _Bar(Progress):
    """How far a verification has come, on a terminal; it looks whenever it is drawn."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        super().__init__(
            *(TextColumn("Folding entries"), BarColumn(), MofNCompleteColumn()),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self.add_task("", total=None)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar as of now."""
        for task in self.task_ids:
            self.update(task, completed=self._tally.entries, total=self._tally.expected or None)
        return super().get_renderables()
