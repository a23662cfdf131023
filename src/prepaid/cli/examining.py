"""`prepaid doctor`: the set-up, looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from prepaid.cli.exits import Exit
from prepaid.cli.reports import Report, table
from prepaid.flows import doctor
from prepaid.flows.doctor import Level, Patient, Sign
from prepaid.payments.gateway import Gateway
from prepaid.service import open_gateway
from prepaid.settings import Settings, SettingsFault, faults_of, read_unchecked

COLOURS = {Level.OK: "green", Level.NOTE: "yellow", Level.FAULT: "bold red"}


@dataclass(frozen=True, slots=True)
class ExaminedOut:
    """What the doctor saw. Healthy is a set-up without a fault."""

    healthy: bool
    signs: list[Sign]


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
