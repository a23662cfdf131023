"""What commands share: how a group of them is made, options, and how what was written is read."""

import getpass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from prepaid.core.identity import idempotency_key

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
AccountUid = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's uid.")]
Limit = Annotated[int, typer.Option(min=1, max=100, help="How many at most.")]


def group(told: str, epilog: str | None = None) -> typer.Typer:
    """A group of commands. Help is plain text: the rich one takes three times as long to load."""
    return typer.Typer(
        help=told,
        epilog=epilog,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


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


def key_or_new(written: str | None, id_: UUID) -> str:
    """The idempotency key that was written, or one that nobody can have used: `id_` is new.

    Raises:
        InvalidKey: what was written can't be one. An empty one can't: a script that meant to name
            a key must not do something twice.
    """
    return idempotency_key(f"cli-{id_}" if written is None else written)
