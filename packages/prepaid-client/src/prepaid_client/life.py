"""What a holder knows of its reservation at a moment, on its own monotonic clock."""

from dataclasses import dataclass, replace
from typing import Self

from prepaid_client.errors import CreditsDepleted, ReservationClosed, ReservationLost, Unavailable
from prepaid_client.records import Reservation, Told

PENDING, LOST, DEPLETED, SETTLED = "pending", "lost", "depleted", "settled"
OPEN = frozenset({PENDING, "running"})

LAST_WORD_SECONDS = 1.0
"""How long before the end a heartbeat asks once more: credits may have been bought meanwhile."""


@dataclass(frozen=True, slots=True)
class Life:
    """The newest that was told, and what has ended it (`over`), if anything has.

    It ends by itself when what is reserved runs out, whether or not the service can be asked;
    `trouble` is why it couldn't, lately. Once over it stays so.
    """

    told: Told
    over: Exception | None = None
    trouble: Unavailable | None = None

    @classmethod
    def begun(cls, told: Told) -> Self:
        """A life that begins with this; it may be over already."""
        return cls(told, ended(told.reservation))

    def after(self, told: Told) -> Self:
        """It after something was told; what was asked before what is known is no news."""
        if told.sent_at < self.told.sent_at:
            return self
        return replace(self, told=told, over=self.over or ended(told.reservation), trouble=None)

    def at(self, moment: float) -> Self:
        """It at a moment: over, if what was reserved has run out."""
        if self.over or self.ends_at is None or moment < self.ends_at:
            return self
        depleted = CreditsDepleted("What was reserved has run out, and nothing extended it.")
        depleted.__cause__ = self.trouble
        return replace(self, over=depleted)

    def ended_by(self, why: Exception) -> Self:
        """It, over; the first reason stays."""
        return replace(self, over=self.over or why)

    def troubled_by(self, why: Unavailable) -> Self:
        """It, while the service can't be asked."""
        return replace(self, trouble=why)

    @property
    def ends_at(self) -> float | None:
        """When what is reserved runs out; None if it doesn't burn."""
        left = self.told.seconds_left
        return None if left is None else self.told.sent_at + left

    @property
    def state(self) -> str:
        """The reservation's state as it is seen here: for its holder it is depleted when it has to
        stop, even if the service then hears of it a moment before the last credit has burnt."""
        if isinstance(self.over, CreditsDepleted):
            return DEPLETED
        if self.over is None or self.told.reservation.state not in OPEN:
            return self.told.reservation.state
        closed = isinstance(self.over, ReservationClosed)
        return SETTLED if closed and not isinstance(self.over, ReservationLost) else LOST

    def seconds_left(self, moment: float) -> float | None:
        """How long what is reserved lasts from a moment on; None if it doesn't burn."""
        return self._left(self.told.seconds_left, moment)

    def runway_seconds(self, moment: float) -> float | None:
        """How long it can go on from a moment on; None if it doesn't burn."""
        return self._left(self.told.runway_seconds, moment)

    def next_heartbeat_at(self, regularly: float, moment: float) -> float:
        """When to ask next: at the regular time, or shortly before the end if that comes first."""
        if self.ends_at is None:
            return regularly
        lead = min(LAST_WORD_SECONDS, self.told.heartbeat_seconds / 4)
        last_word = self.ends_at - lead
        return min(regularly, last_word if moment < last_word else self.ends_at)

    def _left(self, told: float | None, moment: float) -> float | None:
        if told is None:
            return None
        return 0.0 if self.over else max(0.0, self.told.sent_at + told - moment)


def ended(one: Reservation) -> ReservationClosed | None:
    """How a reservation has ended; None if it is open."""
    if one.state in OPEN:
        return None
    kinds = {LOST: ReservationLost, DEPLETED: CreditsDepleted}
    return kinds.get(one.state, ReservationClosed)(f"The reservation has ended: {one.why}.")
