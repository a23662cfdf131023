"""A reservation in a `with` block, kept alive by a thread of its own."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from prepaid_client import calls
from prepaid_client.amounts import Amount
from prepaid_client.answers import Silence
from prepaid_client.asking import Asker, Heard, Send, Step, Steps, Stopped, run
from prepaid_client.calls import Call, Opening
from prepaid_client.holding import Holding
from prepaid_client.records import Reservation, Told

T = TypeVar("T")


class LiveReservation(Holding):
    """A reservation for the time of a `with` block; made by `Client.reservation`.

    The block begins when the credits are reserved, and ends with the settlement. In between a
    daemon thread sends heartbeats: the first at once, which confirms the reservation. A block
    can't be stopped from outside, so what runs long calls `check()` now and then.

    At the end of the block:
    - it is settled, also if the block failed: the time was used;
    - but released, at no cost, if the block failed before any heartbeat got through;
    - a hold (burning rate 0) costs what `settle` was told, and nothing if it wasn't called;
    - if the block didn't fail, whatever ended the reservation before is raised here, as `check()`
      would have, and so is Unavailable, if it could not be settled. The service then settles it to
      the last heartbeat by itself.
    """

    def __init__(self, opening: Opening, asker: Asker, send: Callable[[Send], Heard]) -> None:
        super().__init__(opening, asker)
        self._send = send
        self._turn = threading.Lock()
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(
            target=self._beat, name=f"prepaid heartbeat of {opening.resource}", daemon=True
        )

    def __enter__(self) -> Self:
        """Reserves the credits.

        Raises:
            InsufficientCredits: there are not enough.
            ReservationClosed: the key's reservation has ended already.
            Refused: it can't be opened for another reason.
            Unavailable: the service can't be reached.
        """
        self._run(self._to_open())
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        over, fault = self._over(), None
        self._stop()
        try:
            self._run(self._to_close(failed=error is not None))
        except Exception as failed:  # noqa: BLE001 - it is raised, or noted on what is
            fault = failed
        self._conclude(error, over, fault)

    def extend(self, credits: Amount | None = None) -> None:
        """Raises the limit to `credits`, the new total. Without a limit, and without `credits`,
        reserves ahead from the balance now, as each heartbeat does.

        Raises:
            InsufficientCredits: the balance doesn't allow it; the reservation goes on as it was.
            InvalidLimit: the total is less than the limit now, or there is none to raise.
            CreditsDepleted, ReservationLost, ReservationClosed: it is over.
            Unavailable: the service can't be reached.
        """
        self._changed(lambda id_: calls.extension(id_, credits))

    def change_rate(self, burning_rate: Amount) -> None:
        """Lets it burn at another rate, in credits a second, from now on. What has burnt has.

        Raises:
            InsufficientCredits: the balance doesn't bear the new rate until the next heartbeat.
            InvalidRate: no reservation can have this rate.
            CreditsDepleted, ReservationLost, ReservationClosed: it is over.
            Unavailable: the service can't be reached.
        """
        self._changed(lambda id_: calls.burning_rate(id_, burning_rate))

    def settle(self, credits: Amount | None = None) -> Reservation:
        """Ends it now, and tells how: `used` is what it has cost. A hold (burning rate 0) needs
        `credits`, what it is to cost; for all others time says it.

        Raises:
            InvalidSettlement: it can't have cost that.
            CreditsDepleted: the hold was lost, and there isn't enough to open it again.
            Unavailable: the service can't be reached.
        """
        return self._run(self._to_settle(credits))

    def _changed(self, call_of: Callable[[str], Call[Told]]) -> None:
        try:
            self._run(self._to_change(call_of))
        finally:
            self._woken.set()  # what is left may be less than the thread waits for

    def _run(self, steps: Steps[T]) -> T:
        """Does the steps here, waiting as long as they say."""
        return run(steps, lambda step: self._do(step, time.sleep))

    def _beat(self) -> None:
        """What the thread does. Nothing that it meets is lost: `check()` raises it."""
        try:
            run(self._to_beat(), lambda step: self._do(step, self._doze))
        except Stopped:
            pass
        except Exception as fault:  # noqa: BLE001 - see above
            self._end(fault)

    def _do(self, step: Step, wait: Callable[[float], None]) -> Heard | None:
        if isinstance(step, Send):
            return self._send_in_turn(step)
        wait(step.seconds)
        return None

    def _send_in_turn(self, step: Send) -> Heard:
        """One request at a time: what is heard last is then what is so."""
        if not self._turn.acquire(timeout=step.within_seconds):
            return Silence(TimeoutError("another request is not answered yet"))
        try:
            return self._send(step)
        finally:
            self._turn.release()

    def _doze(self, seconds: float) -> None:
        """Waits, until there is something new or the block ends."""
        self._woken.wait(seconds)
        self._woken.clear()
        if self._stopping:
            raise Stopped

    def _stop(self) -> None:
        """Ends the thread; a heartbeat that is on its way is answered first."""
        self._stopping = True
        self._woken.set()
        self._thread.join()
