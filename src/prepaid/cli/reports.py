"""Reports: what a command found or did, as one JSON document or as text for people."""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from prepaid import log
from prepaid.cli.exits import Exit
from prepaid.exact import encode

WIDTH = 200
"""Columns where there is no terminal: wide enough that nothing is cut."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command has to say: a document for machines, and the same for people."""

    document: object
    people: Sequence[RenderableType]
    exit: Exit = Exit.DONE


def run(command: Coroutine[Any, Any, Report], *, as_json: bool) -> None:
    """Runs a command to its end, and says what it reports.

    Whatever it refuses is told once, by who ends the program, and not in a log besides.
    """
    log.configure("critical")
    report = asyncio.run(command)
    if as_json:
        sys.stdout.buffer.write(encode(report.document) + b"\n")
    else:
        console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
        for part in report.people:
            console.print(plain(part) if isinstance(part, str) else part, soft_wrap=True)
    raise typer.Exit(report.exit)


def table(*names: str, rows: Iterable[Sequence[object]]) -> Table:
    """A table for people."""
    made = Table(*names, box=None, header_style="bold", padding=(0, 2, 0, 0))
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    return made


def moment(at: datetime | None) -> str:
    """An instant for people: to the second, UTC."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"


def lasting(span: timedelta) -> str:
    """A span for people, in its two largest units, rounded down: 2h 05m."""
    minutes, left = divmod(span // timedelta(seconds=1), 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days}d {hours_left:02}h"
    if hours:
        return f"{hours}h {minutes_left:02}m"
    return f"{minutes}m {left:02}s" if minutes else f"{left}s"


def plain(cell: object) -> Text:
    """Text that anybody may have written, without what would command a terminal."""
    written = "" if cell is None else str(cell)
    letters = (
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in written
    )
    return Text("".join(letters), overflow="fold")
