"""Entries: the immutable rows that the ledger is made of."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from prepaid.core.amounts import Credits
from prepaid.core.values import Value


class Kind(StrEnum):
    """Why a balance changed."""

    PURCHASE = "purchase"
    PROMOTION = "promotion"
    ADJUSTMENT = "adjustment"
    CHARGE = "charge"
    SETTLEMENT = "settlement"
    EXPIRY = "expiry"
    REVERSAL = "reversal"


class Entry(Value, frozen=True):
    """One change of one balance. Nothing ever changes or deletes an entry: a correction is a new
    one, and both databases refuse anything else.

    Entries of an account are numbered 1, 2, 3 ... without gaps. `credits` is signed; `balance` is
    what the account held after it. `source` names what caused it: a Stripe checkout session, the
    resource that a charge or a settlement is for, the grant that expired or was taken back. `key`
    is the caller's idempotency key, `fingerprint` that of the content it came with.
    """

    account_uid: str
    number: int
    id: UUID
    kind: Kind
    credits: Credits
    balance: Credits
    at: datetime
    key: str
    fingerprint: bytes
    source: str
    reason: str
    actor: str

    def posted_as(self, number: int, balance: Credits) -> "Entry":
        """It, as its account's entry of that number. Written out, since each charge does this."""
        return Entry(
            self.account_uid,
            number,
            self.id,
            self.kind,
            self.credits,
            balance,
            self.at,
            self.key,
            self.fingerprint,
            self.source,
            self.reason,
            self.actor,
        )
