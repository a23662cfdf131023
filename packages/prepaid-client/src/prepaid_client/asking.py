"""How a call is asked until it is answered: once, or again and again with patience.

Nothing here sends or waits. A generator says what to do next (`Send` a call, `Wait` so long), is
given what became of it, and returns the result or raises what is wrong. A program with threads
and one with an event loop drive the same generators.
"""

import random
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from prepaid_client.answers import PASSING, Answer, Silence
from prepaid_client.calls import Call
from prepaid_client.errors import Unavailable, Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send this; what hasn't been answered after `within_seconds` is Silence."""

    call: Call[object]
    within_seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so long; being woken earlier does no harm."""

    seconds: float


SHORTEST = 0.1
"""Seconds that any request is given."""

Step = Send | Wait
Heard = Answer | Silence
Steps = Generator[Step, Heard | None, T]
"""What to do, one step after the other. A Send is given what was heard, a Wait nothing."""


class Stopped(Exception):  # noqa: N818 - no error: what did the steps was told to stop
    """Raised by what does the steps, to do no more of them."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how long, a call is tried that nobody answers, or that is answered "not now"
    (429, 502, 503, 504). Always with the same key, so that it is done once.

    Waits double from `first_seconds` to `longest_seconds`, each shortened by up to half by chance;
    a Retry-After makes one longer. After `attempts`, or when `total_seconds` are over or the next
    wait would last beyond them, the call ends as Unavailable.
    """

    attempts: int = 8
    total_seconds: float = 20.0
    first_seconds: float = 0.25
    longest_seconds: float = 5.0

    def wait(self, failures: int, away: Unavailable, chance: float) -> float:
        """How long to wait after so many failures in a row; `chance` is 0 to 1."""
        doubled = self.first_seconds * 2.0 ** min(failures - 1, 16)
        backed_off = min(doubled, self.longest_seconds) * (1 - chance / 2)
        return max(backed_off, away.retry_after_seconds or 0.0)


PATIENTLY = Retries()
"""Long enough for the service to be started again."""


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


def since_boot() -> float:
    """Seconds on a monotonic clock. On Linux it is one that goes on while the machine is suspended,
    as the service's does meanwhile."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks calls. `clock` is monotonic, in seconds; `chance` is a number from 0 to 1."""

    retries: Retries = PATIENTLY
    timeout_seconds: float = 10.0
    clock: Callable[[], float] = since_boot
    chance: Callable[[], float] = random.random

    def once(self, call: Call[T], within_seconds: float | None = None) -> Steps[T]:
        """Asks once.

        Raises:
            Refused: the service said no.
            Unavailable: it said nothing in time, or nothing worth having.
        """
        within = self.timeout_seconds if within_seconds is None else within_seconds
        heard = yield Send(call, min(within, self.timeout_seconds))
        assert heard is not None, "a Send is given what was heard"
        return _result(call, heard)

    def persistently(self, call: Call[T]) -> Steps[T]:
        """Asks until there is an answer.

        Raises:
            Refused: the service said no.
            Unavailable: there was none as often, or as long, as `retries` say.
        """
        give_up_at = self.clock() + self.retries.total_seconds
        failures = 0
        while True:
            try:
                return (yield from self.once(call, max(SHORTEST, give_up_at - self.clock())))
            except Unavailable as away:
                failures += 1
                wait = self.wait(failures, away)
                late = self.clock() + wait >= give_up_at
                if late or failures >= self.retries.attempts or not _passes(away):
                    raise
                yield Wait(wait)

    def wait(self, failures: int, away: Unavailable) -> float:
        """How long to wait before the next attempt, in seconds."""
        return self.retries.wait(failures, away, self.chance())


def run(steps: Steps[T], do: Callable[[Step], Heard | None]) -> T:
    """Does the steps, and returns their result; `do` may raise to end them."""
    try:
        step = next(steps)
        while True:
            step = steps.send(do(step))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


async def run_async(steps: Steps[T], do: Callable[[Step], Awaitable[Heard | None]]) -> T:
    """The same in an event loop."""
    try:
        step = next(steps)
        while True:
            step = steps.send(await do(step))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        steps.close()


def _result(call: Call[T], heard: Heard) -> T:
    if isinstance(heard, Silence) or not heard.is_good:
        raise heard.fault()
    try:
        return call.read(heard)
    except Unreadable as unreadable:
        unreadable.status = heard.status
        raise


def _passes(away: Unavailable) -> bool:
    """Whether it may be over soon: silence may; a fault (500) and what isn't prepaid won't."""
    return away.status is None or away.status in PASSING
