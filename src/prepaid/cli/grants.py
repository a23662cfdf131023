"""Grants: given by an operator, listed, and taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from prepaid.cli.options import key_or_new
from prepaid.cli.reports import Report, moment
from prepaid.cli.tables import Column, Rows
from prepaid.core.amounts import Credits
from prepaid.core.commands import Give, Posted, Reverse
from prepaid.core.currencies import spoken
from prepaid.core.entries import Kind
from prepaid.core.errors import Invalid
from prepaid.core.grants import Grant
from prepaid.exact import number
from prepaid.flows import accounts, grants
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.settings import read_database_settings
from prepaid.wire import EntryOut, entry_out

LONGEST_REASON = 500
"""Characters of a reason, as in the API."""


@dataclass(frozen=True, slots=True)
class PostedOut:
    """The entry that was posted, now or (`replayed`) when its key was first used."""

    account_uid: str
    entry: EntryOut
    replayed: bool


@dataclass(frozen=True, slots=True)
class MoneyOut:
    """Money, in the currency's minor unit: cents."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class GrantOut:
    """A grant. What has the lowest `priority` is spent first. `paid` is before tax; null if the
    credits were given."""

    id: UUID
    kind: str
    priority: int
    credits: Decimal
    remaining: Decimal
    paid: MoneyOut | None
    expires_at: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class GrantsOut:
    """Grants, in the order in which they are spent."""

    account_uid: str
    grants: list[GrantOut]


@dataclass(frozen=True, slots=True)
class Giving:
    """What an operator wants to grant. Without a key each call grants anew."""

    account_uid: str
    credits: str
    kind: str
    reason: str
    actor: str
    key: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taking:
    """What an operator wants back of a grant: so much, or all that is left and free. Without a key
    each call takes anew."""

    account_uid: str
    grant_id: UUID
    credits: str | None
    reason: str
    actor: str
    key: str | None


async def listed(uid: str, *, everything: bool) -> Report:
    """The grants of an account that have something left, or (`everything`) all of them."""
    async with open_database(read_database_settings().database) as database:
        found = await grants.of_account(database, uid)
    shown = [one for one in found if one.remaining or everything]
    return Report(GrantsOut(uid, [_grant_out(one) for one in shown]), [_table(shown)])


async def given(asked: Giving) -> Report:
    """Credits, given with a reason; the operator's name stays in the books."""
    give = _give(asked)
    async with (
        open_database(read_database_settings().database) as database,
        open_ledger(database) as ledger,
    ):
        posted = await accounts.give(ledger, give)
    entry = posted.entry
    said = "had been granted to" if posted.replayed else "granted to"
    told = f"{entry.credits} credits {said} {entry.account_uid}, which had {entry.balance} then."
    return Report(posted_out(posted), [told, f"The grant's key is {entry.key}."])


async def taken_back(asked: Taking) -> Report:
    """Credits, taken back from a grant with a reason; the operator's name stays in the books."""
    reversal = _reverse(asked)
    async with (
        open_database(read_database_settings().database) as database,
        open_ledger(database) as ledger,
    ):
        posted = await grants.reverse(ledger, reversal)
    entry = posted.entry
    said = "had been taken back from" if posted.replayed else "taken back from"
    told = f"{-entry.credits} credits {said} {entry.account_uid}, which had {entry.balance} then."
    return Report(posted_out(posted), [told, f"The reversal's key is {entry.key}."])


def posted_out(posted: Posted) -> PostedOut:
    """What has been posted, as it is written in JSON."""
    return PostedOut(posted.entry.account_uid, entry_out(posted.entry), posted.replayed)


def _give(asked: Giving) -> Give:
    entry_id = new_id()
    return Give(
        id=entry_id,
        account_uid=asked.account_uid,
        key=key_or_new(asked.key, entry_id),
        credits=Credits.read(asked.credits),
        kind=Kind(asked.kind),
        reason=_reason(asked.reason),
        actor=asked.actor,
        expires_at=asked.expires_at,
    )


def _reverse(asked: Taking) -> Reverse:
    entry_id = new_id()
    return Reverse(
        id=entry_id,
        account_uid=asked.account_uid,
        key=key_or_new(asked.key, entry_id),
        grant_id=asked.grant_id,
        credits=None if asked.credits is None else Credits.read(asked.credits),
        reason=_reason(asked.reason),
        actor=asked.actor,
    )


def _reason(written: str) -> str:
    if not 0 < len(written.strip()) <= LONGEST_REASON:
        raise Invalid(f"Say why: a reason has 1 to {LONGEST_REASON} characters.")
    return written


def _grant_out(one: Grant) -> GrantOut:
    return GrantOut(
        id=one.id,
        kind=one.kind,
        priority=one.priority,
        credits=number(one.credits),
        remaining=number(one.remaining),
        paid=None if one.paid is None else MoneyOut(one.paid.minor, one.paid.currency),
        expires_at=one.expires_at,
        at=one.at,
    )


def _table(found: Sequence[Grant]) -> Rows[Grant]:
    return Rows(
        found,
        (
            Column("id", lambda one: one.id, words=True, whole=True),
            Column("kind", lambda one: one.kind, words=True),
            Column("priority", lambda one: one.priority, 124),
            Column("credits", lambda one: one.credits, 90),
            Column("left", lambda one: one.remaining),
            Column("paid", lambda one: None if one.paid is None else spoken(one.paid), 102),
            Column("expires", lambda one: moment(one.expires_at), words=True),
            Column("since", lambda one: moment(one.at), 146, words=True),
        ),
    )
