"""Reservations: what runs, what it claims of a balance, and what its time has cost.

Time costs rate times duration, exactly: a microcredit a second for a microsecond is a picocredit.
It is rounded up to a microcredit once, when the reservation ends, and is never more than what is
reserved.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.values import Value

PICO = 1_000_000
"""Picocredits in a microcredit."""

MOST_RATE = Credits.of(10_000)
"""The highest burning rate, a second: beyond any machine there is."""

SLICE_HEARTBEATS = 3
"""What is reserved ahead of a reservation without a limit, in heartbeats: as long as its grace,
so that a live holder that misses one or two heartbeats runs on what it has."""

GRACE_HEARTBEATS = 3
"""Heartbeats that may be missing before a holder counts as lost."""

LONGEST_HEARTBEAT = 3_600
"""The longest interval between heartbeats, in seconds."""

MOST_OPEN = 2_000
"""Open reservations of one account."""

MOST_OPEN_BY_USER = 100
"""The number beyond which a user opens no more themselves: all are read for each balance."""

CENTURY = timedelta(days=36_525)
"""The longest time that is told; a limit may last longer."""

_MICROSECOND = timedelta(microseconds=1)


class State(StrEnum):
    """Where a reservation stands. It is pending until its holder's first heartbeat."""

    PENDING = "pending"
    RUNNING = "running"
    SETTLED = "settled"
    RELEASED = "released"
    LOST = "lost"
    DEPLETED = "depleted"


OPEN = frozenset((State.PENDING, State.RUNNING))


class Reservation(Value, frozen=True):
    """A claim on a balance by something that runs.

    `burning_rate` is credits a second. With a `limit` that much is reserved from the start;
    without, `reserved` grows by slices. `burnt` and `burnt_rest` (picocredits) are what the time
    before `rated_at` has cost, when the rate last changed. `beat_at` is the last proof of life.
    `epoch` counts how often it was opened again under its key, and `spent_before` is what that
    had cost. `due_at` is when time will next do something to it; `warned` the least number of
    seconds left that its holder was warned of. `spent` is what was posted when it ended.
    """

    account_uid: str
    id: UUID
    key: str
    fingerprint: bytes
    resource: str
    resource_type: str
    given_name: str
    actor: str
    by_platform: bool
    burning_rate: Credits
    limit: Credits | None
    heartbeat_seconds: int
    started_at: datetime
    rated_at: datetime
    beat_at: datetime
    due_at: datetime
    state: State = State.PENDING
    reserved: Credits = NOTHING
    burnt: Credits = NOTHING
    burnt_rest: int = 0
    epoch: int = 1
    spent_before: Credits = NOTHING
    warned: int | None = None
    ended_at: datetime | None = None
    spent: Credits = NOTHING
    why: str = ""

    @property
    def name(self) -> str:
        """How it is called outside: Datalayer's clients know a kernel's by its first word."""
        return f"{self.resource_type}-{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether it claims anything still."""
        return self.state in OPEN

    @property
    def claim(self) -> Credits:
        """What it takes from what is available."""
        return self.reserved if self.is_open else NOTHING

    @property
    def shared_rate(self) -> Credits:
        """How fast it draws on the balance that all without a limit share."""
        return self.burning_rate if self.is_open and self.limit is None else NOTHING


def burnt(one: Reservation, at: datetime) -> int:
    """What its time has cost by an instant, in picocredits. Time never goes back behind the last
    proof of life: a clock that did neither adds anything nor takes it back."""
    since = max(at, one.beat_at, one.rated_at) - one.rated_at
    return _burnt_before(one) + one.burning_rate.micro * (since // _MICROSECOND)


def _burnt_before(one: Reservation) -> int:
    return one.burnt.micro * PICO + one.burnt_rest


def used(one: Reservation, at: datetime) -> Credits:
    """What it costs if it ends at an instant; what it did cost if it has ended."""
    if not one.is_open:
        return one.spent
    return min(rounded_up(burnt(one, at)), one.reserved)


def rounded_up(picocredits: int) -> Credits:
    """Whole microcredits, in the seller's favour: less than one for each reservation."""
    return Credits(-(-picocredits // PICO))


def has_run_out(one: Reservation, at: datetime) -> bool:
    """Whether its time has cost all that is reserved. What doesn't burn doesn't run out."""
    return one.burning_rate.micro > 0 and burnt(one, at) >= one.reserved.micro * PICO


def runs_out_at(one: Reservation) -> datetime | None:
    """The first microsecond at which all that is reserved has burnt; None if that is never, or
    more than a century away."""
    if not one.burning_rate:
        return None
    left = one.reserved.micro * PICO - _burnt_before(one)
    after = -(-left // one.burning_rate.micro) * _MICROSECOND if left < _century(one) else None
    return None if after is None else one.rated_at + max(after, timedelta(0))


def time_left(one: Reservation, at: datetime) -> timedelta | None:
    """How long what is reserved lasts, rounded down; None if it doesn't burn."""
    return _lasts(one, one.reserved.micro * PICO - burnt(one, at), one.burning_rate)


def runway(
    one: Reservation, at: datetime, available: Credits, shared_rate: Credits
) -> timedelta | None:
    """How long it can go on while its heartbeats keep coming and nothing else changes.

    What is available is shared, by rate, by all that run without a limit (`shared_rate` is their
    sum): for the one that runs alone, and once nothing is available, this is exact.
    """
    left = time_left(one, at)
    if left is None or one.limit is not None or not one.is_open:
        return left
    return min(CENTURY, left + _of(available.micro * PICO, shared_rate.micro))


def _lasts(one: Reservation, picocredits: int, rate: Credits) -> timedelta | None:
    if not one.is_open:
        return timedelta(0)
    return _of(max(0, picocredits), rate.micro) if rate else None


def _of(picocredits: int, micro_a_second: int) -> timedelta:
    return min(picocredits // micro_a_second, CENTURY // _MICROSECOND) * _MICROSECOND


def _century(one: Reservation) -> int:
    return CENTURY // _MICROSECOND * one.burning_rate.micro


def grace_ends_at(one: Reservation, renewed_at: datetime) -> datetime:
    """When silence makes it lost. All graces begin anew when the service was away itself."""
    heard = max(one.beat_at, renewed_at)
    return heard + timedelta(seconds=GRACE_HEARTBEATS * one.heartbeat_seconds)


def interval(one: Reservation) -> Credits:
    """What it burns between two heartbeats."""
    return Credits(one.burning_rate.micro * one.heartbeat_seconds)


def wanted(one: Reservation, at: datetime) -> Credits:
    """What one without a limit should have reserved at an instant: what it has burnt, and a
    slice."""
    ahead = SLICE_HEARTBEATS * interval(one).micro
    return Credits(rounded_up(burnt(one, at)).micro + ahead)


def topped_up(one: Reservation, at: datetime, available: Credits, *, ahead: bool) -> Reservation:
    """It with its slice filled from what is available, or (not `ahead`) only as far as it takes
    not to have run out by now. With a limit it stays as it is."""
    if one.limit is not None:
        return one
    target = wanted(one, at) if ahead else Credits(burnt(one, at) // PICO + 1)
    more = min(target - one.reserved, available)
    return replace(one, reserved=one.reserved + more) if more.micro > 0 else one


def rated(one: Reservation, rate: Credits, at: datetime) -> Reservation:
    """It with another burning rate from an instant on; the cost is split exactly there."""
    micro, rest = divmod(burnt(one, at), PICO)
    return replace(
        one,
        burning_rate=rate,
        burnt=Credits(micro),
        burnt_rest=rest,
        rated_at=max(one.rated_at, one.beat_at, at),
    )


def alive(one: Reservation, at: datetime) -> Reservation:
    """It after a heartbeat. One that comes late or twice changes nothing."""
    return replace(one, state=State.RUNNING, beat_at=max(one.beat_at, at))


def ended(
    one: Reservation, state: State, at: datetime, why: str, spent: Credits | None = None
) -> Reservation:
    """It after its end, with what it has cost: its time, unless that is given."""
    cost = used(one, at) if spent is None else spent
    return replace(one, state=state, ended_at=max(at, one.started_at), spent=cost, why=why)


def depleted(one: Reservation) -> Reservation:
    """It, ended at the instant at which all that was reserved had burnt."""
    at = runs_out_at(one)
    assert at is not None
    return ended(one, State.DEPLETED, at, f"its {one.reserved} credits were used up", one.reserved)


def proven_until(one: Reservation, at: datetime) -> datetime:
    """Up to when its time is paid if nothing more is heard of it: one interval after the last
    proof of life, as far as that has gone by."""
    return min(at, one.beat_at + timedelta(seconds=one.heartbeat_seconds))


def lost(one: Reservation, at: datetime) -> Reservation:
    """It, ended by silence: it costs its time up to the last proof of life and one interval more,
    and nothing if its holder was never heard of."""
    if one.state is State.PENDING:
        return ended(one, State.LOST, one.started_at, "it was never confirmed", NOTHING)
    until = proven_until(one, at)
    if has_run_out(one, until):
        return depleted(one)
    return ended(one, State.LOST, until, "its heartbeats stopped")


def reopened(one: Reservation, id_: UUID, rate: Credits, at: datetime) -> Reservation:
    """One that was lost, opened again: a new epoch that costs nothing yet, at the rate that is
    asked for. Its limit may have been raised meanwhile."""
    return replace(
        one,
        id=id_,
        burning_rate=rate,
        state=State.PENDING,
        started_at=at,
        rated_at=at,
        beat_at=at,
        due_at=at,
        reserved=NOTHING,
        burnt=NOTHING,
        burnt_rest=0,
        epoch=one.epoch + 1,
        spent_before=one.spent_before + one.spent,
        warned=None,
        ended_at=None,
        spent=NOTHING,
        why="",
    )
