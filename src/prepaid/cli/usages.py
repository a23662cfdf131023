"""Usages: what ran for an account, what it was charged for, and what each has cost."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from prepaid.cli.reports import Report, moment
from prepaid.cli.tables import Column, Rows
from prepaid.core.amounts import NOTHING
from prepaid.core.entries import Entry
from prepaid.core.errors import Invalid
from prepaid.core.filters import Filter
from prepaid.core.reservations import Reservation, used
from prepaid.exact import number
from prepaid.flows import usages
from prepaid.flows.usages import THE_END, Before, Usage
from prepaid.opening import open_database, time_of
from prepaid.settings import read_database_settings

CURSOR = re.compile("([0-9]{0,18})[.]([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?")
"""Where a page begins, as the API writes it: a charge's number, a dot, a reservation's uuid."""


@dataclass(frozen=True, slots=True)
class UsageOut:
    """What one resource has cost by now, as the API writes it: a reservation (each epoch by
    itself), or a charge. `metadata` says which reservation, or which entry, it is."""

    account_uid: str
    resource_uid: str
    resource_type: str
    resource_given_name: str
    resource_state: str
    start_date: datetime
    end_date: datetime | None
    updated_at: datetime
    burning_rate: Decimal
    credits_limit: Decimal | None
    credits: Decimal
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class UsagesOut:
    """Usages, the newest first. `next_before` begins the next page; null on the last."""

    account_uid: str
    usages: list[UsageOut]
    next_before: str | None


async def listed(uid: str, wanted: Filter, before: str | None, limit: int) -> Report:
    """A page of what is wanted."""
    start = THE_END if before is None else _before(before)
    async with open_database(read_database_settings().database) as database:
        page = await usages.page(database, uid, wanted, start, limit)
        now = await time_of(database)
    told = [_usage_out(one, now) for one in page.usages]
    more = None if page.next_before is None else _written(page.next_before)
    found = Rows(told, COLUMNS)
    return Report(
        UsagesOut(uid, told, more), [found, *([f"Older: --before {more}"] if more else [])]
    )


def _usage_out(usage: Usage, at: datetime) -> UsageOut:
    return _charged(usage) if isinstance(usage, Entry) else _reserved(usage, at)


def _reserved(one: Reservation, at: datetime) -> UsageOut:
    return UsageOut(
        account_uid=one.account_uid,
        resource_uid=one.resource,
        resource_type=one.resource_type,
        resource_given_name=one.given_name or one.resource,
        resource_state=one.state,
        start_date=one.started_at,
        end_date=one.ended_at,
        updated_at=one.ended_at or one.beat_at,
        burning_rate=number(one.burning_rate),
        credits_limit=None if one.limit is None else number(one.limit),
        credits=number(used(one, at)),
        metadata={"reservation_id": one.name},
    )


def _charged(entry: Entry) -> UsageOut:
    """What was charged: for "kernel k1" it is k1, a kernel."""
    type_, several, rest = entry.source.partition(" ")
    resource = rest if several else entry.source
    return UsageOut(
        account_uid=entry.account_uid,
        resource_uid=resource,
        resource_type=type_ if several else "",
        resource_given_name=resource,
        resource_state="charged",
        start_date=entry.at,
        end_date=entry.at,
        updated_at=entry.at,
        burning_rate=number(NOTHING),
        credits_limit=None,
        credits=number(-entry.credits),
        metadata={"entry_id": str(entry.id)},
    )


def _before(written: str) -> Before:
    parts = CURSOR.fullmatch(written)
    if parts is None:
        raise Invalid("No page begins there: write what `Older: --before` said.")
    charge, reservation = parts.groups()
    return Before(int(charge) if charge else None, UUID(reservation) if reservation else None)


def _written(before: Before) -> str:
    return f"{before.charge or ''}.{before.reservation or ''}"


def _which(one: UsageOut) -> str:
    return one.metadata.get("reservation_id") or one.metadata["entry_id"]


COLUMNS: Sequence[Column[UsageOut]] = (
    Column("resource", lambda one: one.resource_given_name, words=True),
    Column("type", lambda one: one.resource_type, 100, words=True),
    Column("state", lambda one: one.resource_state, words=True),
    Column("cost", lambda one: one.credits),
    Column("since", lambda one: moment(one.start_date), 122, words=True),
    Column("until", lambda one: moment(one.end_date), 144, words=True),
    Column("reservation or entry", _which, words=True, whole=True),
)
