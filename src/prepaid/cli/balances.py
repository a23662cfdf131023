"""Credits: what an account has, and what an operator grants."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from prepaid.cli.reports import Report
from prepaid.clock import wall_clock
from prepaid.core.amounts import Credits
from prepaid.core.commands import Give
from prepaid.core.entries import Kind
from prepaid.core.errors import Invalid
from prepaid.core.identity import idempotency_key
from prepaid.exact import number
from prepaid.flows import accounts, balances
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.settings import read_database_settings
from prepaid.wire import EntryOut, entry_out

LONGEST_REASON = 500
"""Characters of a reason, as in the API."""


@dataclass(frozen=True, slots=True)
class BalanceOut:
    """What an account has at an instant."""

    account_uid: str
    credits: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class PostedOut:
    """The entry that was posted, now or (`replayed`) when its key was first used."""

    account_uid: str
    entry: EntryOut
    replayed: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """What an operator asks for. Without a key each call grants anew."""

    account_uid: str
    credits: str
    kind: str
    reason: str
    actor: str
    key: str | None
    expires_at: datetime | None


async def balance(uid: str) -> Report:
    """What an account has."""
    async with open_database(read_database_settings().database) as database:
        found = await balances.balance(database, uid, wall_clock())
    document = BalanceOut(found.account_uid, number(found.balance), found.at)
    return Report(document, [f"{uid} has {found.balance} credits."])


async def granted(grant: Grant) -> Report:
    """Credits, given with a reason; the operator's name stays in the books."""
    give = _give(grant)
    async with (
        open_database(read_database_settings().database) as database,
        open_ledger(database) as ledger,
    ):
        posted = await accounts.give(ledger, give)
    entry = posted.entry
    said = "had been granted to" if posted.replayed else "granted to"
    told = f"{entry.credits} credits {said} {entry.account_uid}, which had {entry.balance} then."
    document = PostedOut(entry.account_uid, entry_out(entry), posted.replayed)
    return Report(document, [told, f"The grant's key is {entry.key}."])


def _give(grant: Grant) -> Give:
    if not 0 < len(grant.reason.strip()) <= LONGEST_REASON:
        raise Invalid(f"A grant needs a reason, of at most {LONGEST_REASON} characters.")
    entry_id = new_id()
    return Give(
        id=entry_id,
        account_uid=grant.account_uid,
        key=idempotency_key(grant.key or f"cli-{entry_id}"),
        credits=Credits.read(grant.credits),
        kind=Kind(grant.kind),
        reason=grant.reason,
        actor=grant.actor,
        expires_at=grant.expires_at,
    )
