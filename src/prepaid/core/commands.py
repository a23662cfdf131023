"""What the ledger can be asked to do, and what can become of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Claim, News
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Refusal

PURCHASE_KEYS = "stripe:"
EXPIRY_KEYS = "expiry:"
RESERVED_KEYS = (PURCHASE_KEYS, EXPIRY_KEYS)
"""Keys that begin so are the ledger's own: nobody can take the key of somebody's purchase first."""


@dataclass(frozen=True, slots=True)
class Give:
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


@dataclass(frozen=True, slots=True)
class Charge:
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


@dataclass(frozen=True, slots=True)
class Expire:
    """Take back what is left of an account's grants that have expired. Doing it twice is safe."""

    account_uid: str


@dataclass(frozen=True, slots=True)
class Tell:
    """What a signed event says of a checkout.

    `payload` is the event as it came, kept for the operator. `account_uid` is the checkout's
    account, whose row the batch locks; None if there is no such checkout.
    """

    event_id: str
    type: str
    news: News
    claim: Claim
    payload: str
    account_uid: str | None


Command = Give | Charge | Expire | Tell


class Verdict(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Posted:
    """A Give or a Charge was posted, now or (replayed) when its key was first used."""

    entry: Entry
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An event was taken: applied, or quarantined with the reason why.

    `entry` is the purchase it posted, if it did; `repeated` says that it had been taken before.
    """

    verdict: Verdict
    why: str = ""
    entry: Entry | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """What expired of an account: an entry for each grant."""

    entries: tuple[Entry, ...]


Outcome = Posted | Told | Expired | Refusal
