"""Metering: what becomes of each command about a reservation.

Time comes first: a reservation that has run out by the batch's instant ends before it is asked
anything, whether or not a sweep has come by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from msgspec.structs import replace

from prepaid.core import admission, reservations
from prepaid.core.amounts import Credits
from prepaid.core.commands import (
    SETTLEMENT_KEYS,
    Beat,
    ChangeRate,
    Extend,
    Held,
    Holding,
    Lapse,
    Open,
    Release,
    Settle,
)
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import (
    ClockFarOff,
    Forbidden,
    InvalidLimit,
    KeyReused,
    ReservationDepleted,
    TooMany,
    UnknownReservation,
)
from prepaid.core.journal import Journal
from prepaid.core.notices import NoticeType
from prepaid.core.reservations import MOST_OPEN, MOST_OPEN_BY_USER, Reservation, State

BACKWARDS = timedelta(seconds=60)
"""How far this machine's clock may be behind another's that has written before; time stands still
meanwhile. Farther is a fault."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Decides about reservations, on a journal.

    `warn_seconds` are the numbers of seconds left at which a holder is warned, once each.
    """

    journal: Journal
    warn_seconds: Sequence[int]

    def open(self, asked: Open) -> Held:
        """Reserves, or finds that the key has reserved already."""
        admission.check(asked)
        first = self.journal.books.opened.get((asked.account_uid, asked.key))
        if first is not None and first.fingerprint != admission.fingerprint(asked):
            raise KeyReused(f"The key {asked.key!r} was used before, with other content.")
        if first is not None and first.state is not State.LOST:
            return self._held(first, replayed=True)
        most = MOST_OPEN if asked.by_platform else MOST_OPEN_BY_USER
        if self.journal.account(asked.account_uid).open >= most:
            raise TooMany(f"{most} reservations are open already; no more can be.")
        return self._reserve(admission.opened(asked, first, self.journal.at))

    def _reserve(self, fresh: Reservation) -> Held:
        """The whole limit, or a slice that lasts for one interval at least."""
        if fresh.limit is None:
            available = self.journal.need(fresh.account_uid, reservations.interval(fresh))
            opened = reservations.topped_up(fresh, self.journal.at, available, ahead=True)
        else:
            left = fresh.limit - fresh.spent_before
            if left.micro <= 0:
                raise ReservationDepleted(f"Its limit of {fresh.limit} credits was used up.")
            self.journal.need(fresh.account_uid, left)
            opened = replace(fresh, reserved=left)
        opened = self._quiet(self.journal.hold(opened))
        self.journal.notice(NoticeType.OPENED, opened, self.journal.at)
        return self._held(opened)

    def hold(self, asked: Holding) -> Held:
        """What becomes of a reservation that there is."""
        one = self.journal.books.reservations.get(asked.reservation_id)
        if one is None:
            raise UnknownReservation("There is no such reservation.")
        if not isinstance(asked, Lapse):
            admission.check_caller(one, asked.account_uid)
        if self.journal.at < one.beat_at - BACKWARDS:
            raise ClockFarOff(
                f"This machine's clock says {self.journal.at.isoformat()}, and the reservation "
                f"was heard of at {one.beat_at.isoformat()}: set it, and start the service again."
            )
        return self._held(self._decided(one, asked), replayed=not one.is_open)

    def _decided(self, one: Reservation, asked: Holding) -> Reservation:
        match asked:
            case Lapse():
                return self._lapse(one, asked) if one.is_open else one
            case Settle():
                return self._settle(one, asked.spent) if one.is_open else one
            case Release():
                return self._release(admission.still_open(one), asked)
            case Beat():
                return self._tend(self._in_time(self._alive(admission.still_open(one))))
            case Extend():
                return self._extend(self._in_time(admission.still_open(one)), asked.limit)
            case _:
                return self._change(self._in_time(admission.still_open(one)), asked)

    def _lapse(self, one: Reservation, asked: Lapse) -> Reservation:
        silent_until = min(self.journal.at, asked.until or self.journal.at)
        if silent_until >= reservations.grace_ends_at(one, asked.grace_from):
            return self._end(reservations.lost(one, self.journal.at))
        one = self._over_time(one, ahead=True)
        return self._warn(one, asked.grace_from) if one.is_open else one

    def _in_time(self, one: Reservation) -> Reservation:
        """It, if it has not run out by now.

        Raises:
            ReservationDepleted: it has, and ends so.
        """
        return admission.still_open(self._over_time(one, ahead=False))

    def _over_time(self, one: Reservation, *, ahead: bool) -> Reservation:
        """It, after what time has done: extended from the balance, or depleted.

        One that was never confirmed can't run out: it has not been known to run. One that ran out
        in silence may have died before: its next proof of life tells, or the end of its grace.
        """
        if one.state is State.PENDING or not reservations.has_run_out(one, self.journal.at):
            return one
        one = self._top_up(one, ahead=ahead)
        if not reservations.has_run_out(one, reservations.proven_until(one, self.journal.at)):
            return one
        return self._end(reservations.depleted(one))

    def _alive(self, one: Reservation) -> Reservation:
        return reservations.alive(one, self.journal.at)

    def _runs(self, one: Reservation) -> Reservation:
        """It, of which its holder says how fast it burns: that proves that it still runs, and
        confirms nothing."""
        return self._alive(one) if one.state is State.RUNNING else one

    def _settle(self, one: Reservation, spent: Credits | None) -> Reservation:
        """It ends with what it has cost. That its holder asks for it proves that it ran: as long as
        what was reserved had lasted, and no longer, since its holder knew how long that was."""
        if spent is not None:
            admission.check_settlement(one, spent, self.journal.at)
        one = self._alive(one)
        if one.limit is not None:
            one = self._over_time(one, ahead=False)
        if not one.is_open:
            return one
        at, why = one.beat_at, "its holder settled it"
        if reservations.has_run_out(one, at):
            at = reservations.runs_out_at(one) or at
            why = f"{why}, after what it had reserved was used up"
        return self._end(reservations.ended(one, State.SETTLED, at, why, spent))

    def _release(self, one: Reservation, asked: Release) -> Reservation:
        if asked.account_uid is not None and one.state is not State.PENDING:
            raise Forbidden("It has run: settle it. Only the platform lets time go unpaid.")
        one = self._in_time(one)
        why = "its holder released it"
        free = reservations.ended(one, State.RELEASED, self.journal.at, why, Credits(0))
        return self._end(free)

    def _extend(self, one: Reservation, limit: Credits | None) -> Reservation:
        if (limit is None) != (one.limit is None):
            raise InvalidLimit(
                "It has no limit that could be raised."
                if one.limit is None
                else "Say what its new limit is: the total, in credits."
            )
        if one.limit is None or limit is None:
            return self._tend(one)
        if limit < one.limit:
            raise InvalidLimit(f"Its limit is {one.limit} credits, and can only be raised.")
        more = limit - one.limit
        self.journal.need(one.account_uid, more)
        return self._change_to(replace(one, limit=limit, reserved=one.reserved + more), one)

    def _change(self, one: Reservation, asked: ChangeRate) -> Reservation:
        one = self._in_time(self._runs(one))
        admission.check_rate(asked.burning_rate)
        changed = reservations.rated(one, asked.burning_rate, self.journal.at)
        if one.limit is None:
            changed = self._resliced(changed, faster=changed.burning_rate > one.burning_rate)
        return self._change_to(changed, one)

    def _resliced(self, one: Reservation, *, faster: bool) -> Reservation:
        """With what the new rate needs: a slice at most, and one interval at least if it is faster
        than before. Who slows down because little is left is not stopped for it."""
        burnt = reservations.rounded_up(reservations.burnt(one, self.journal.at))
        free = replace(one, reserved=min(one.reserved, burnt))
        returned = one.reserved - free.reserved
        available = self.journal.available(one.account_uid) + returned
        least = burnt + reservations.interval(one) - free.reserved
        if faster and available < least:
            self.journal.need(one.account_uid, least - returned)
        return reservations.topped_up(free, self.journal.at, available, ahead=True)

    def _change_to(self, changed: Reservation, before: Reservation) -> Reservation:
        if changed == before:
            return changed
        changed = self._warn(self.journal.hold(changed))
        self.journal.notice(NoticeType.CHANGED, changed, self.journal.at)
        return changed

    def _tend(self, one: Reservation) -> Reservation:
        return self._warn(self._top_up(one, ahead=True))

    def _top_up(self, one: Reservation, *, ahead: bool) -> Reservation:
        if one.limit is not None:
            return self.journal.hold(one)
        available = self.journal.available(one.account_uid)
        return self.journal.hold(
            reservations.topped_up(one, self.journal.at, available, ahead=ahead)
        )

    def _end(self, one: Reservation) -> Reservation:
        """Frees what it claimed, and posts what it has cost."""
        assert one.ended_at is not None
        self.journal.hold(one)
        if one.spent:
            self.journal.draw(one.account_uid, one.spent, held=True)
            self.journal.post(_settlement(one, self.journal.at))
        ran_out = one.state is State.DEPLETED
        type_ = NoticeType.DEPLETED if ran_out else NoticeType.ENDED
        self.journal.notice(type_, one, one.ended_at)
        return one

    def _warn(self, one: Reservation, grace_from: datetime | None = None) -> Reservation:
        """Tells its holder, once for each number of seconds left; and when time comes next."""
        before = one.warned
        one = self._quiet(one, grace_from)
        if one.warned is not None and (before is None or one.warned < before):
            self.journal.notice(NoticeType.WARNED, one, self.journal.at)
        return one

    def _quiet(self, one: Reservation, grace_from: datetime | None = None) -> Reservation:
        """Reckons what it need not be warned of any more, and when time comes next."""
        account, at = self.journal.account(one.account_uid), self.journal.at
        left = reservations.runway(one, at, account.balance - account.reserved, account.shared_rate)
        passed = [
            seconds
            for seconds in self.warn_seconds
            if left is not None and left <= timedelta(seconds=seconds)
        ]
        due = [reservations.grace_ends_at(one, grace_from or one.beat_at)]
        if one.state is State.RUNNING and (out := reservations.runs_out_at(one)) and out > at:
            due.append(out)
        if left is not None:
            ahead = (left - timedelta(seconds=s) for s in self.warn_seconds if s not in passed)
            due += [at + wait for wait in ahead]
        return self.journal.hold(replace(one, warned=min(passed, default=None), due_at=min(due)))

    def _held(self, one: Reservation, *, replayed: bool = False) -> Held:
        account = self.journal.account(one.account_uid)
        available = account.balance - account.reserved
        return Held(one, self.journal.at, available, account.shared_rate, replayed)


def _settlement(one: Reservation, at: datetime) -> Entry:
    """Its id and key are the reservation's, so that it is posted once."""
    key = f"{SETTLEMENT_KEYS}{one.id}"
    return Entry(
        account_uid=one.account_uid,
        number=0,
        id=one.id,
        kind=Kind.SETTLEMENT,
        credits=-one.spent,
        balance=Credits(0),
        at=at,
        key=key,
        fingerprint=blake2b(key.encode(), digest_size=16).digest(),
        source=f"{one.resource_type} {one.resource}",
        reason=_lasted(one),
        actor=one.actor,
    )


def _lasted(one: Reservation) -> str:
    assert one.ended_at is not None
    seconds = (one.ended_at - one.started_at).total_seconds()
    return f"{seconds:.3f} seconds; {one.why}"
