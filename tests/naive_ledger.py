"""A naive ledger for tests, written from the rules alone: fractions, lists, no thought of speed.

Amounts are microcredits, instants and durations microseconds, rates microcredits a second.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

SECOND = 1_000_000
PRIORITY = {"promotion": 10, "adjustment": 20, "purchase": 30}
OPEN = ("pending", "running")


class No(Exception):  # noqa: N818 - it is an answer
    """A refusal, by the name of its class."""


@dataclass
class Lot:
    """A grant."""

    id: UUID
    kind: str
    left: int
    expires: float
    at: int


@dataclass
class Run:
    """A reservation: since when it burnt at which rate, and when it was last heard of."""

    uid: str
    id: UUID
    key: str
    content: tuple[object, ...]
    platform: bool
    limit: int | None
    interval: int
    rates: list[tuple[int, int]]
    heard: int
    state: str = "pending"
    reserved: int = 0
    epoch: int = 1
    spent: int = 0
    spent_before: int = 0

    @property
    def open(self) -> bool:
        return self.state in OPEN

    @property
    def rate(self) -> int:
        return self.rates[-1][1]

    def cost(self, at: int) -> Fraction:
        """Each rate costs its own time; time never goes back behind what was last heard."""
        at = max(at, self.heard, self.rates[-1][0])
        ends = [since for since, _ in self.rates[1:]] + [at]
        parts = zip(self.rates, ends, strict=True)
        return sum(
            (Fraction(rate * (end - since), SECOND) for (since, rate), end in parts), Fraction()
        )

    def used(self, at: int) -> int:
        return min(ceil(self.cost(at)), self.reserved) if self.open else self.spent

    def ran_out(self, at: int) -> bool:
        return self.rate > 0 and self.cost(at) >= self.reserved

    def lasts(self, at: int) -> int | None:
        if not self.open:
            return 0
        if self.rate == 0:
            return None
        return max(0, floor((self.reserved - self.cost(at)) * SECOND / self.rate))


@dataclass
class Account:
    lots: list[Lot] = field(default_factory=list)
    keys: dict[str, tuple[object, ...]] = field(default_factory=dict)
    given: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots)

    def in_order(self) -> list[Lot]:
        return sorted(self.lots, key=lambda lot: (PRIORITY[lot.kind], lot.expires, lot.at, lot.id))


class NaiveLedger:
    """Says what has to become of each command, at `now`."""

    def __init__(self, uids: Iterable[str], now: int) -> None:
        self.now = now
        self.accounts = {uid: Account() for uid in uids}
        self.runs: list[Run] = []

    # What an account has.

    def running(self, uid: str) -> list[Run]:
        return [run for run in self.runs if run.uid == uid and run.open]

    def reserved(self, uid: str) -> int:
        return sum(run.reserved for run in self.running(uid))

    def free(self, uid: str) -> int:
        return self.accounts[uid].balance - self.reserved(uid)

    def expire(self, uid: str) -> None:
        """Claims lie on grants in the order of spending; what isn't claimed expires."""
        claims = self.reserved(uid)
        for lot in self.account(uid).in_order():
            claimed = min(claims, lot.left)
            claims -= claimed
            if lot.expires <= self.now:
                self.accounts[uid].expired += lot.left - claimed
                lot.left = claimed

    def available(self, uid: str) -> int:
        self.account(uid)
        self.expire(uid)
        return self.free(uid)

    def account(self, uid: str) -> Account:
        if uid not in self.accounts:
            raise No("UnknownAccount")
        return self.accounts[uid]

    def need(self, uid: str, amount: int) -> None:
        if self.available(uid) < amount:
            raise No("InsufficientCredits")

    def take(self, uid: str, amount: int, usable: Callable[[Lot], bool]) -> None:
        for lot in self.accounts[uid].in_order():
            taken = min(amount, lot.left) if usable(lot) else 0
            lot.left -= taken
            amount -= taken
        assert amount == 0

    # What is posted under a key.

    def once(
        self, uid: str, key: str, content: tuple[object, ...], post: Callable[[], None]
    ) -> bool:
        """Whether it was posted before."""
        first = self.accounts[uid].keys.get(key) if uid in self.accounts else None
        if first is not None:
            if first != content:
                raise No("KeyReused")
            return True
        if content[1] is not None and int(str(content[1])) <= 0:
            raise No("InvalidCredits")
        post()
        self.accounts[uid].keys[key] = content
        return False

    def give(self, uid: str, lot: Lot) -> None:
        account = self.account(uid)
        if lot.expires <= self.now:
            raise No("InvalidExpiry")
        account.lots.append(lot)
        account.given += lot.left

    def charge(self, uid: str, amount: int) -> None:
        self.need(uid, amount)
        self.take(uid, amount, lambda lot: lot.expires > self.now)
        self.accounts[uid].spent += amount

    def reverse(self, uid: str, id_: UUID, amount: int | None) -> None:
        available = self.available(uid)
        lot = next((lot for lot in self.accounts[uid].lots if lot.id == id_ and lot.left), None)
        if lot is None:
            raise No("UnknownGrant")
        free = min(available, lot.left)
        amount = amount or free or lot.left
        if free < amount:
            raise No("InsufficientCredits")
        lot.left -= amount
        self.accounts[uid].reversed += amount

    # What runs.

    def opened(self, fresh: Run) -> tuple[Run, bool]:
        """The reservation, and whether it had been opened before."""
        self._admit(fresh.rate)
        if fresh.rate == 0 and fresh.limit is None:
            raise No("InvalidRate")
        if fresh.limit is not None and fresh.limit <= 0:
            raise No("InvalidLimit")
        if not SECOND <= fresh.interval <= 3600 * SECOND:
            raise No("InvalidHeartbeat")
        last = [run for run in self.runs if (run.uid, run.key) == (fresh.uid, fresh.key)]
        if last and last[-1].content != fresh.content:
            raise No("KeyReused")
        if last and last[-1].state != "lost":
            return last[-1], True
        self.account(fresh.uid)
        self._reserve(self._again(fresh, last[-1]) if last else fresh)
        return self.runs[-1], False

    def _again(self, fresh: Run, lost: Run) -> Run:
        fresh.limit = lost.limit
        fresh.epoch, fresh.spent_before = lost.epoch + 1, lost.spent_before + lost.spent
        return fresh

    def _reserve(self, fresh: Run) -> None:
        if fresh.limit is None:
            self.need(fresh.uid, fresh.rate * fresh.interval // SECOND)
            self._fill(fresh, 3)
        else:
            fresh.reserved = fresh.limit - fresh.spent_before
            if fresh.reserved <= 0:
                raise No("ReservationDepleted")
            self.need(fresh.uid, fresh.reserved)
        self.runs.append(fresh)

    def find(self, id_: UUID, who: str | None) -> Run:
        """It, if the asker may and the clock can be right."""
        run = next((run for run in self.runs if run.id == id_), None)
        if run is None or who not in {None, run.uid}:
            raise No("UnknownReservation")
        if who is not None and run.platform:
            raise No("Forbidden")
        if self.now < run.heard - 60 * SECOND:
            raise No("ClockFarOff")
        return run

    def find_open(self, id_: UUID, who: str | None) -> Run:
        run = self.find(id_, who)
        self._still_open(run)
        return run

    def beat(self, id_: UUID, who: str | None) -> Run:
        run = self.find_open(id_, who)
        run.state, run.heard = "running", max(run.heard, self.now)
        self._in_time(run)
        self._fill(run, 3)
        return run

    def extend(self, id_: UUID, who: str | None, limit: int | None) -> Run:
        run = self.find_open(id_, who)
        self._in_time(run)
        if (limit is None) != (run.limit is None):
            raise No("InvalidLimit")
        if limit is None or run.limit is None:
            self._fill(run, 3)
            return run
        if limit < run.limit:
            raise No("InvalidLimit")
        self.need(run.uid, limit - run.limit)
        run.reserved += limit - run.limit
        run.limit = limit
        return run

    def change_rate(self, id_: UUID, who: str | None, rate: int) -> Run:
        run = self.find_open(id_, who)
        self._in_time(run)
        before = run.heard
        try:
            self._heard_by_its_holder(run)
            self._admit(rate)
            if run.limit is None:
                self._slice_anew(run, rate)
        except No:
            if run.open:  # a refusal proves nothing; what ended meanwhile had been heard of
                run.heard = before
            raise
        run.rates.append((max(self.now, run.heard, run.rates[-1][0]), rate))
        return run

    def _heard_by_its_holder(self, run: Run) -> None:
        if run.state == "running":
            run.heard = max(run.heard, self.now)
            self._in_time(run)

    @staticmethod
    def _admit(rate: int) -> None:
        if not 0 <= rate <= 10_000 * SECOND:
            raise No("InvalidRate")

    def _slice_anew(self, run: Run, rate: int) -> None:
        cost = ceil(run.cost(self.now))
        kept = min(run.reserved, cost)
        available = self.available(run.uid) + run.reserved - kept
        if rate > run.rate and available < cost + rate * run.interval // SECOND - kept:
            raise No("InsufficientCredits")
        wanted = cost + 3 * rate * run.interval // SECOND
        run.reserved = kept + max(0, min(wanted - kept, available))

    def settle(self, id_: UUID, who: str | None, cost: int | None) -> tuple[Run, bool]:
        run = self.find(id_, who)
        if not run.open:
            return run, True
        if cost is not None and (run.rate or not run.used(self.now) <= cost <= run.reserved):
            raise No("InvalidSettlement")
        run.state, run.heard = "running", max(run.heard, self.now)
        if run.limit is not None:
            self._time_passes(run)
        if run.open:
            self._end(run, "settled", run.used(self.now) if cost is None else cost)
        return run, False

    def release(self, id_: UUID, who: str | None) -> Run:
        run = self.find_open(id_, who)
        if who is not None and run.state == "running":
            raise No("Forbidden")
        self._in_time(run)
        self._end(run, "released", 0)
        return run

    def lapse(self, id_: UUID, grace_from: int) -> Run:
        run = self.find(id_, None)
        if run.open and self.now >= max(run.heard, grace_from) + 3 * run.interval:
            self._lose(run)
        elif run.open:
            self._time_passes(run, slices=3)
        return run

    def _lose(self, run: Run) -> None:
        until = min(self.now, run.heard + run.interval)
        if run.state == "pending":
            self._end(run, "lost", 0)
        elif run.ran_out(until):
            self._end(run, "depleted", run.reserved)
        else:
            self._end(run, "lost", run.used(until))

    def _time_passes(self, run: Run, slices: int = 0) -> None:
        """What has run out is filled up; else it ends, if it is known to have lived so long."""
        if run.state == "running" and run.ran_out(self.now):
            self._fill(run, slices)
            if run.ran_out(min(self.now, run.heard + run.interval)):
                self._end(run, "depleted", run.reserved)

    def _fill(self, run: Run, slices: int) -> None:
        """So many intervals ahead of what has burnt; or just beyond that."""
        if run.limit is None:
            cost = run.cost(self.now)
            ahead = ceil(cost) + slices * run.rate * run.interval // SECOND
            wanted = ahead if slices else floor(cost) + 1
            run.reserved += max(0, min(wanted - run.reserved, self.available(run.uid)))

    def _in_time(self, run: Run) -> None:
        self._time_passes(run)
        self._still_open(run)

    @staticmethod
    def _still_open(run: Run) -> None:
        if not run.open:
            ends = {"lost": "ReservationLost", "depleted": "ReservationDepleted"}
            raise No(ends.get(run.state, "ReservationClosed"))

    def _end(self, run: Run, state: str, cost: int) -> None:
        run.state, run.spent = state, cost
        self.take(run.uid, cost, lambda _: True)
        self.accounts[run.uid].spent += cost
