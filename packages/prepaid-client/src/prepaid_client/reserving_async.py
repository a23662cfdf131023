"""A reservation in an `async with` block, kept alive by a task, which can stop the block."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

from prepaid_client import calls
from prepaid_client.amounts import Amount
from prepaid_client.answers import Silence
from prepaid_client.asking import Asker, Heard, Send, Step, Steps, Stopped, run_async
from prepaid_client.calls import Call, Opening
from prepaid_client.holding import Holding
from prepaid_client.life import PENDING
from prepaid_client.records import Reservation, Told

T = TypeVar("T")


class AsyncLiveReservation(Holding):
    """A reservation for the time of an `async with` block; made by `AsyncClient.reservation`.

    As `LiveReservation`, but a task of the same event loop (asyncio) sends the heartbeats, and when
    the reservation is over it cancels the block, which then ends as `check()` would: with
    CreditsDepleted, as a rule. A block that is cancelled from outside stays cancelled, whatever
    else happens. The settlement is finished even if it is cancelled itself; it takes no longer
    than the client's retries.
    """

    def __init__(
        self,
        opening: Opening,
        asker: Asker,
        send: Callable[[Send], Awaitable[Heard]],
    ) -> None:
        super().__init__(opening, asker)
        self._send = send
        self._turn = asyncio.Lock()
        self._woken = asyncio.Event()
        self._stopping = False
        self._beating: asyncio.Task[None] | None = None
        self._body: asyncio.Task[object] | None = None
        self._cancelled_before = 0
        self._stopped_body = False

    async def __aenter__(self) -> Self:
        """Reserves the credits.

        Raises:
            InsufficientCredits: there are not enough.
            ReservationClosed: the key's reservation has ended already.
            Refused: it can't be opened for another reason.
            Unavailable: the service can't be reached.
        """
        await self._run(self._to_open())
        self._body = asyncio.current_task()
        assert self._body is not None, "a coroutine of asyncio runs in a task"
        self._cancelled_before = self._body.cancelling()
        self._beating = asyncio.create_task(
            self._beat(), name=f"prepaid heartbeat of {self._opening.resource}"
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._leave_body() and isinstance(error, asyncio.CancelledError):
            error = None  # it was ours
        over = self._over()
        fault = await _finished(self._close(failed=error is not None))
        self._conclude(error, over, fault)

    async def extend(self, credits: Amount | None = None) -> None:
        """Raises the limit to `credits`, the new total. Without a limit, and without `credits`,
        reserves ahead from the balance now, as each heartbeat does.

        Raises:
            InsufficientCredits: the balance doesn't allow it; the reservation goes on as it was.
            InvalidLimit: the total is less than the limit now, or there is none to raise.
            CreditsDepleted, ReservationLost, ReservationClosed: it is over.
            Unavailable: the service can't be reached.
        """
        await self._changed(lambda id_: calls.extension(id_, credits))

    async def change_rate(self, burning_rate: Amount) -> None:
        """Lets it burn at another rate, in credits a second, from now on. What has burnt has.

        Raises:
            InsufficientCredits: the balance doesn't bear the new rate until the next heartbeat.
            InvalidRate: no reservation can have this rate.
            CreditsDepleted, ReservationLost, ReservationClosed: it is over.
            Unavailable: the service can't be reached.
        """
        await self._changed(lambda id_: calls.burning_rate(id_, burning_rate))

    async def settle(self, credits: Amount | None = None) -> Reservation:
        """Ends it now, and tells how: `used` is what it has cost. A hold (burning rate 0) needs
        `credits`, what it is to cost; for all others time says it.

        Raises:
            InvalidSettlement: it can't have cost that.
            CreditsDepleted: the hold was lost, and there isn't enough to open it again.
            Unavailable: the service can't be reached.
        """
        return await self._run(self._to_settle(credits))

    async def _changed(self, call_of: Callable[[str], Call[Told]]) -> None:
        try:
            await self._run(self._to_change(call_of))
        finally:
            self._woken.set()  # what is left may be less than the task waits for

    async def _run(self, steps: Steps[T]) -> T:
        """Does the steps here, waiting as long as they say."""
        return await run_async(steps, lambda step: self._do(step, asyncio.sleep))

    async def _beat(self) -> None:
        """What the task does. Nothing that it meets is lost: the block ends with it."""
        try:
            await run_async(self._to_beat(), lambda step: self._do(step, self._doze))
        except Stopped:
            return
        except Exception as fault:  # noqa: BLE001 - see above
            self._end(fault)
        if self._body is not None and self._over() is not None:
            self._stopped_body = True
            self._body.cancel("The reservation is over.")

    async def _do(self, step: Step, wait: Callable[[float], Awaitable[None]]) -> Heard | None:
        if isinstance(step, Send):
            return await self._send_in_turn(step)
        await wait(step.seconds)
        return None

    async def _send_in_turn(self, step: Send) -> Heard:
        """One request at a time: what is heard last is then what is so."""
        try:
            async with asyncio.timeout(step.within_seconds), self._turn:
                return await self._send(step)
        except TimeoutError as late:
            return Silence(late)

    async def _doze(self, seconds: float) -> None:
        """Waits, until there is something new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        self._woken.clear()
        if self._stopping:
            raise Stopped

    def _leave_body(self) -> bool:
        """From here on nobody stops the block. Whether it was stopped, and by nobody else."""
        body, self._body = self._body, None
        if body is None or not self._stopped_body:
            return False
        return body.uncancel() <= self._cancelled_before

    async def _stop(self) -> None:
        """Ends the task. If its first heartbeat is on its way, that is answered first: whether
        it got through decides whether time was used."""
        assert self._beating is not None, "the block was entered"
        if self.reservation.state == PENDING:
            self._stopping = True
            self._woken.set()
        else:
            self._beating.cancel()
        await asyncio.wait({self._beating})

    async def _close(self, *, failed: bool) -> Exception | None:
        """Ends the heartbeats and the reservation; what went wrong with that."""
        await self._stop()
        try:
            await self._run(self._to_close(failed=failed))
        except Exception as fault:  # noqa: BLE001 - it is raised, or noted on what is
            return fault
        return None


async def _finished(work: Coroutine[None, None, T]) -> T:
    """The result of work that goes on if who waits for it is cancelled.

    Raises:
        CancelledError: they were; the work is finished all the same.
    """
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as told:
            cancelled = told
    if cancelled is not None:
        raise cancelled
    return task.result()
