"""`prepaid top`: who burns credits and on what, once or for as long as somebody looks."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from rich.console import Console
from rich.live import Live

from prepaid.cli.keyboard import ended_by_hand
from prepaid.cli.pictures import Picture, alarm, percent_of_limit
from prepaid.cli.reports import Report, lasting
from prepaid.cli.telling import ReservationOut, an_hour, reservation_out, runway_of, seconds
from prepaid.core.commands import Held
from prepaid.core.errors import Unavailable
from prepaid.exact import number
from prepaid.flows.activity import Activity, Burner, activity
from prepaid.opening import open_database, time_of
from prepaid.settings import read_database_settings

MOST = 50
"""Accounts, and reservations, in one picture: more than most screens show."""

REFRESH_SECONDS = 1.0
"""From one picture to the next."""

PATIENCE_SECONDS = 3.0
"""Without a new picture for so long, its age is told."""


@dataclass(frozen=True, slots=True)
class BurnerOut:
    """An account that burns; rates are of a second, and of an hour. `depletes_at` is when the
    first of its reservations without a limit stops for want of credits; null if none burns."""

    account_uid: str
    balance: Decimal
    reserved: Decimal
    available: Decimal
    burning_rate: Decimal
    burning_rate_per_hour: Decimal
    running: int
    depletes_at: datetime | None


@dataclass(frozen=True, slots=True)
class BusyOut:
    """A reservation, how long it could go on, whole per cent of its limit that are used (null
    without one), "warning" or "critical" if that is much, and the time since it was heard of."""

    reservation: ReservationOut
    runway_seconds: Decimal | None
    limit_used_percent: int | None
    alarm: str | None
    silent_seconds: Decimal | None


@dataclass(frozen=True, slots=True)
class ActivityOut:
    """All that runs, in sum, and the accounts and reservations that burn most, these first."""

    at: datetime
    running: int
    burning_rate: Decimal
    burning_rate_per_hour: Decimal
    accounts: list[BurnerOut]
    reservations: list[BusyOut]


def has_screen() -> bool:
    """Whether somebody looks at what is written, on a terminal that can be drawn on."""
    return sys.stdout.isatty() and not Console().is_dumb_terminal


async def pictured(uid: str | None) -> Report:
    """One picture."""
    async with open_database(read_database_settings().database) as database:
        seen = await activity(database, await time_of(database), MOST, uid)
    return Report(_activity_out(seen), [Picture(seen)])


async def watched(uid: str | None) -> Report:
    """A picture on the whole screen, anew every second, until somebody ends it."""
    database_url = read_database_settings().database
    live = Live(console=Console(highlight=False), screen=True, auto_refresh=False)
    screen = _Screen(live, asyncio.get_running_loop().time())
    looking = asyncio.create_task(_look(screen, database_url, uid))
    with ended_by_hand(looking.cancel), live, suppress(asyncio.CancelledError):
        while not looking.done():
            await asyncio.wait([looking], timeout=REFRESH_SECONDS)
            screen.wait()
        await looking
    return Report(None, [])


@dataclass(slots=True)
class _Screen:
    """What is drawn: what was `seen` last, at an instant of the loop's clock (first, when somebody
    began to look), and why there is nothing newer."""

    live: Live
    at: float
    seen: Activity | None = None
    away: str = ""

    def show(self, seen: Activity) -> None:
        """Draws what goes on."""
        self.seen, self.at, self.away = seen, asyncio.get_running_loop().time(), ""
        self._draw("")

    def miss(self, why: str) -> None:
        """Draws what was seen last, and why it is not newer."""
        self.away = why
        self._draw(why)

    def wait(self) -> None:
        """Says how old the picture is, once nothing has come for too long."""
        silent = asyncio.get_running_loop().time() - self.at
        if silent >= PATIENCE_SECONDS:
            since = lasting(timedelta(seconds=silent))
            self._draw(f"{self.away or 'The database does not answer.'} Nothing new for {since}.")

    def _draw(self, trouble: str) -> None:
        self.live.update(Picture(self.seen, trouble, on_screen=True), refresh=True)


async def _look(screen: _Screen, database_url: str, uid: str | None) -> None:
    """Looks for ever, also at a database that comes and goes."""
    while True:
        try:
            async with open_database(database_url) as database:
                while True:
                    screen.show(await activity(database, await time_of(database), MOST, uid))
                    await asyncio.sleep(REFRESH_SECONDS)
        except Unavailable as away:
            screen.miss(str(away))
            await asyncio.sleep(REFRESH_SECONDS)


def _activity_out(seen: Activity) -> ActivityOut:
    return ActivityOut(
        at=seen.at,
        running=seen.burning.running,
        burning_rate=number(seen.burning.burning_rate),
        burning_rate_per_hour=number(an_hour(seen.burning.burning_rate)),
        accounts=[_burner_out(one) for one in seen.burners],
        reservations=[_busy_out(held) for held in seen.busiest],
    )


def _burner_out(one: Burner) -> BurnerOut:
    return BurnerOut(
        account_uid=one.account.uid,
        balance=number(one.account.balance),
        reserved=number(one.account.reserved),
        available=number(one.account.balance - one.account.reserved),
        burning_rate=number(one.burning.burning_rate),
        burning_rate_per_hour=number(an_hour(one.burning.burning_rate)),
        running=one.burning.running,
        depletes_at=one.depletes_at,
    )


def _busy_out(held: Held) -> BusyOut:
    percent = percent_of_limit(held.reservation, held.at)
    return BusyOut(
        reservation=reservation_out(held.reservation, held.at),
        runway_seconds=seconds(runway_of(held)),
        limit_used_percent=percent,
        alarm=alarm(percent),
        silent_seconds=seconds(max(timedelta(0), held.at - held.reservation.beat_at)),
    )
