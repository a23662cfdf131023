"""Spending: a charge by hand, and what time has taken."""

from dataclasses import dataclass

from prepaid.cli.grants import posted_out
from prepaid.cli.options import key_or_new
from prepaid.cli.reports import Report
from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge
from prepaid.flows import consumption
from prepaid.flows.sweep import grace_from, sweep
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.settings import read_database_settings
from prepaid.wire import EntryOut, entry_out


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator wants to be spent. Without a key each call spends anew."""

    account_uid: str
    credits: str
    resource: str
    reason: str
    actor: str
    key: str | None


@dataclass(frozen=True, slots=True)
class SweptOut:
    """What has expired, and the reservations that have ended, written down now."""

    entries: list[EntryOut]
    reservations: list[str]


async def charged(asked: Asked) -> Report:
    """Credits, spent."""
    entry_id = new_id()
    charge = Charge(
        id=entry_id,
        account_uid=asked.account_uid,
        key=key_or_new(asked.key, entry_id),
        credits=Credits.read(asked.credits),
        resource=asked.resource,
        reason=asked.reason,
        actor=asked.actor,
    )
    async with (
        open_database(read_database_settings().database) as database,
        open_ledger(database) as ledger,
    ):
        posted = await consumption.charge(ledger, charge)
    entry = posted.entry
    said = "had been charged" if posted.replayed else "charged"
    told = (
        f"{-entry.credits} credits {said} to {entry.account_uid}, which had {entry.balance} then."
    )
    return Report(posted_out(posted), [told, f"The charge's key is {entry.key}."])


async def swept() -> Report:
    """What time has done by now, written down. A running service does it all the time."""
    settings = read_database_settings()
    async with (
        open_database(settings.database) as database,
        open_ledger(database, warn=settings.warn_seconds) as ledger,
    ):
        now = ledger.clock()
        done = await sweep(database, ledger, now, await grace_from(database, now))
    lines = [f"{one.account_uid}: {one.reason}." for one in done.expired]
    lines += [f"{one.account_uid}: {one.name} ended, {one.why}." for one in done.ended]
    told = SweptOut([entry_out(one) for one in done.expired], [one.name for one in done.ended])
    return Report(told, lines or ["Nothing has expired, and no reservation has ended."])
