"""The options that commands share, and how what was written there is read."""

import getpass
from datetime import datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
AccountUid = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's uid.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]


def instant(written: str) -> datetime:
    """The instant that an option names."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter("write it as 2027-01-31T00:00:00Z") from None
    if at.tzinfo is None:
        raise typer.BadParameter("say in which zone: 2027-01-31T00:00:00Z is UTC")
    return at


def operator() -> str:
    """Who is at the keyboard, for the books."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
