"""The audit: every entry folded again, and everything that should follow from it compared.

It reads what is stored and trusts none of it: a kind is any text here, and a number may be missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.books import Account
from prepaid.core.commands import PURCHASE_KEYS, SETTLEMENT_KEYS
from prepaid.core.entries import Kind
from prepaid.core.grants import PRIORITY
from prepaid.core.reservations import OPEN
from prepaid.core.values import Value


class Finding(Value, frozen=True):
    """Something that is not as it has to be, in a sentence. The account is empty where it is about
    the whole ledger."""

    account_uid: str
    what: str


class StoredEntry(Value, frozen=True):
    """What an audit reads of an entry."""

    account_uid: str
    number: int
    id: UUID
    kind: str
    credits: Credits
    balance: Credits
    key: str


class StoredGrant(Value, frozen=True):
    """What an audit reads of a grant."""

    account_uid: str
    id: UUID
    kind: str
    credits: Credits
    remaining: Credits


class CreditedCheckout(Value, frozen=True):
    """What an audit reads of a checkout that was credited."""

    account_uid: str
    id: UUID
    credits: Credits
    session_id: str | None


class StoredReservation(Value, frozen=True):
    """What an audit reads of a reservation that claims something, or has cost something."""

    account_uid: str
    id: UUID
    state: str
    burning_rate: Credits
    limit: Credits | None
    reserved: Credits
    spent: Credits


@dataclass(slots=True)
class Holdings:
    """What is stored of an account besides its entries. `account` is None if only its entries
    are there."""

    uid: str
    account: Account | None = None
    grants: dict[UUID, StoredGrant] = field(default_factory=dict)
    checkouts: dict[UUID, CreditedCheckout] = field(default_factory=dict)
    reservations: dict[UUID, StoredReservation] = field(default_factory=dict)


class Audit:
    """The fold of some accounts: give each of their entries to `take`, an account's together and
    by number, then `close`. It keeps no entry."""

    def __init__(self, held: dict[str, Holdings]) -> None:
        self._held = dict(held)
        self._fold: _Fold | None = None

    def take(self, entry: StoredEntry) -> list[Finding]:
        """What the next entry shows to be wrong."""
        if self._fold is not None and self._fold.uid == entry.account_uid:
            return self._fold.take(entry)
        ended = self._end()
        self._fold = _Fold(self._held.pop(entry.account_uid, Holdings(entry.account_uid)))
        return ended + self._fold.take(entry)

    def close(self) -> list[Finding]:
        """What is wrong, now that all entries have been taken."""
        untouched = [found for one in self._held.values() for found in _Fold(one).close()]
        return self._end() + untouched

    def _end(self) -> list[Finding]:
        return self._fold.close() if self._fold else []


class _Fold:
    """One account's entries, folded as they come.

    It keeps sums, and the grants, checkouts and reservations that no entry has accounted for yet.
    """

    def __init__(self, holdings: Holdings) -> None:
        self.uid = holdings.uid
        self._holdings = holdings
        self._grants = dict(holdings.grants)
        self._checkouts = dict(holdings.checkouts)
        self._ended = {one.id: one for one in holdings.reservations.values() if one.spent}
        self._number = 0
        self._balance = Credits(0)
        self._sum = Credits(0)

    def take(self, entry: StoredEntry) -> list[Finding]:
        """What is wrong with the next entry."""
        found = self._out_of_line(entry) + self._without_origin(entry)
        self._number, self._balance = entry.number, entry.balance
        self._sum += entry.credits
        return [Finding(self.uid, f"entry {entry.number} {what}") for what in found]

    def close(self) -> list[Finding]:
        """What is wrong with the account, now that all its entries have been taken."""
        found = [*self._account_faults(), *self._left_over()]
        return [Finding(self.uid, what) for what in found]

    def _out_of_line(self, entry: StoredEntry) -> list[str]:
        found = []
        if entry.number != self._number + 1:
            found.append(f"follows entry {self._number}: numbers are missing between them")
        expected = self._balance + entry.credits
        if entry.balance != expected:
            found.append(
                f"says {entry.balance} credits were held after it; {self._balance} before it and "
                f"its {entry.credits} make {expected}"
            )
        return found

    def _without_origin(self, entry: StoredEntry) -> list[str]:
        if entry.kind not in set(Kind):
            return [f"has the kind {entry.kind!r}, which there is not"]
        found = []
        if entry.credits.micro > 0 and entry.kind in PRIORITY:
            found += _differs(entry, self._grants.pop(entry.id, None))
        if entry.kind == Kind.PURCHASE:
            found += _not_bought(entry, self._checkouts.pop(entry.id, None))
        if entry.kind == Kind.SETTLEMENT:
            found += _not_run(entry, self._ended.pop(entry.id, None))
        return found

    def _account_faults(self) -> list[str]:
        account = self._holdings.account
        if account is None:
            return ["there is no such account, and something in the ledger is its"]
        found = []
        if account.balance != self._sum:
            found.append(f"its balance is {account.balance}; its entries make {self._sum}")
        if account.last_entry != self._number:
            found.append(
                f"it says its last entry is {account.last_entry}; the last there is, is "
                f"{self._number}"
            )
        remaining = _sum(one.remaining for one in self._holdings.grants.values())
        if remaining != self._sum:
            found.append(f"its grants have {remaining} left; its entries make {self._sum}")
        return found + _other_claims(account, self._holdings.reservations.values())

    def _left_over(self) -> list[str]:
        grants = [f"grant {one.id} of {one.credits} has no entry" for one in self._grants.values()]
        checkouts = [
            f"checkout {one.id} is credited, and no purchase entry has its {one.credits} credits"
            for one in self._checkouts.values()
        ]
        reservations = [
            f"reservation {one.id} has cost {one.spent}, and no entry has its settlement"
            for one in self._ended.values()
        ]
        return grants + checkouts + reservations


def _differs(entry: StoredEntry, grant: StoredGrant | None) -> list[str]:
    if grant is None:
        return ["has no grant"]
    if (grant.kind, grant.credits) == (entry.kind, entry.credits):
        return []
    given = f"its grant is a {grant.kind} of {grant.credits}"
    return [f"is a {entry.kind} of {entry.credits} credits; {given}"]


def _not_bought(entry: StoredEntry, checkout: CreditedCheckout | None) -> list[str]:
    if checkout is None:
        return ["is a purchase, and no credited checkout of this account has its id"]
    found = []
    if checkout.credits != entry.credits:
        found.append(f"has {entry.credits} credits; its checkout sold {checkout.credits}")
    if entry.key != f"{PURCHASE_KEYS}{checkout.session_id}":
        found.append(f"has the key {entry.key!r}; its checkout's session is {checkout.session_id}")
    return found


def _not_run(entry: StoredEntry, reservation: StoredReservation | None) -> list[str]:
    if reservation is None:
        return ["is a settlement, and no reservation of this account has its id and a cost"]
    found = []
    if reservation.spent != -entry.credits:
        found.append(f"has {entry.credits} credits; its reservation has cost {reservation.spent}")
    if entry.key != f"{SETTLEMENT_KEYS}{reservation.id}":
        found.append(f"has the key {entry.key!r}; its reservation is {reservation.id}")
    return found


def _other_claims(account: Account, stored: Iterable[StoredReservation]) -> list[str]:
    """What an account's row says of its reservations, and they don't."""
    running = [one for one in stored if one.state in OPEN]
    shared = [one.burning_rate for one in running if one.limit is None]
    claims = {
        "reserved": (account.reserved, _sum(one.reserved for one in running)),
        "shared rate": (account.shared_rate, _sum(shared)),
        "number of open reservations": (account.open, len(running)),
    }
    return [
        f"its {what} is {said}; its reservations make {made}"
        for what, (said, made) in claims.items()
        if said != made
    ]


def _sum(amounts: Iterable[Credits]) -> Credits:
    return sum(amounts, start=NOTHING)
