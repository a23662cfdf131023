"""Holding a reservation: opened, kept alive, opened again when it was lost, and settled.

What there is to do stands here, once, as steps (see asking.py). `LiveReservation` does them with a
thread, `AsyncLiveReservation` with a task.
"""

import threading
from collections.abc import Callable

from prepaid_client import calls
from prepaid_client.amounts import Amount
from prepaid_client.asking import Asker, Steps, Wait
from prepaid_client.calls import Call, Opening
from prepaid_client.errors import (
    CreditsDepleted,
    InsufficientCredits,
    Refused,
    ReservationClosed,
    ReservationLost,
    Unavailable,
)
from prepaid_client.life import LOST, PENDING, Life, ended
from prepaid_client.records import Reservation, Told

Ask = Callable[[Call[Told]], Steps[Told]]


class Holding:
    """A reservation as its holder knows it. What is read here asks nobody and never waits."""

    def __init__(self, opening: Opening, asker: Asker) -> None:
        self._opening = opening
        self._asker = asker
        self._known: Life | None = None
        self._known_lock = threading.Lock()
        self._settled = False

    @property
    def reservation(self) -> Reservation:
        """The reservation as the service last told it; at the end of the block, how it ended."""
        return self._now().told.reservation

    @property
    def state(self) -> str:
        """pending, running, settled, released, lost or depleted, as far as it is known here."""
        return self._now().state

    @property
    def seconds_left(self) -> float | None:
        """How long what is reserved lasts, in seconds, counted down by this machine's monotonic
        clock from before the service was asked: never too long. None if it doesn't burn."""
        return self._now().seconds_left(self._asker.clock())

    @property
    def runway_seconds(self) -> float | None:
        """How long it can go on while heartbeats extend it from the balance as it was told last,
        in seconds. None if it doesn't burn."""
        return self._now().runway_seconds(self._asker.clock())

    def check(self) -> None:
        """Returns while the reservation lives. It asks nobody: call it as often as you like.

        Raises:
            CreditsDepleted: what it may cost is used up, or what was reserved ran out while the
                service couldn't be reached.
            ReservationLost: it was lost, and couldn't be opened again.
            ReservationClosed: it was settled or released, here or elsewhere.
            PrepaidError: the service refused a heartbeat for another reason.
        """
        over = self._now().over
        if over is not None:
            raise over.with_traceback(None)

    def _now(self) -> Life:
        """What is known, now: the end of what is reserved is noticed by looking."""
        clock = self._asker.clock
        return self._learn(lambda life: life.at(clock()))

    def _learn(self, change: Callable[[Life], Life]) -> Life:
        with self._known_lock:
            if self._known is None:
                raise RuntimeError("The reservation is not open: use it in a with block.")
            self._known = change(self._known)
            return self._known

    def _hear(self, told: Told) -> Told:
        self._learn(lambda life: life.after(told))
        return told

    def _end(self, why: Exception) -> None:
        self._learn(lambda life: life.ended_by(why))

    def _to_open(self) -> Steps[None]:
        """Opens it, or finds it open under its key."""
        if self._known is not None:
            raise RuntimeError("A reservation is entered once: ask the client for another.")
        told = yield from self._asker.persistently(self._opening.call())
        self._known = Life.begun(told)
        self.check()

    def _to_beat(self) -> Steps[None]:
        """Keeps it alive until it is over: a heartbeat at once, and then at each interval."""
        failures = 0
        while self._now().over is None:
            try:
                told = yield from self._to_ask(calls.heartbeat, self._in_time)
                failures, regularly = 0, told.sent_at + told.heartbeat_seconds
            except Unavailable as away:
                failures += 1
                self._trouble(away)
                regularly = self._asker.clock() + self._again_in(failures, away)
            except Refused as refusal:
                self._end(refusal)
                return
            yield from self._to_wait(regularly)

    def _to_wait(self, regularly: float) -> Steps[None]:
        """Waits until the next heartbeat is due; what is learned meanwhile may change when."""
        clock = self._asker.clock
        while (due := self._now().next_heartbeat_at(regularly, clock())) > clock():
            yield Wait(due - clock())
            if clock() >= due:
                return

    def _again_in(self, failures: int, away: Unavailable) -> float:
        """No longer than between two heartbeats: so often the service has to be told anyway."""
        return min(self._asker.wait(failures, away), self._now().told.heartbeat_seconds)

    def _trouble(self, away: Unavailable) -> None:
        self._learn(lambda life: life.troubled_by(away))

    def _in_time(self, call: Call[Told]) -> Steps[Told]:
        """Asks once, and not for longer than what is reserved lasts."""
        return self._asker.once(call, self._now().seconds_left(self._asker.clock()))

    def _to_ask(self, call_of: Callable[[str], Call[Told]], ask: Ask) -> Steps[Told]:
        """Asks about the reservation, and about the one that follows if it was lost."""
        try:
            return self._hear((yield from ask(call_of(self._id))))
        except ReservationLost:
            yield from self._to_reopen(ask)
            return self._hear((yield from ask(call_of(self._id))))

    def _to_reopen(self, ask: Ask) -> Steps[None]:
        """Opens it again under its key, to burn as it did: what it has cost so far counts against
        its limit."""
        rate = self.reservation.burning_rate
        try:
            told = self._hear((yield from ask(self._opening.call())))
        except Refused as refusal:
            spent = isinstance(refusal, InsufficientCredits | CreditsDepleted)
            kind = CreditsDepleted if spent else ReservationLost
            raise kind(f"It was lost, and can't be opened again: {refusal}") from refusal
        if over := ended(told.reservation):
            raise over
        if told.reservation.burning_rate != rate:
            self._hear((yield from ask(calls.burning_rate(self._id, rate))))

    def _to_change(self, call_of: Callable[[str], Call[Told]]) -> Steps[None]:
        """Asks for something else about it; a reservation that turns out to be over is."""
        try:
            yield from self._to_ask(call_of, self._asker.persistently)
        except ReservationClosed as over:
            self._end(over)
            raise

    def _to_settle(self, credits: Amount | None) -> Steps[Reservation]:
        """Settles it. A hold that was lost meanwhile costs nothing yet: it is opened again."""
        told = yield from self._to_end(credits)
        if credits is not None and told.reservation.state == LOST:
            yield from self._to_reopen(self._asker.persistently)
            told = yield from self._to_end(credits)
        self._settled = True
        return told.reservation

    def _to_close(self, *, failed: bool) -> Steps[None]:
        """Ends it with the block. One that `failed` before its first heartbeat is released: what
        it was for never ran. Otherwise time was used, and is paid; a hold costs what was said."""
        if self._settled:
            return
        if failed and self.reservation.state == PENDING:
            try:
                self._hear((yield from self._asker.persistently(calls.release(self._id))))
            except Refused:
                pass  # it has been confirmed after all, or has ended
            else:
                return
        burns = self.reservation.burning_rate > 0
        yield from self._to_end(None if burns else self.reservation.used)

    def _to_end(self, credits: Amount | None) -> Steps[Told]:
        call = calls.settlement(self._id, credits)
        return self._hear((yield from self._asker.persistently(call)))

    @property
    def _id(self) -> str:
        return self.reservation.id

    def _over(self) -> Exception | None:
        """What the block has to end with, if it ends now and didn't end the reservation itself."""
        return None if self._settled else self._now().over

    @staticmethod
    def _conclude(
        error: BaseException | None, over: Exception | None, fault: Exception | None
    ) -> None:
        """Ends the block with its own error, else with what ended the reservation, else with why
        it couldn't be settled; the others are noted on it."""
        told = [one for one in (error, over, fault) if one is not None]
        for other in told[1:]:
            if other is not told[0]:
                told[0].add_note(f"The reservation: {other}")
        if error is None and told:
            raise told[0].with_traceback(None)
