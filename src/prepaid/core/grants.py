"""Grants: where an account's credits came from, and what is left of each."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.entries import Kind

PRIORITY = {Kind.PROMOTION: 10, Kind.ADJUSTMENT: 20, Kind.PURCHASE: 30}
"""Which grant is spent first: the lowest. What was given goes before what was paid for."""


@dataclass(frozen=True, slots=True)
class Grant:
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
