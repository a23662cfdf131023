"""Reservations, told: as the API writes them, and for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rich.table import Table

from prepaid.cli.reports import lasting, moment, table
from prepaid.cli.tables import Column, Rows
from prepaid.core.amounts import Credits
from prepaid.core.commands import Held
from prepaid.core.reservations import Reservation, runs_out_at, runway, time_left, used
from prepaid.exact import number

HOUR = 3_600
"""Seconds; people think of burning rates by the hour."""


@dataclass(frozen=True, slots=True)
class ReservationOut:
    """A reservation, as the API writes it."""

    id: str
    account_uid: str
    resource: str
    resource_type: str
    resource_given_name: str
    resource_state: str
    credits: Decimal
    limit: Decimal | None
    burning_rate: Decimal
    used: Decimal
    state: str
    why: str
    start_date: datetime
    last_update: datetime
    end_date: datetime | None
    depletes_at: datetime | None
    heartbeat_seconds: int
    epoch: int
    key: str


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A reservation as it is now, how many seconds what it reserves lasts, and how many it could
    go on; null if it doesn't burn. `replayed` says that it had been opened, or had ended, before.
    """

    reservation: ReservationOut
    seconds_left: Decimal | None
    runway_seconds: Decimal | None
    replayed: bool


def reservation_out(one: Reservation, at: datetime) -> ReservationOut:
    """A reservation as it is written in JSON."""
    return ReservationOut(
        id=one.name,
        account_uid=one.account_uid,
        resource=one.resource,
        resource_type=one.resource_type,
        resource_given_name=one.given_name or one.resource,
        resource_state=one.state,
        credits=number(one.claim),
        limit=None if one.limit is None else number(one.limit),
        burning_rate=number(one.burning_rate),
        used=number(used(one, at)),
        state=one.state,
        why=one.why,
        start_date=one.started_at,
        last_update=one.beat_at,
        end_date=one.ended_at,
        depletes_at=runs_out_at(one) if one.is_open else None,
        heartbeat_seconds=one.heartbeat_seconds,
        epoch=one.epoch,
        key=one.key,
    )


def held_out(held: Held) -> HeldOut:
    """A reservation, and what its account allows it, as they are written in JSON."""
    return HeldOut(
        reservation=reservation_out(held.reservation, held.at),
        seconds_left=seconds(time_left(held.reservation, held.at)),
        runway_seconds=seconds(runway_of(held)),
        replayed=held.replayed,
    )


def listing(found: Sequence[Reservation], at: datetime) -> Rows[Reservation]:
    """Reservations, a line each."""
    return Rows(
        found,
        (
            Column("id", lambda one: one.name, words=True, whole=True),
            Column("account", lambda one: one.account_uid, 96, words=True),
            Column("resource", lambda one: one.resource, 68, words=True),
            Column("state", lambda one: one.state, words=True),
            Column("an hour", lambda one: an_hour(one.burning_rate), 78),
            Column("used", lambda one: used(one, at), 108),
            Column("reserved", lambda one: one.claim, 120),
            Column("limit", lambda one: one.limit, 132),
            Column("since", lambda one: moment(one.started_at), 154, words=True),
            Column("last heard of", lambda one: moment(one.beat_at), 176, words=True),
            Column("why it ended", lambda one: one.why, 198, words=True),
        ),
    )


def description(held: Held) -> Table:
    """All there is to say of one reservation."""
    one = held.reservation
    lines: list[tuple[str, object]] = [
        ("account", one.account_uid),
        ("resource", one.resource),
        ("given name", one.given_name),
        ("state", one.state),
        ("why it ended", one.why),
        ("burns", f"{one.burning_rate} credits a second, {an_hour(one.burning_rate)} an hour"),
        ("used", used(one, held.at)),
        ("used before", one.spent_before or ""),
        ("reserved", one.claim),
        ("limit", one.limit),
        ("lasts", _span(time_left(one, held.at))),
        ("could go on", _span(runway_of(held))),
        ("since", moment(one.started_at)),
        ("last heard of", moment(one.beat_at)),
        ("ended", moment(one.ended_at)),
        ("heartbeat", f"every {one.heartbeat_seconds} seconds"),
        ("epoch", one.epoch),
        ("key", one.key),
        ("opened by", f"{one.actor}, {'the platform' if one.by_platform else 'a user'}"),
    ]
    return table("id", one.name, rows=[line for line in lines if line[1] not in {"", None}])


def sentence(held: Held) -> str:
    """What has become of a reservation."""
    one, cost = held.reservation, used(held.reservation, held.at)
    if not one.is_open:
        was = "had been" if held.replayed else "was"
        return f"{one.name} {was} {one.state} at a cost of {cost} credits: {one.why}."
    left, whole = time_left(one, held.at), runway_of(held)
    lasts = "it doesn't burn" if left is None else f"that lasts {lasting(left)}"
    longer = f", with heartbeats {lasting(whole)}" if whole and whole != left else ""
    used_up = f"{cost} of {one.reserved} reserved credits used"
    return f"{one.name} is {one.state}: {used_up}; {lasts}{longer}."


def runway_of(held: Held) -> timedelta | None:
    """How long it could go on while nothing else changes."""
    return runway(held.reservation, held.at, held.available, held.shared_rate)


def an_hour(rate: Credits) -> Credits:
    """What a burning rate, which is of a second, makes in an hour."""
    return Credits(rate.micro * HOUR)


def seconds(left: timedelta | None) -> Decimal | None:
    """With three decimals, rounded down: nobody is told more than there is."""
    return None if left is None else Decimal(left // timedelta(milliseconds=1)).scaleb(-3)


def _span(left: timedelta | None) -> str:
    return "" if left is None else lasting(left)
