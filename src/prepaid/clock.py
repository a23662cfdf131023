"""The clock: the service's is the only authority on time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the instant: aware, UTC."""


def wall_clock() -> datetime:
    """The instant now."""
    return datetime.now(UTC)
