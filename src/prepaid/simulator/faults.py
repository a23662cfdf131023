"""Faults on demand: what goes wrong, how often, and for which requests or deliveries.

Faults live in memory: after a restart nothing goes wrong that nobody asked for.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

ApiAnswer: TypeAlias = Literal[
    "server_error", "rate_limit", "lock_timeout", "lost_response", "lost_request", "slow"
]
DeliveryFault: TypeAlias = Literal["duplicate", "parallel", "delay", "reorder", "lose", "hold"]

API_ANSWERS: tuple[str, ...] = get_args(ApiAnswer)
DELIVERY_FAULTS: tuple[str, ...] = get_args(DeliveryFault)


@dataclass
class ApiFault:
    """How the next ``count`` requests go wrong whose method and path fit (``*`` is a wildcard)."""

    answer: ApiAnswer
    method: str = "*"
    path: str = "*"
    count: int = 1
    seconds: float = 0.0
    retry: bool | None = None
    status: int | None = None

    def fits(self, method: str, path: str) -> bool:
        """Tell whether this request is meant."""
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)


@dataclass
class DeliveryRule:
    """How the next ``count`` deliveries of events whose type fits go wrong; None is all of them."""

    fault: DeliveryFault
    type: str = "*"
    count: int | None = 1
    copies: int = 2
    seconds: float = 5.0

    def fits(self, event_type: str) -> bool:
        """Tell whether this event is meant."""
        return fnmatchcase(event_type, self.type)


@dataclass
class Faults:
    """What is to go wrong, in the order in which it was asked for."""

    api: list[ApiFault] = field(default_factory=list)
    deliveries: list[DeliveryRule] = field(default_factory=list)
    clock_offset_seconds: int = 0

    def __post_init__(self) -> None:
        """What is held up now goes on when this is set: no field, since it isn't shown."""
        self._cleared = asyncio.Event()

    async def hold_up(self, seconds: float) -> None:
        """Wait for so long, or until everything is to go right again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._cleared.wait()

    def for_request(self, method: str, path: str) -> ApiFault | None:
        """Take the first fault that fits a request, and count it down."""
        found = next((f for f in self.api if f.fits(method, path)), None)
        if found is not None:
            found.count -= 1
            self.api = [f for f in self.api if f.count > 0]
        return found

    def for_delivery(self, event_type: str) -> DeliveryRule | None:
        """Take the first rule that fits an event, and count it down."""
        found = next((rule for rule in self.deliveries if rule.fits(event_type)), None)
        if found is not None and found.count is not None:
            found.count -= 1
            self.deliveries = [r for r in self.deliveries if r.count is None or r.count > 0]
        return found

    def clear(self) -> None:
        """Let everything go right again, also what is held up."""
        self._cleared.set()
        self._cleared = asyncio.Event()
        self.api.clear()
        self.deliveries.clear()
        self.clock_offset_seconds = 0
