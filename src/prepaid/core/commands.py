"""What the ledger can be asked to do, and what can become of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Claim, News
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Refusal
from prepaid.core.reservations import Reservation
from prepaid.core.values import Value

PURCHASE_KEYS = "stripe:"
EXPIRY_KEYS = "expiry:"
SETTLEMENT_KEYS = "reservation:"
RESERVED_KEYS = (PURCHASE_KEYS, EXPIRY_KEYS, SETTLEMENT_KEYS)
"""Keys that begin so are the ledger's own: nobody can take the key of somebody's purchase first."""


class Give(Value, frozen=True):
    """Raise a balance, as an operator: promotional credits, or an adjustment.

    `id` becomes the entry's and the grant's. `key` makes it once: the same key with the same
    content is answered with the first outcome. `source` and `paid` are a purchase's.
    """

    id: UUID
    account_uid: str
    key: str
    credits: Credits
    kind: Kind
    reason: str
    actor: str
    expires_at: datetime | None = None
    source: str = ""
    paid: Money | None = None


class Charge(Value, frozen=True):
    """Spend so much now, for a resource, or refuse.

    `id` becomes the entry's. `key` makes it once, as with Give. `resource` is what it was spent
    on, in the caller's words.
    """

    id: UUID
    account_uid: str
    key: str
    credits: Credits
    resource: str
    reason: str
    actor: str


class Expire(Value, frozen=True):
    """Take back what is left of an account's grants that have expired. Doing it twice is safe."""

    account_uid: str


class Reverse(Value, frozen=True):
    """Take credits back from a grant, as when its payment was refunded.

    `id` becomes the entry's. `key` makes it once, as with Give. What has been spent or is reserved
    can't be taken back: without `credits` it is all that is left and free.
    """

    id: UUID
    account_uid: str
    key: str
    grant_id: UUID
    credits: Credits | None
    reason: str
    actor: str


class Open(Value, frozen=True):
    """Reserve credits for something that runs.

    `id` becomes the reservation's. `burning_rate` is credits a second. With a `limit` that much is
    reserved at once; without one, a slice that heartbeats renew. `key` makes it once; after the
    reservation was lost, the same key opens it again.
    """

    id: UUID
    account_uid: str
    key: str
    resource: str
    resource_type: str
    given_name: str
    burning_rate: Credits
    limit: Credits | None
    heartbeat_seconds: int
    actor: str
    by_platform: bool


class Beat(Value, frozen=True):
    """Its holder lives. `account_uid` is that of a user who asks; None is the platform."""

    reservation_id: UUID
    account_uid: str | None


class Extend(Value, frozen=True):
    """Let it go on: up to a new total limit, or, without a limit, as far as the balance goes."""

    reservation_id: UUID
    account_uid: str | None
    limit: Credits | None


class ChangeRate(Value, frozen=True):
    """Let it burn at another rate from now on."""

    reservation_id: UUID
    account_uid: str | None
    burning_rate: Credits


class Settle(Value, frozen=True):
    """End it, and post what it has cost. `spent` is for one that doesn't burn, whose cost only
    its holder knows."""

    reservation_id: UUID
    account_uid: str | None
    spent: Credits | None = None


class Release(Value, frozen=True):
    """End it at no cost: what it was for didn't happen."""

    reservation_id: UUID
    account_uid: str | None


class Lapse(Value, frozen=True):
    """Do to a reservation what time does by itself. Doing it twice is safe.

    `grace_from` is when the service was last away: no silence before it counts; nor any after
    `until`, the instant at which that was known (None: the batch's). A process may be stopped, or
    a database hang, between the two: what was silence then was the service's own.
    """

    reservation_id: UUID
    grace_from: datetime
    until: datetime | None = None


class Tell(Value, frozen=True):
    """What a signed event says of a checkout.

    `payload` is the event as it came, kept for the operator.
    """

    event_id: str
    type: str
    news: News
    claim: Claim
    payload: str


Keyed = Give | Charge | Reverse
"""What posts an entry under its caller's key."""

Holding = Beat | Extend | ChangeRate | Settle | Release | Lapse
"""What is done to a reservation that there is."""

Command = Keyed | Open | Holding | Expire | Tell


class Verdict(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    QUARANTINED = "quarantined"


class Posted(Value, frozen=True):
    """A Give, Charge or Reverse was posted, now or (replayed) when its key was first used."""

    entry: Entry
    replayed: bool = False


class Told(Value, frozen=True):
    """An event was taken: applied, or quarantined with the reason why.

    `entry` is the purchase it posted, if it did; `repeated` says that it had been taken before.
    """

    verdict: Verdict
    why: str = ""
    entry: Entry | None = None
    repeated: bool = False


class Expired(Value, frozen=True):
    """What expired of an account: an entry for each grant."""

    entries: tuple[Entry, ...]


class Held(Value, frozen=True):
    """A reservation as it is at an instant, after what was asked for.

    `available` is what its account could still spend then, `shared_rate` how fast all its
    reservations without a limit burn together. `replayed` says that it had been opened, or had
    ended, before.
    """

    reservation: Reservation
    at: datetime
    available: Credits
    shared_rate: Credits
    replayed: bool = False


Outcome = Posted | Told | Expired | Held | Refusal
