"""The sweep: what time does by itself is written into the books."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from prepaid.core.commands import Expire, Lapse
from prepaid.core.entries import Entry
from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.core.pulses import AWAY, Pulse, next_pulse
from prepaid.core.reservations import Reservation
from prepaid.storage import grants, pulses, reservations
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT_ONCE = 200
"""Accounts or reservations in one round."""

RENEWED = timedelta(seconds=1)
"""How often the process that sweeps says that it lives."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def _nobody_watches() -> None:
    """No other process waits for a sign of life."""


@dataclass(slots=True)
class Swept:
    """What time had done: credits that expired, and reservations that ended."""

    expired: list[Entry] = field(default_factory=list)
    ended: list[Reservation] = field(default_factory=list)


async def sweep(
    database: Database,
    ledger: Ledger,
    at: datetime,
    grace_from: datetime,
    alive: Callable[[], Awaitable[object]] = _nobody_watches,
) -> Swept:
    """Takes back what has expired by now, and ends what has run out or was lost.

    `grace_from` is when the service was last away: no silence before it counts. `alive` is asked
    for after each round: a sweep may last for longer than a pulse. Two sweeps at once are
    harmless. Between its instant and the next sweep a grant still shows in a balance, and
    nothing is spent from it: a charge expires first what is due.

    Raises:
        LedgerUnavailable, LedgerBusy: not now. Any other fault is that of one account or
            reservation: the writer logs it, and the others are swept.
    """
    swept = Swept()
    async for uids in _accounts_due(database, at):
        for expired in await _done(ledger.expire(Expire(uid)) for uid in uids):
            swept.expired.extend(map(_logged, expired.entries))
        await alive()
    async for ids in _reservations_due(database, at):
        for held in await _done(ledger.hold(Lapse(id_, grace_from, at)) for id_ in ids):
            if not held.reservation.is_open:
                swept.ended.append(held.reservation)
        await alive()
    return swept


async def take_turn(
    database: Database, who: UUID, at: datetime, seen: Pulse | None = None
) -> Pulse | None:
    """A service process says that it lives, and sweeps; None while it is another one's turn. The
    last sign of life is read, unless it was just `seen`."""
    last = seen or await _last_pulse(database)
    if last.holder == who and timedelta(0) <= at - last.at < RENEWED:
        return last
    if next_pulse(last, who, at) is None:
        return None
    return await _taken(database, who, at)


async def grace_from(database: Database, at: datetime) -> datetime:
    """When the service was last away: now, if none is there."""
    last = await _last_pulse(database)
    return at if at - last.at > AWAY else last.renewed_at


async def _last_pulse(database: Database) -> Pulse:
    async with database.reading() as connection:
        return await pulses.read(connection)


async def _taken(database: Database, who: UUID, at: datetime) -> Pulse | None:
    async with database.writing() as connection:
        last = await pulses.lock(connection)
        beat = next_pulse(last, who, at)
        if beat is not None:
            await pulses.save(connection, beat)
    if beat is not None and beat.renewed_at != last.renewed_at:
        log.info("graces_renewed", silent_since=last.at.isoformat())
    return beat


async def _accounts_due(database: Database, at: datetime) -> AsyncIterator[list[str]]:
    after = ""
    while True:
        async with database.reading() as connection:
            uids = await grants.due(connection, at, after, AT_ONCE)
        if not uids:
            return
        yield uids
        after = uids[-1]


async def _reservations_due(database: Database, at: datetime) -> AsyncIterator[list[UUID]]:
    """A round at a time. What a round has been through is not due any more; what failed in it
    stays behind."""
    after = None
    while True:
        async with database.reading() as connection:
            due = await reservations.due(connection, at, after, AT_ONCE)
        if not due:
            return
        yield [id_ for _, id_ in due]
        after = due[-1]


async def _done(asked: Iterable[Awaitable[T]]) -> list[T]:
    """What became of each, but for those that a fault kept from it."""
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, LedgerUnavailable | LedgerBusy):
            raise outcome
    return [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]


def _logged(entry: Entry) -> Entry:
    log.info("credits_expired", account=entry.account_uid, credits=str(-entry.credits))
    return entry
