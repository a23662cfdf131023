"""The ledger: a pure state machine that takes commands and says what became of each.

One writer calls `decide` with everything a batch touches, read inside its own transaction, and
saves what comes back in the same transaction. All rules about money are here and in the modules
this one leans on; the database's constraints say them a second time.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct

from prepaid.core import checkouts, quarantine
from prepaid.core.amounts import MOST_MICRO, Credits
from prepaid.core.books import Books, Decision
from prepaid.core.checkouts import Checkout, News, State
from prepaid.core.commands import (
    PURCHASE_KEYS,
    RESERVED_KEYS,
    Charge,
    Command,
    Expire,
    Expired,
    Give,
    Keyed,
    Open,
    Outcome,
    Posted,
    Reverse,
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
    UnknownGrant,
)
from prepaid.core.grants import PRIORITY, Grant, with_one_more
from prepaid.core.journal import Journal
from prepaid.core.metering import Meter

WARN_SECONDS = (300, 60)
"""Seconds left at which the holder of a reservation is warned, unless the operator says others."""


def decide(
    books: Books, commands: Sequence[Command], at: datetime, warn: Sequence[int] = WARN_SECONDS
) -> Decision:
    """What becomes of each command, as if they had come one after the other.

    The books are used up: they hold the new state afterwards. A refused command leaves nothing
    behind (but for what time had done by then: grants expire and reservations run out first), and
    the others of its batch don't notice. `warn` are the seconds left at which a holder is warned.
    """
    return Deciding(books, at, warn).go_on(commands)


class Deciding:
    """The same, for commands that come bit by bit: all are decided at the one instant `at`, on the
    one set of books, to which more may be added meanwhile."""

    def __init__(self, books: Books, at: datetime, warn: Sequence[int] = WARN_SECONDS) -> None:
        self.journal = Journal(books, at, Decision())
        self._batch = _Batch(self.journal, Meter(self.journal, warn))

    def go_on(self, commands: Sequence[Command]) -> Decision:
        """Decides these too; what has been decided by now."""
        decision = self.journal.decision
        decision.outcomes += [self._batch.outcome(command) for command in commands]
        return decision


def fingerprint(command: Keyed) -> bytes:
    """Sixteen bytes that stand for what a command asks for, whoever asks.

    Stored with each key for good, so the text that is hashed never changes its form.
    """
    return blake2b("\n".join(_asked(command)).encode(), digest_size=16).digest()


def _asked(command: Keyed) -> tuple[str, ...]:
    if isinstance(command, Charge):
        return ("charge", str(command.credits.micro), command.resource, command.reason)
    micro = "" if command.credits is None else str(command.credits.micro)
    match command:
        case Reverse():
            return ("reverse", micro, str(command.grant_id), command.reason)
        case _:
            expires = command.expires_at.isoformat() if command.expires_at else ""
            return ("give", command.kind, micro, expires, command.reason)


class _Batch(Struct):
    """Sends each command to the rule that decides it."""

    journal: Journal
    meter: Meter

    def outcome(self, command: Command) -> Outcome:
        try:
            match command:
                case Charge() | Give() | Reverse():
                    return self.once(command)
                case Open():
                    return self.meter.open(command)
                case Expire():
                    return Expired(tuple(self.journal.expire(command.account_uid)))
                case Tell():
                    return self.tell(command)
                case _:
                    return self.meter.hold(command)
        except Refusal as refusal:
            return refusal

    def once(self, command: Keyed) -> Posted:
        """Posts what a caller asks for under a key, or finds that it was posted before."""
        if command.key.startswith(RESERVED_KEYS):
            raise InvalidKey(f"Keys that begin with {RESERVED_KEYS} are the service's own.")
        if first := self.journal.books.recorded.get((command.account_uid, command.key)):
            if first.fingerprint != fingerprint(command):
                raise KeyReused(f"The key {command.key!r} was used before, with other content.")
            return Posted(first, replayed=True)
        if command.credits is not None and command.credits.micro <= 0:
            raise InvalidCredits(f"{command.credits} credits: it must be more than 0.")
        return Posted(self.posted(command))

    def posted(self, command: Keyed) -> Entry:
        match command:
            case Charge():
                return self.charge(command)
            case Give():
                return self.give(command)
            case _:
                return self.reverse(command)

    def give(self, give: Give) -> Entry:
        account = self.journal.account(give.account_uid)
        balance = account.balance + give.credits
        if balance.micro > MOST_MICRO:
            raise BalanceTooLarge(
                f"{give.credits} more would make {balance} credits; an account holds at most "
                f"{Credits(MOST_MICRO)}."
            )
        if give.expires_at is not None and give.expires_at <= self.journal.at:
            raise InvalidExpiry(f"{give.expires_at.isoformat()} is over: nothing would be granted.")
        grant = _grant(give, self.journal.at)
        self.journal.decision.granted[grant.id] = grant
        if (held := self.journal.books.grants.get(account.uid)) is not None:
            self.journal.books.grants[account.uid] = with_one_more(held, grant)
        return self.journal.post(_given(give, self.journal.at))

    def charge(self, charge: Charge) -> Entry:
        self.journal.need(charge.account_uid, charge.credits)
        self.journal.draw(charge.account_uid, charge.credits, held=False)
        return self.journal.post(_charged(charge, self.journal.at))

    def reverse(self, asked: Reverse) -> Entry:
        """What was spent or is reserved can't be taken back. If nothing of the grant is free, what
        is left of it is what is missing."""
        available = self.journal.available(asked.account_uid)
        grant = self.journal.books.grants.get(asked.account_uid, {}).get(asked.grant_id)
        if grant is None or not grant.remaining:
            raise UnknownGrant("The account has no such grant with anything left.")
        free = min(available, grant.remaining)
        taken = asked.credits or free or grant.remaining
        if free < taken:
            raise InsufficientCredits(str(taken), str(free))
        self.journal.keep(grant.left_with(grant.remaining - taken))
        return self.journal.post(_reversed(asked, taken, self.journal.at))

    def tell(self, tell: Tell) -> Told:
        if self.journal.books.verdicts.get(tell.event_id) is Verdict.APPLIED:
            return Told(Verdict.APPLIED, repeated=True)
        checkout = self.journal.books.checkouts.get(tell.claim.checkout_id or UUID(int=0))
        told = self.judge(tell, checkout)
        self.journal.books.verdicts[tell.event_id] = told.verdict
        whose = None if checkout is None else checkout.account_uid
        self.journal.decision.inbox[tell.event_id] = (tell, told, whose)
        return told

    def judge(self, tell: Tell, checkout: Checkout | None) -> Told:
        """Quarantine is for what is signed and doesn't fit: nothing moves, an operator sees it."""
        if checkout is None:
            return Told(Verdict.QUARANTINED, quarantine.NO_CHECKOUT)
        if differences := checkouts.mismatches(checkout, tell.claim):
            return Told(Verdict.QUARANTINED, "; ".join(differences))
        if tell.news is News.FREE:
            return Told(Verdict.QUARANTINED, quarantine.UNPAID)
        try:
            return Told(Verdict.APPLIED, entry=self.advance(checkout, tell))
        except Refusal as refusal:
            return Told(Verdict.QUARANTINED, str(refusal))

    def advance(self, checkout: Checkout, tell: Tell) -> Entry | None:
        changed = checkouts.after(checkout, tell.news, tell.claim, self.journal.at)
        entry = None
        if changed.state is State.CREDITED and checkout.state is not State.CREDITED:
            entry = self.give(_purchase(changed))
        if changed != checkout:
            self.journal.books.checkouts[checkout.id] = self.journal.decision.checkouts[
                checkout.id
            ] = changed
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


def _reversed(asked: Reverse, taken: Credits, at: datetime) -> Entry:
    return Entry(
        account_uid=asked.account_uid,
        number=0,
        id=asked.id,
        kind=Kind.REVERSAL,
        credits=-taken,
        balance=Credits(0),
        at=at,
        key=asked.key,
        fingerprint=fingerprint(asked),
        source=str(asked.grant_id),
        reason=asked.reason,
        actor=asked.actor,
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
