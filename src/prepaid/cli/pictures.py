"""Pictures of what burns, drawn on as much room as there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from prepaid.cli.reports import lasting
from prepaid.cli.tables import Column, Rows
from prepaid.cli.telling import an_hour, runway_of
from prepaid.core.amounts import MICRO, Credits
from prepaid.core.commands import Held
from prepaid.core.reservations import Reservation, State, used
from prepaid.flows.activity import Activity, Burner

WARNING, CRITICAL = 75, 90
"""Per cent of its limit at which a reservation is worth a look, and a hurry."""

AROUND = 6
"""Lines of a picture that are no rows: the sum, two headings, what is between, and the trouble."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What goes on, for people; None before it was first seen. `trouble` is why it is not newer.

    On a screen each row is one line, and there are as many as there is room for. Elsewhere
    nothing is cut.
    """

    activity: Activity | None
    trouble: str = ""
    on_screen: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws it."""
        del console
        if self.activity is not None:
            height = options.size.height if self.on_screen else None
            yield from _drawn(self.activity, height)
        if self.trouble:
            yield Text(self.trouble, "bold red", no_wrap=self.on_screen, overflow="ellipsis")


def percent_of_limit(one: Reservation, at: datetime) -> int | None:
    """How much of its limit is used, by its earlier epochs too; rounded down."""
    if one.limit is None:
        return None
    return (one.spent_before + used(one, at)).micro * 100 // one.limit.micro


def alarm(percent: int | None) -> str | None:
    """What to call so much of a limit."""
    if percent is None or percent < WARNING:
        return None
    return "warning" if percent < CRITICAL else "critical"


def brief(amount: Credits) -> str:
    """An amount with two decimals, rounded down; exact if it is less than one."""
    if amount.micro < MICRO:
        return str(amount)
    whole, hundredths = divmod(amount.micro * 100 // MICRO, 100)
    return f"{whole}.{hundredths:02}"


def _drawn(seen: Activity, height: int | None) -> Iterator[RenderableType]:
    count, rate = seen.burning.running, brief(an_hour(seen.burning.burning_rate))
    burn = "reservation burns" if count == 1 else "reservations burn"
    burners, busiest = _fitting(seen, height)
    cut = height is not None
    told = f"{seen.at:%H:%M:%S}Z  {count} {burn} {rate} credits an hour"
    yield Text(told, no_wrap=cut, overflow="ellipsis")
    if burners:
        yield Text("")
        yield Rows(burners, _account_columns(seen.at), cut)
    if busiest:
        yield Text("")
        yield Rows(busiest, _RESERVATION_COLUMNS, cut)


def _fitting(seen: Activity, height: int | None) -> tuple[Sequence[Burner], Sequence[Held]]:
    """As many rows as fit: a third of the room is for accounts, and what the others leave."""
    if height is None:
        return seen.burners, seen.busiest
    room = max(2, height - AROUND)
    below = min(len(seen.busiest), room - min(len(seen.burners), max(1, room // 3)))
    return seen.burners[: room - below], seen.busiest[:below]


def _account_columns(at: datetime) -> Sequence[Column[Burner]]:
    return (
        Column("account", lambda one: one.account.uid, words=True),
        Column("balance", lambda one: brief(one.account.balance), 72),
        Column("reserved", lambda one: brief(one.account.reserved), 88),
        Column("available", lambda one: brief(one.account.balance - one.account.reserved), 36),
        Column("an hour", lambda one: brief(an_hour(one.burning.burning_rate))),
        Column("lasts", lambda one: _span(_until(one.depletes_at, at)), 48),
        Column("runs", lambda one: str(one.burning.running), 56),
    )


def _progress(held: Held) -> Text | str:
    """Whoever sees no colours sees the signs."""
    percent = percent_of_limit(held.reservation, held.at)
    match alarm(percent):
        case "warning":
            return Text(f"{percent}% !", "yellow")
        case "critical":
            return Text(f"{percent}% !!", "bold red")
        case _:
            return "-" if percent is None else f"{percent}%"


def _heard(held: Held) -> Text | str:
    """When its last heartbeat came; it is late once another should have."""
    if held.reservation.state is State.PENDING:
        return "not yet"
    silent = max(timedelta(0), held.at - held.reservation.beat_at)
    late = silent > timedelta(seconds=held.reservation.heartbeat_seconds)
    return Text(f"{lasting(silent)} ago", "yellow" if late else "")


def _until(end: datetime | None, at: datetime) -> timedelta | None:
    return None if end is None else end - at


def _span(left: timedelta | None) -> str:
    return "-" if left is None else lasting(left)


_RESERVATION_COLUMNS: Sequence[Column[Held]] = (
    Column("resource", lambda held: held.reservation.resource, words=True),
    Column("account", lambda held: held.reservation.account_uid, 72, words=True),
    Column("an hour", lambda held: brief(an_hour(held.reservation.burning_rate))),
    Column("used", lambda held: brief(used(held.reservation, held.at)), 88),
    Column("of limit", _progress, 48),
    Column("lasts", lambda held: _span(runway_of(held)), 36),
    Column("heard of", _heard, 60),
)
