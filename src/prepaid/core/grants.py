"""Grants: where an account's credits came from, and what is left of each."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.entries import Kind
from prepaid.core.values import Value

PRIORITY = {Kind.PROMOTION: 10, Kind.ADJUSTMENT: 20, Kind.PURCHASE: 30}
"""Which grant is spent first: the lowest. What was given goes before what was paid for."""


class Grant(Value, frozen=True):
    """Credits that came into an account together. The `remaining` of all its grants is an
    account's balance. `paid` is what was paid for them, before tax; None if they were given."""

    account_uid: str
    id: UUID
    kind: Kind
    priority: int
    credits: Credits
    remaining: Credits
    paid: Money | None
    expires_at: datetime | None
    at: datetime

    def left_with(self, remaining: Credits) -> "Grant":
        """It, with so much remaining. Written out: `replace` takes three times as long, and each
        charge does this."""
        return Grant(
            self.account_uid,
            self.id,
            self.kind,
            self.priority,
            self.credits,
            remaining,
            self.paid,
            self.expires_at,
            self.at,
        )


NEVER = datetime.max.replace(tzinfo=UTC)


def spending_order(grants: Iterable[Grant]) -> list[Grant]:
    """Priority first, then what expires soonest, then the oldest."""
    found = list(grants)
    if len(found) > 1:
        found.sort(key=_place)
    return found


def _place(one: Grant) -> tuple[int, datetime, datetime, UUID]:
    return (one.priority, one.expires_at or NEVER, one.at, one.id)


def ordered(grants: Iterable[Grant]) -> dict[UUID, Grant]:
    """An account's grants as the books have them: in spending order. To sort hundreds costs more
    than a charge, and only a new one changes the order."""
    return {one.id: one for one in spending_order(grants)}


def with_one_more(grants: dict[UUID, Grant], grant: Grant) -> dict[UUID, Grant]:
    """An account's grants with a new one, which mostly comes last: then nothing is sorted."""
    last = next(reversed(grants.values()), grant)
    grants[grant.id] = grant
    return grants if _place(last) <= _place(grant) else ordered(grants.values())


def drawn(grants: Iterable[Grant], credits_: Credits) -> Iterator[Grant]:
    """The grants that an amount is taken from, as they are afterwards. They come in spending
    order, and hold that much."""
    left = credits_.micro
    for grant in grants:
        if not left:
            return
        taken = min(left, grant.remaining.micro)
        left -= taken
        if taken:
            yield grant.left_with(Credits(grant.remaining.micro - taken))


def held(grants: Iterable[Grant], reserved: Credits) -> dict[UUID, Credits]:
    """How much of each grant reservations claim. They are laid over the grants, which come in
    spending order, as their settlements will be. What is claimed does not expire meanwhile."""
    claimed, left = {}, reserved
    for grant in grants:
        claimed[grant.id] = min(left, grant.remaining)
        left -= claimed[grant.id]
    return claimed


def due(grants: Iterable[Grant], at: datetime) -> list[Grant]:
    """The grants that have expired with something left, the earliest first."""
    over = [one for one in grants if one.expires_at and one.expires_at <= at and one.remaining]
    return sorted(over, key=lambda one: (one.expires_at or NEVER, one.id)) if over else over
