"""The clock: the service's is the only authority on time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the instant: aware, UTC."""

_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts on while the machine sleeps, where the system has such a clock."""


def wall_clock() -> datetime:
    """The instant now."""
    return datetime.now(UTC)


def since_boot() -> timedelta:
    """What has passed since the machine began."""
    return timedelta(microseconds=time.clock_gettime_ns(_SINCE_BOOT) // 1_000)


def steady_clock(began: datetime | None = None) -> Clock:
    """The wall clock, read once (or the instant that is given); from then on time passes as it
    does, however somebody sets the clock. What burns is measured by it: an hour that never was
    must not cost anything."""
    start = (began or wall_clock()) - since_boot()
    return lambda: start + since_boot()
