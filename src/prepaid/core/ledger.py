"""The ledger: a pure state machine that takes commands and says what became of each.

One writer calls `decide` with everything a batch touches, read inside its own transaction, and
saves what comes back in the same transaction. All rules about money are here and in the modules
this one leans on; the database's constraints say them a second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from prepaid.core import checkouts
from prepaid.core.amounts import MOST_MICRO, Credits
from prepaid.core.books import Account, Books, Decision
from prepaid.core.checkouts import Checkout, News, State
from prepaid.core.commands import (
    EXPIRY_KEYS,
    PURCHASE_KEYS,
    RESERVED_KEYS,
    Charge,
    Command,
    Expire,
    Expired,
    Give,
    Outcome,
    Posted,
    Tell,
    Told,
    Verdict,
)
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import (
    BalanceTooLarge,
    InsufficientCredits,
    InvalidCredits,
    InvalidExpiry,
    InvalidKey,
    KeyReused,
    Refusal,
    UnknownAccount,
)
from prepaid.core.grants import PRIORITY, Grant, drawn, due


def decide(books: Books, commands: Sequence[Command], at: datetime) -> Decision:
    """What becomes of each command, as if they had come one after the other.

    The books are used up: they hold the new state afterwards. A refused command leaves nothing
    behind (but for grants whose time had come: they expire first), and the others of its batch
    don't notice.
    """
    batch = _Batch(books, at, Decision())
    batch.decision.outcomes = [batch.outcome(command) for command in commands]
    return batch.decision


def fingerprint(command: Give | Charge) -> bytes:
    """Sixteen bytes that stand for what a command asks for, whoever asks.

    Stored with each key for good, so the text that is hashed never changes its form.
    """
    return blake2b("\n".join(_asked(command)).encode(), digest_size=16).digest()


def _asked(command: Give | Charge) -> tuple[str, ...]:
    micro = str(command.credits.micro)
    if isinstance(command, Charge):
        return ("charge", micro, command.resource, command.reason)
    expires = command.expires_at.isoformat() if command.expires_at else ""
    return ("give", command.kind, micro, expires, command.reason)


@dataclass(slots=True)
class _Batch:
    """The books while a batch is decided, and the decision as it grows."""

    books: Books
    at: datetime
    decision: Decision

    def outcome(self, command: Command) -> Outcome:
        try:
            match command:
                case Give() | Charge():
                    return self.once(command)
                case Expire():
                    return Expired(tuple(self.expire(command.account_uid)))
                case _:
                    return self.tell(command)
        except Refusal as refusal:
            return refusal

    def once(self, command: Give | Charge) -> Posted:
        """Posts what a caller asks for under a key, or finds that it was posted before."""
        if command.key.startswith(RESERVED_KEYS):
            raise InvalidKey(f"Keys that begin with {RESERVED_KEYS} are the service's own.")
        if first := self.books.recorded.get((command.account_uid, command.key)):
            if first.fingerprint != fingerprint(command):
                raise KeyReused(f"The key {command.key!r} was used before, with other content.")
            return Posted(first, replayed=True)
        if command.credits.micro <= 0:
            raise InvalidCredits(f"{command.credits} credits: it must be more than 0.")
        return Posted(self.give(command) if isinstance(command, Give) else self.charge(command))

    def give(self, give: Give) -> Entry:
        account = self.account(give.account_uid)
        balance = account.balance + give.credits
        if balance.micro > MOST_MICRO:
            raise BalanceTooLarge(
                f"{give.credits} more would make {balance} credits; an account holds at most "
                f"{Credits(MOST_MICRO)}."
            )
        if give.expires_at is not None and give.expires_at <= self.at:
            raise InvalidExpiry(f"{give.expires_at.isoformat()} is over: nothing would be granted.")
        grant = _grant(give, self.at)
        self.decision.granted[grant.id] = grant
        if (held := self.books.grants.get(account.uid)) is not None:
            held[grant.id] = grant
        return self.post(_given(give, self.at))

    def charge(self, charge: Charge) -> Entry:
        self.account(charge.account_uid)
        self.expire(charge.account_uid)
        available = self.available(charge.account_uid)
        if available < charge.credits:
            raise InsufficientCredits(str(charge.credits), str(available))
        self.draw(charge.account_uid, charge.credits)
        return self.post(_charged(charge, self.at))

    def expire(self, account_uid: str) -> list[Entry]:
        """Posts what is left of grants whose time has come, each at its own instant."""
        over = due(self.books.grants.get(account_uid, {}).values(), self.at)
        for grant in over:
            self.keep(replace(grant, remaining=Credits(0)))
        return [self.post(_expired(grant)) for grant in over]

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
            entry = self.give(_purchase(changed))
        if changed != checkout:
            self.books.checkouts[checkout.id] = self.decision.checkouts[checkout.id] = changed
        return entry

    def account(self, uid: str) -> Account:
        account = self.books.accounts.get(uid)
        if account is None:
            raise UnknownAccount(f"There is no account {uid!r}.")
        return account

    def available(self, uid: str) -> Credits:
        """What can be spent: the grants and the balance say the same, or the lesser counts."""
        left = sum(one.remaining.micro for one in self.books.grants.get(uid, {}).values())
        return min(self.account(uid).balance, Credits(left))

    def draw(self, uid: str, credits_: Credits) -> None:
        for grant in list(drawn(self.books.grants[uid].values(), credits_)):
            self.keep(grant)

    def keep(self, grant: Grant) -> None:
        """A grant of which less is left: an older one, or one that this batch has made."""
        self.books.grants[grant.account_uid][grant.id] = grant
        made_here = grant.id in self.decision.granted
        (self.decision.granted if made_here else self.decision.drawn)[grant.id] = grant

    def post(self, draft: Entry) -> Entry:
        """The entry with its number and the balance after it, on the books."""
        account = self.books.accounts[draft.account_uid]
        changed = Account(account.uid, account.balance + draft.credits, account.last_entry + 1)
        entry = replace(draft, number=changed.last_entry, balance=changed.balance)
        self.books.accounts[account.uid] = self.decision.accounts[account.uid] = changed
        self.books.recorded[account.uid, entry.key] = entry
        self.decision.entries.append(entry)
        return entry


def _purchase(checkout: Checkout) -> Give:
    """The session, not the event, makes a purchase unique: Stripe may tell one payment in several
    events, for days. So the key is the session's, and the grant has the checkout's id."""
    return Give(
        id=checkout.id,
        account_uid=checkout.account_uid,
        key=f"{PURCHASE_KEYS}{checkout.session_id}",
        credits=checkout.credits,
        kind=Kind.PURCHASE,
        reason=f"{checkout.credits} credits bought",
        actor="stripe",
        source=checkout.session_id or "",
        paid=checkout.price,
    )


def _given(give: Give, at: datetime) -> Entry:
    return Entry(
        account_uid=give.account_uid,
        number=0,
        id=give.id,
        kind=give.kind,
        credits=give.credits,
        balance=Credits(0),
        at=at,
        key=give.key,
        fingerprint=fingerprint(give),
        source=give.source,
        reason=give.reason,
        actor=give.actor,
    )


def _charged(charge: Charge, at: datetime) -> Entry:
    return Entry(
        account_uid=charge.account_uid,
        number=0,
        id=charge.id,
        kind=Kind.CHARGE,
        credits=-charge.credits,
        balance=Credits(0),
        at=at,
        key=charge.key,
        fingerprint=fingerprint(charge),
        source=charge.resource,
        reason=charge.reason,
        actor=charge.actor,
    )


def _expired(grant: Grant) -> Entry:
    """The key is the grant's, so that it expires once; the id follows from it."""
    digest = blake2b(b"expiry" + grant.id.bytes, digest_size=16).digest()
    assert grant.expires_at is not None
    return Entry(
        account_uid=grant.account_uid,
        number=0,
        id=UUID(bytes=digest),
        kind=Kind.EXPIRY,
        credits=-grant.remaining,
        balance=Credits(0),
        at=grant.expires_at,
        key=f"{EXPIRY_KEYS}{grant.id}",
        fingerprint=digest,
        source=str(grant.id),
        reason=f"{grant.remaining} of {grant.credits} credits expired",
        actor="prepaid",
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
