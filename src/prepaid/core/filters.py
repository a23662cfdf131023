"""Filters: which entries, reservations or checkouts of an account somebody wants to see."""

from datetime import datetime

from prepaid.core.checkouts import State
from prepaid.core.entries import Kind
from prepaid.core.errors import Invalid
from prepaid.core.values import Value


class Filter(Value, frozen=True):
    """What is true of each one that is wanted. A part that is left out is true of every one.

    An entry is of one of `kinds`; a reservation has none, and isn't asked. Its instant, a
    reservation's beginning, is `since` or later, and before `until`. It is for `resource`: an
    entry's source is this text, or ends with a blank and this text, letter by letter, as
    "kernel k1" does with "k1". It is for something of a `resource_type`, a word: an entry's source
    begins with it and a blank.

    Raises:
        Invalid: it can be true of nothing, or names a resource without a name.
    """

    kinds: frozenset[Kind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    resource: str | None = None
    resource_type: str | None = None

    def __post_init__(self) -> None:
        check_span(self.since, self.until)
        if self.resource == "":
            raise Invalid("`resource` is empty: name one, or leave it out to see all.")


class CheckoutFilter(Value, frozen=True):
    """What is true of each checkout that is wanted: it is in one of `states`, if there are any,
    and was opened `since` then or later, and before `until`.

    Raises:
        Invalid: it can be true of nothing.
    """

    states: frozenset[State] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_span(self.since, self.until)


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raises Invalid if there is no instant from one to before the other; none is no bound."""
    if since is not None and until is not None and since >= until:
        raise Invalid(
            f"`since` ({since.isoformat()}) has to be before `until` "
            f"({until.isoformat()}): nothing is in between."
        )


EVERY, EVERY_CHECKOUT = Filter(), CheckoutFilter()
"""True of every one."""
