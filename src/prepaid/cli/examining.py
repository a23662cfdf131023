"""`prepaid doctor`: the set-up, looked at."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from prepaid.cli.exits import Exit
from prepaid.cli.reports import Report, table
from prepaid.flows import doctor
from prepaid.flows.doctor import Level, Sign
from prepaid.patient import patient_of
from prepaid.service import open_gateway
from prepaid.settings import SettingsFault, read_unchecked

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
        return [sign async for sign in doctor.examine(patient_of(settings, gateway))]
    finally:
        if gateway:
            await gateway.close()
