"""What an operator has checked: the ledger by `verify`, the set-up by `doctor`."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from prepaid.cli.exits import Exit
from prepaid.cli.reports import Report, table
from prepaid.core.audit import Finding
from prepaid.flows import doctor, verification
from prepaid.flows.doctor import Level, Patient, Sign
from prepaid.flows.verification import Tally
from prepaid.payments.gateway import Gateway
from prepaid.service import open_database, open_gateway
from prepaid.settings import (
    Settings,
    SettingsFault,
    faults_of,
    read_database_settings,
    read_unchecked,
)

COLOURS = {Level.OK: "green", Level.NOTE: "yellow", Level.FAULT: "bold red"}


@dataclass(frozen=True, slots=True)
class VerifiedOut:
    """What a verification went through, and what it found. A finding without an account is about
    the whole ledger."""

    accounts: int
    entries: int
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class ExaminedOut:
    """What the doctor saw. Healthy is a set-up without a fault."""

    healthy: bool
    signs: list[Sign]


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


async def examined() -> Report:
    """The set-up, looked at by the doctor."""
    signs = await _signs()
    healthy = all(sign.level is not Level.FAULT for sign in signs)
    rows = [(Text(sign.level, COLOURS[sign.level]), sign.what, sign.remedy) for sign in signs]
    return Report(
        ExaminedOut(healthy, list(signs)),
        [table("", "what", "what to do", rows=rows)],
        Exit.DONE if healthy else Exit.REFUSED,
    )


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


async def _signs() -> Sequence[Sign]:
    try:
        settings = read_unchecked()
    except SettingsFault as fault:
        return [Sign(Level.FAULT, one) for one in fault.faults]
    gateway = open_gateway(settings) if settings.stripe_api_key.get_secret_value() else None
    try:
        return [sign async for sign in doctor.examine(_patient(settings, gateway))]
    finally:
        if gateway:
            await gateway.close()


def _patient(settings: Settings, gateway: Gateway | None) -> Patient:
    faults = faults_of(settings)
    unreadable = any(fault.startswith("PREPAID_DATABASE_URL") for fault in faults)
    return Patient(
        setting_faults=faults,
        gateway=gateway,
        database=None if unreadable else settings.database,
        webhook_url=settings.webhook_url,
        return_origins=settings.origins,
        takes_tokens=bool(settings.issuers),
        automatic_tax=settings.automatic_tax,
    )
