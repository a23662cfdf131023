"""The ledger: a pure state machine that takes commands and says what became of each.

One writer calls `decide` with everything a batch touches, read inside its own transaction, and
saves what comes back in the same transaction. All rules about money are here and in the modules
this one leans on; the database's constraints say them a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from prepaid.core import checkouts
from prepaid.core.amounts import MOST_MICRO, Credits, Money
from prepaid.core.checkouts import Checkout, Claim, News, State
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import (
    BalanceTooLarge,
    InvalidCredits,
    InvalidKey,
    KeyReused,
    Refusal,
    UnknownAccount,
)
from prepaid.core.grants import PRIORITY, Grant

RESERVED_KEYS = "stripe:"
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


Command = Give | Tell


class Verdict(StrEnum):
    """What became of an event."""

    APPLIED = "applied"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Posted:
    """A Give was posted, now or (replayed) when its key was first used."""

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


Outcome = Posted | Told | Refusal


@dataclass(frozen=True, slots=True)
class Account:
    """What the ledger knows of an account: its balance and the number of its last entry."""

    uid: str
    balance: Credits
    last_entry: int


@dataclass(slots=True)
class Books:
    """Everything a batch touches, as it stands before it.

    `recorded` has the entries whose keys the batch names; `verdicts` the events it names that
    were told before.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    recorded: dict[tuple[str, str], Entry] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)


@dataclass(slots=True)
class Decision:
    """One outcome for each command, in order, and what is to be saved with them."""

    outcomes: list[Outcome] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    inbox: dict[str, tuple[Tell, Told]] = field(default_factory=dict)


def decide(books: Books, commands: Sequence[Command], at: datetime) -> Decision:
    """What becomes of each command, as if they had come one after the other.

    The books are used up: they hold the new state afterwards. A refused command leaves nothing
    behind, and the others of its batch don't notice.
    """
    batch = _Batch(books, at, Decision())
    batch.decision.outcomes = [batch.outcome(command) for command in commands]
    return batch.decision


def fingerprint(give: Give) -> bytes:
    """Sixteen bytes that stand for what a command asks for, whoever asks.

    Stored with each key for good, so the text that is hashed never changes its form.
    """
    expires = give.expires_at.isoformat() if give.expires_at else ""
    asked = ("give", give.kind, str(give.credits.micro), expires, give.reason)
    return blake2b("\n".join(asked).encode(), digest_size=16).digest()


@dataclass(slots=True)
class _Batch:
    """The books while a batch is decided, and the decision as it grows."""

    books: Books
    at: datetime
    decision: Decision

    def outcome(self, command: Command) -> Outcome:
        try:
            return self.give(command) if isinstance(command, Give) else self.tell(command)
        except Refusal as refusal:
            return refusal

    def give(self, give: Give) -> Posted:
        if give.key.startswith(RESERVED_KEYS):
            raise InvalidKey(f"Keys that begin with {RESERVED_KEYS!r} are the service's own.")
        if first := self.books.recorded.get((give.account_uid, give.key)):
            if first.fingerprint != fingerprint(give):
                raise KeyReused(f"The key {give.key!r} was used before, with other content.")
            return Posted(first, replayed=True)
        return Posted(self.post(give))

    def tell(self, tell: Tell) -> Told:
        if self.books.verdicts.get(tell.event_id) is Verdict.APPLIED:
            return Told(Verdict.APPLIED, repeated=True)
        told = self.judge(tell)
        self.books.verdicts[tell.event_id] = told.verdict
        self.decision.inbox[tell.event_id] = (tell, told)
        return told

    def judge(self, tell: Tell) -> Told:
        """Quarantine is for what is signed and doesn't fit: nothing moves, an operator sees it."""
        checkout = self.books.checkouts.get(tell.claim.checkout_id or UUID(int=0))
        if checkout is None:
            return Told(Verdict.QUARANTINED, "no checkout of this service has the id it names")
        if differences := checkouts.mismatches(checkout, tell.claim):
            return Told(Verdict.QUARANTINED, "; ".join(differences))
        if tell.news is News.FREE:
            return Told(Verdict.QUARANTINED, "the session was completed without a payment")
        try:
            return Told(Verdict.APPLIED, entry=self.advance(checkout, tell))
        except Refusal as refusal:
            return Told(Verdict.QUARANTINED, str(refusal))

    def advance(self, checkout: Checkout, tell: Tell) -> Entry | None:
        changed = checkouts.after(checkout, tell.news, tell.claim, self.at)
        entry = None
        if changed.state is State.CREDITED and checkout.state is not State.CREDITED:
            entry = self.post(_purchase(changed))
        if changed != checkout:
            self.books.checkouts[checkout.id] = self.decision.checkouts[checkout.id] = changed
        return entry

    def post(self, give: Give) -> Entry:
        account = _raised(self.books, give)
        entry = _entry(give, account, self.at)
        self.books.accounts[account.uid] = self.decision.accounts[account.uid] = account
        self.books.recorded[account.uid, give.key] = entry
        self.decision.entries.append(entry)
        self.decision.grants.append(_grant(give, self.at))
        return entry


def _purchase(checkout: Checkout) -> Give:
    """The session, not the event, makes a purchase unique: Stripe may tell one payment in several
    events, for days. So the key is the session's, and the grant has the checkout's id."""
    return Give(
        id=checkout.id,
        account_uid=checkout.account_uid,
        key=f"{RESERVED_KEYS}{checkout.session_id}",
        credits=checkout.credits,
        kind=Kind.PURCHASE,
        reason=f"{checkout.credits} credits bought",
        actor="stripe",
        source=checkout.session_id or "",
        paid=checkout.price,
    )


def _raised(books: Books, give: Give) -> Account:
    if give.credits.micro <= 0:
        raise InvalidCredits(f"{give.credits} credits can't be granted: it must be more than 0.")
    account = books.accounts.get(give.account_uid)
    if account is None:
        raise UnknownAccount(f"There is no account {give.account_uid!r}.")
    balance = account.balance + give.credits
    if balance.micro > MOST_MICRO:
        raise BalanceTooLarge(
            f"{give.credits} more would make {balance} credits; an account holds at most "
            f"{Credits(MOST_MICRO)}."
        )
    return Account(account.uid, balance, account.last_entry + 1)


def _entry(give: Give, account: Account, at: datetime) -> Entry:
    return Entry(
        account_uid=account.uid,
        number=account.last_entry,
        id=give.id,
        kind=give.kind,
        credits=give.credits,
        balance=account.balance,
        at=at,
        key=give.key,
        fingerprint=fingerprint(give),
        source=give.source,
        reason=give.reason,
        actor=give.actor,
    )


def _grant(give: Give, at: datetime) -> Grant:
    return Grant(
        account_uid=give.account_uid,
        id=give.id,
        kind=give.kind,
        priority=PRIORITY[give.kind],
        credits=give.credits,
        remaining=give.credits,
        paid=give.paid,
        expires_at=give.expires_at,
        at=at,
    )
