"""A clock for tests that stands still or goes faster than time does, and can be put forward."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prepaid.clock import Clock, steady_clock


@dataclass
class LocalClock:
    """Begins with the wall's instant. At a `speed` of 0 it stands still unless it is put forward.

    A service that hears of more than three of its seconds at once takes itself for having been
    away. It looks every quarter of a real second: at ten times the `speed` of time it would.
    """

    speed: int = 1
    ahead: timedelta = timedelta(0)
    _clock: Clock = field(default_factory=steady_clock)
    _began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._clock()

    def __call__(self) -> datetime:
        """The instant."""
        return self._began + (self._clock() - self._began) * self.speed + self.ahead

    def forward(self, seconds: float) -> None:
        """So much time has passed."""
        self.ahead += timedelta(seconds=seconds)
