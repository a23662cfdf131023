"""Notices: what an account's owner, and later other systems, are told of its reservations."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from prepaid.core.amounts import Credits
from prepaid.core.reservations import State
from prepaid.core.values import Value


class NoticeType(StrEnum):
    """What has happened to a reservation."""

    OPENED = "credits.reservation.opened"
    CHANGED = "credits.reservation.changed"
    WARNED = "credits.reservation.warned"
    DEPLETED = "credits.reservation.depleted"
    ENDED = "credits.reservation.ended"


class Notice(Value, frozen=True):
    """One thing that happened, in the outbox until it is delivered.

    Notices of an account are numbered 1, 2, 3 ... without gaps. `at` is when it happened, `used`
    what the reservation had cost by then, and `time_left` how long it could go on; None if it
    doesn't burn.
    """

    account_uid: str
    number: int
    type: NoticeType
    at: datetime
    reservation_id: UUID
    resource: str
    resource_type: str
    state: State
    burning_rate: Credits
    used: Credits
    time_left: timedelta | None
    why: str
