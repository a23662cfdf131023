"""Filters: which entries of an account somebody wants to see."""

from dataclasses import dataclass
from datetime import datetime

from prepaid.core.entries import Kind
from prepaid.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Filter:
    """What is true of each entry that is wanted. A part that is left out is true of every entry.

    It is of one of `kinds`. Its instant is `since` or later, and before `until`. It was spent on
    `resource`: its source is this text, or ends with a blank and this text, letter by letter, as
    "kernel k1" does with "k1".

    Raises:
        Invalid: it can be true of no entry, or names a resource without a name.
    """

    kinds: frozenset[Kind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    resource: str | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise Invalid(
                f"`since` ({self.since.isoformat()}) has to be before `until` "
                f"({self.until.isoformat()}): no entry is in between."
            )
        if self.resource == "":
            raise Invalid("`resource` is empty: name one, or leave it out to see all.")


EVERY = Filter()
"""True of every entry."""
