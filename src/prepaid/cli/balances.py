"""Credits: what an account has, how it came about, and what an operator grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.table import Table

from prepaid.cli.reports import Report, moment, table
from prepaid.clock import wall_clock
from prepaid.core.amounts import Credits
from prepaid.core.commands import Give
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Invalid
from prepaid.core.identity import idempotency_key
from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.settings import read_database_settings

LONGEST_REASON = 500
"""Characters of a reason, as in the API."""


@dataclass(frozen=True, slots=True)
class BalanceOut:
    """What an account has at an instant."""

    account_uid: str
    credits: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class EntryOut:
    """One change of a balance, as the API writes it."""

    number: int
    id: str
    kind: str
    credits: Decimal
    balance: Decimal
    at: datetime
    source: str
    reason: str
    actor: str
    key: str


@dataclass(frozen=True, slots=True)
class EntriesOut:
    """Entries, newest first. `next_before` begins the next page; null on the last."""

    account_uid: str
    entries: list[EntryOut]
    next_before: int | None


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
        found = await accounts.balance(database, uid, wall_clock())
    document = BalanceOut(found.account_uid, number(found.credits), found.at)
    return Report(document, [f"{uid} has {found.credits} credits."])


async def entries(uid: str, before: int | None, limit: int) -> Report:
    """How a balance came about."""
    async with open_database(read_database_settings().database) as database:
        found = await accounts.history(database, uid, before, limit)
    more = found[-1].number if found and found[-1].number > 1 else None
    return Report(
        EntriesOut(uid, [entry_out(one) for one in found], more),
        [_table(found), *([f"Older: --before {more}"] if more else [])],
    )


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


def entry_out(entry: Entry) -> EntryOut:
    """An entry as it is written in JSON."""
    return EntryOut(
        number=entry.number,
        id=str(entry.id),
        kind=entry.kind,
        credits=number(entry.credits),
        balance=number(entry.balance),
        at=entry.at,
        source=entry.source,
        reason=entry.reason,
        actor=entry.actor,
        key=entry.key,
    )


def _table(entries: Sequence[Entry]) -> Table:
    return table(
        *("number", "at", "kind", "credits", "balance", "reason", "actor", "key"),
        rows=map(_row, entries),
    )


def _row(one: Entry) -> tuple[object, ...]:
    before = (one.number, moment(one.at), one.kind, one.credits, one.balance)
    return (*before, one.reason, one.actor, one.key)
