"""Admission: what may be opened, and what may be done to a reservation, by whom.

Nothing here changes anything: it refuses, or lets pass.
"""

from datetime import datetime
from hashlib import blake2b

from prepaid.core import reservations
from prepaid.core.amounts import Credits
from prepaid.core.commands import Open
from prepaid.core.errors import (
    Forbidden,
    InvalidHeartbeat,
    InvalidLimit,
    InvalidRate,
    InvalidSettlement,
    ReservationClosed,
    ReservationDepleted,
    ReservationLost,
    UnknownReservation,
)
from prepaid.core.reservations import LONGEST_HEARTBEAT, MOST_RATE, Reservation, State


def opened(asked: Open, first: Reservation | None, at: datetime) -> Reservation:
    """A new one, or the next epoch of one that was lost."""
    if first is not None:
        return reservations.reopened(first, asked.id, asked.burning_rate, at)
    return Reservation(
        account_uid=asked.account_uid,
        id=asked.id,
        key=asked.key,
        fingerprint=fingerprint(asked),
        resource=asked.resource,
        resource_type=asked.resource_type,
        given_name=asked.given_name,
        actor=asked.actor,
        by_platform=asked.by_platform,
        burning_rate=asked.burning_rate,
        limit=asked.limit,
        heartbeat_seconds=asked.heartbeat_seconds,
        started_at=at,
        rated_at=at,
        beat_at=at,
        due_at=at,
    )


def fingerprint(asked: Open) -> bytes:
    """Sixteen bytes that stand for what is asked for, whoever asks. Their form never changes."""
    limit = "" if asked.limit is None else str(asked.limit.micro)
    text = (
        *("open", "platform" if asked.by_platform else "user"),
        *(asked.resource_type, asked.resource, asked.given_name),
        *(str(asked.burning_rate.micro), limit, str(asked.heartbeat_seconds)),
    )
    return blake2b("\n".join(text).encode(), digest_size=16).digest()


def check(asked: Open) -> None:
    """Refuses what can't be opened.

    Raises:
        InvalidRate, InvalidLimit, InvalidHeartbeat: the sentence says why.
    """
    check_rate(asked.burning_rate)
    if asked.limit is None and not asked.burning_rate:
        raise InvalidRate("What doesn't burn needs a limit: say how many credits to reserve.")
    if asked.limit is not None and asked.limit.micro <= 0:
        raise InvalidLimit(f"A limit of {asked.limit} credits: it must be more than 0.")
    if not 1 <= asked.heartbeat_seconds <= LONGEST_HEARTBEAT:
        raise InvalidHeartbeat(
            f"{asked.heartbeat_seconds} seconds: a heartbeat comes every 1 to {LONGEST_HEARTBEAT}."
        )


def check_rate(rate: Credits) -> None:
    """Refuses a burning rate that nothing has.

    Raises:
        InvalidRate: it is below zero, or too high.
    """
    if not 0 <= rate.micro <= MOST_RATE.micro:
        raise InvalidRate(f"{rate} credits a second: it must be 0 to {MOST_RATE}.")


def check_settlement(one: Reservation, spent: Credits, at: datetime) -> None:
    """Refuses a cost that the reservation can't have had.

    Raises:
        InvalidSettlement: its time says what it costs, or the cost is out of range.
    """
    if one.burning_rate:
        raise InvalidSettlement("It burns: its time says what it costs. Settle it without credits.")
    burnt = reservations.used(one, at)
    if not burnt <= spent <= one.reserved:
        raise InvalidSettlement(f"{spent} credits: it can cost {burnt} to {one.reserved}.")


def check_caller(one: Reservation, account_uid: str | None) -> None:
    """Refuses a user who asks for what is not theirs; None is the platform, which may.

    Raises:
        UnknownReservation: it is another account's.
        Forbidden: it is the platform's.
    """
    if account_uid is None:
        return
    if one.account_uid != account_uid:
        raise UnknownReservation("There is no such reservation.")
    if one.by_platform:
        raise Forbidden("The platform has opened this reservation, and only it can change it.")


def still_open(one: Reservation) -> Reservation:
    """It, unless it has ended.

    Raises:
        ReservationClosed: it has; its kind says how.
    """
    if not one.is_open:
        raise _over(one)
    return one


def _over(one: Reservation) -> ReservationClosed:
    told = f"The reservation has ended: {one.why}."
    if one.state is State.LOST:
        return ReservationLost(f"{told} Open it again with the same key.")
    if one.state is State.DEPLETED:
        return ReservationDepleted(told)
    return ReservationClosed(told)
