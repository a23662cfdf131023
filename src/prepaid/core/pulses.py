"""The service's own pulse: one process sweeps at a time, and an outage of ours is not a holder's.

The process that sweeps writes a sign of life every second. When it was silent for too long, the
service had been away as far as any holder could tell, and every grace begins anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

from prepaid.core.values import Value

AWAY = timedelta(seconds=3)
"""The silence after which the service counts as away, and another process may sweep."""

FAR = timedelta(seconds=60)
"""A sign of life so far ahead was written by a clock that was wrong: it is not waited for."""


class Pulse(Value, frozen=True):
    """The last sign of life, whose it was, and when the service last came back."""

    at: datetime
    holder: UUID
    renewed_at: datetime


def next_pulse(last: Pulse, who: UUID, at: datetime) -> Pulse | None:
    """A process's sign of life; None while another one sweeps."""
    if at - last.at > AWAY or last.at - at > FAR:
        return Pulse(at, who, renewed_at=at)
    if last.holder != who:
        return None
    return Pulse(max(last.at, at), who, last.renewed_at)
