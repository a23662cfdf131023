"""Kernels for tests: each lives its own life, knows when it truly ended, and what it owes at most.

A kernel's holder opens a reservation, beats (early, late, or not at all), changes its rate, raises
its limit, settles, or dies. What it asks may get no answer; then it asks again. When what is
reserved has run out, as far as it was told, it stops its kernel by itself, unless it is stubborn.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Extend,
    Held,
    Holding,
    Open,
    Release,
    Settle,
)
from prepaid.core.errors import InsufficientCredits, Refusal, ReservationDepleted, ReservationLost
from prepaid.core.reservations import Reservation, State, time_left

MICROSECOND = timedelta(microseconds=1)
RATES = [Credits(micro) for micro in (1_000_000, 250_000, 333_333, 2_777_777, 61)]
"""The first costs a whole number of microcredits at any instant."""

Asked = Open | Holding


def seconds(count: float) -> timedelta:
    """A duration."""
    return timedelta(seconds=count)


@dataclass
class Epoch:
    """What a holder knows of one reservation: since when it burnt at which rate, the last answer
    that proves that it ran, and until when it truly ran."""

    id: UUID
    rates: list[tuple[datetime, Credits]]
    proven_at: datetime | None = None
    lived_until: datetime | None = None

    def cost(self, until: datetime) -> Fraction:
        """In microcredits, exactly."""
        ends = [since for since, _ in self.rates[1:]] + [until]
        parts = zip(self.rates, ends, strict=True)
        return sum(
            (_cost(rate, min(end, until) - start) for (start, rate), end in parts), Fraction()
        )

    def compare(self, posted: Reservation) -> None:
        """It cost its exact time until the instant it ended at, rounded up once; its true time and
        one interval at most; and what it has proven to have used at least."""
        assert posted.ended_at is not None
        assert self.lived_until is not None
        spent, reserved = posted.spent.micro, posted.reserved.micro
        before = self.cost(posted.ended_at - MICROSECOND)
        match posted.state:
            case State.DEPLETED:
                assert spent == reserved
                changed_then = posted.ended_at in dict(self.rates)
                assert reserved <= self.cost(posted.ended_at)
                assert before < reserved or changed_then
            case State.RELEASED:
                assert spent == 0
                return
            case State.LOST if self.proven_at is None and spent == 0:
                return
            case _:
                assert spent == min(ceil(self.cost(posted.ended_at)), reserved)
        more = _cost(self.rates[-1][1], seconds(posted.heartbeat_seconds))
        assert spent <= ceil(self.cost(self.lived_until) + more), "more than a heartbeat too much"
        if self.proven_at is not None:
            assert spent >= min(reserved, ceil(self.cost(self.proven_at))), "less than it proved"


def _cost(rate: Credits, time: timedelta) -> Fraction:
    return rate.micro * Fraction(max(0, time // MICROSECOND), 1_000_000)


class Kernel:
    """A kernel of an account, from its opening until it is over, as chance has it.

    `ended_at` is when it truly ended, which silence may hide from the service. `over` says that
    nobody asks for anything any more.
    """

    def __init__(self, rng: random.Random, uid: str, key: str, begin: datetime) -> None:
        self._rng = rng
        self.opens_at = begin + seconds(rng.uniform(0, 60))
        self.interval = seconds(rng.choice([10, 10, 15, 20, 30]))
        self.opening = Open(
            id=UUID(int=0),
            account_uid=uid,
            key=key,
            resource=key,
            resource_type="runtime",
            given_name="",
            burning_rate=rng.choice(RATES),
            limit=Credits(rng.randint(1, 150_000_000)) if rng.random() < 0.5 else None,
            heartbeat_seconds=int(self.interval.total_seconds()),
            actor="runner",
            by_platform=rng.random() < 0.8,
        )
        self.limit = self.opening.limit
        self.stubborn = rng.random() < 0.2
        self._plan(rng.uniform(0, 300))
        self.epochs: list[Epoch] = []
        self.is_open = self.over = False
        self.asked_at: set[datetime] = set()
        self.answered_at = self.next_beat_at = self.opens_at
        self.runs_out_at: datetime | None = None
        self.ended_at: datetime | None = None

    def _plan(self, life: float) -> None:
        """What will happen, unless it ends before. Who is to settle may have died by then."""

        def perhaps(odds: float, until: float = 1) -> datetime | None:
            comes = self._rng.random() < odds
            return self.opens_at + seconds(self._rng.uniform(0, until * life)) if comes else None

        self.dies_at, self.silent_from = perhaps(0.3), perhaps(0.4, 0.4)
        self.silent_for = self.interval * self._rng.uniform(1, 6)
        self.never_starts = self._rng.random() < 0.05
        self._new_rate = self._rng.choice(RATES)
        self._more = Credits(self._rng.randint(0, 30_000_000))
        wishes = {
            "change rate": perhaps(0.3),
            "extend": perhaps(0.3),
            "release": perhaps(0.04),
            "settle": self.opens_at + seconds(life),
        }
        self.wishes = sorted((at, wish) for wish, at in wishes.items() if at is not None)

    @property
    def epoch(self) -> Epoch:
        """The last one."""
        return self.epochs[-1]

    # What it asks for.

    def wants(self, now: datetime, new_id: Callable[[], UUID]) -> Asked | None:
        """What its holder asks for now, if it asks and can. What it opens has a new id."""
        self._live(now)
        if self.over or now < self.opens_at or self._is_silent(now):
            return None
        asked = self._asks(now) if self.is_open else replace(self.opening, id=new_id())
        if asked is not None:
            self.asked_at.add(now)
        return asked

    def _live(self, now: datetime) -> None:
        """What happens whether or not anybody is asked."""
        stops_at = self.runs_out_at if self.is_open and not self.stubborn else None
        reached = [at for at in (self.dies_at, stops_at) if at is not None and at <= now]
        if self.ended_at is None and reached:
            self.ended_at = min(reached)
        given_up = self.ended_at is not None and now > self.ended_at + self.interval
        if given_up or (self.dies_at is not None and self.dies_at <= now):
            self.end(now)

    def end(self, now: datetime) -> None:
        """Nobody asks for anything any more."""
        self.over = True
        self.ended_at = self.ended_at or now
        if self.epochs and self.epoch.lived_until is None:
            self.epoch.lived_until = self.ended_at

    def _is_silent(self, now: datetime) -> bool:
        """It runs, and its holder can't reach the service."""
        start = self.silent_from
        return start is not None and start <= now < start + self.silent_for

    def _asks(self, now: datetime) -> Asked | None:
        id_, who = self.epoch.id, None if self.opening.by_platform else self.opening.account_uid
        match self._wish(now):
            case "settle":
                return Settle(id_, who)
            case "release":
                return Release(id_, None)
            case "beat":
                return Beat(id_, who)
            case "change rate":
                return ChangeRate(id_, who, self._new_rate)
            case "extend":
                return Extend(id_, who, None if self.limit is None else self.limit + self._more)
            case _:
                return None

    def _wish(self, now: datetime) -> str | None:
        at, wish = self.wishes[0]
        if self.ended_at is not None or (at <= now and wish in {"settle", "release"}):
            return wish if self.ended_at is None else "settle"
        if self.next_beat_at <= now:
            return "beat"
        return wish if at <= now else None

    # What it hears.

    def hear(self, asked: Asked, outcome: Held | Refusal, now: datetime) -> None:
        """What became of it."""
        if isinstance(outcome, Refusal):
            self._hear_no(asked, outcome, now)
        elif isinstance(asked, Open):
            self._hear_of_opening(outcome, now)
        elif isinstance(asked, Settle | Release):
            if outcome.reservation.state is State.LOST:
                self._check_lost(now)
            self.end(now)
        else:
            self._hear_of_life(asked, outcome, now)
        self.answered_at = now

    def _hear_of_opening(self, held: Held, now: datetime) -> None:
        one = held.reservation
        assert one.started_at in self.asked_at
        self.epochs.append(Epoch(one.id, [(one.started_at, one.burning_rate)]))
        self.is_open, self.limit = True, one.limit
        first = now + self.interval * self._rng.choice([0, 0, 0.5, 1.5])
        # Three intervals after it began it is lost, however late its holder has heard of it.
        self.next_beat_at = min(first, max(now, one.started_at + 2 * self.interval))
        self._reckon(held)
        if self.never_starts:
            self.end(now)

    def _hear_of_life(self, asked: Asked, held: Held, now: datetime) -> None:
        one = held.reservation
        if not isinstance(asked, Beat):
            self.wishes.pop(0)
        if isinstance(asked, ChangeRate):
            self.epoch.rates.append((now, one.burning_rate))
        if isinstance(asked, Beat):
            self.epoch.proven_at = now
            missed = 2 if self._rng.random() < 0.15 else 1
            self.next_beat_at = now + self.interval * missed * self._rng.uniform(0.8, 1.1)
            if self._rng.random() < 0.05:
                self.next_beat_at = now  # once more, for nothing
        self.limit = one.limit
        self._reckon(held)

    def _reckon(self, held: Held) -> None:
        left = time_left(held.reservation, held.at)
        self.runs_out_at = None if left is None else held.at + left

    def _hear_no(self, asked: Asked, refusal: Refusal, now: datetime) -> None:
        if isinstance(refusal, ReservationLost):
            self._check_lost(now)
            self.epoch.lived_until = self.ended_at or now
            self.is_open, self.over = False, self.ended_at is not None
        elif isinstance(asked, Extend | ChangeRate) and isinstance(refusal, InsufficientCredits):
            self.wishes.pop(0)
        else:
            assert isinstance(refusal, InsufficientCredits | ReservationDepleted), repr(refusal)
            self.end(now)

    def _check_lost(self, now: datetime) -> None:
        """Who lives is lost only by its own holder's silence, whoever else was away."""
        start = self.silent_from
        silent = start is not None and start <= now and start + self.silent_for > self.answered_at
        assert self.ended_at is not None or silent, f"{self.opening.key} was lost alive at {now}"
