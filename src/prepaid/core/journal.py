"""The journal: the books while a batch is decided, and the decision as it grows.

Everything that changes an account passes through here, so that its row, its entries, its grants,
its reservations and its notices always say the same.
"""

from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from prepaid.core import grants
from prepaid.core.amounts import Credits
from prepaid.core.books import Account, Books, Decision
from prepaid.core.commands import EXPIRY_KEYS
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import InsufficientCredits, UnknownAccount
from prepaid.core.grants import Grant
from prepaid.core.notices import Notice, NoticeType
from prepaid.core.reservations import Reservation, runway, used


class Journal(Struct):
    """The books of a batch at its instant, and what is to be saved."""

    books: Books
    at: datetime
    decision: Decision

    def account(self, uid: str) -> Account:
        """An account.

        Raises:
            UnknownAccount: there is none.
        """
        account = self.books.accounts.get(uid)
        if account is None:
            raise UnknownAccount(uid)
        return account

    def available(self, uid: str) -> Credits:
        """What can be spent: the grants and the balance say the same, or the lesser counts; less
        what is reserved. What has expired is posted first."""
        self.expire(uid)
        account, mine = self.account(uid), self.books.grants.get(uid)
        left = sum([one.remaining.micro for one in mine.values()]) if mine else 0
        return Credits(min(account.balance.micro, left) - account.reserved.micro)

    def need(self, uid: str, credits_: Credits) -> Credits:
        """What is available, if it is enough.

        Raises:
            InsufficientCredits: it isn't.
        """
        available = self.available(uid)
        if available < credits_:
            raise InsufficientCredits(str(credits_), str(available))
        return available

    def expire(self, uid: str) -> list[Entry]:
        """Posts what is left of grants whose time has come, each at its own instant; but for what
        reservations claim of them."""
        mine = self.books.grants.get(uid)
        if not mine or not (over := grants.due(mine.values(), self.at)):
            return []
        held = grants.held(mine.values(), self.account(uid).reserved)
        free = [one for one in over if one.remaining > held[one.id]]
        for grant in free:
            self.keep(grant.left_with(held[grant.id]))
        return [self.post(_expired(grant, held[grant.id])) for grant in free]

    def draw(self, uid: str, credits_: Credits, *, held: bool) -> None:
        """Takes credits from grants in their order. Only what was `held` may come from one whose
        time is over."""
        mine = list(self.books.grants[uid].values())
        if credits_ and len(mine) == 1 and mine[0].expires_at is None:  # as most are
            self.keep(mine[0].left_with(mine[0].remaining - credits_))
            return
        over = () if held else grants.due(mine, self.at)
        usable = [one for one in mine if one not in over] if over else mine
        for grant in grants.drawn(usable, credits_):
            self.keep(grant)

    def keep(self, grant: Grant) -> None:
        """A grant as it is now: an older one, or one that this batch has made."""
        self.books.grants[grant.account_uid][grant.id] = grant
        made_here = grant.id in self.decision.granted
        (self.decision.granted if made_here else self.decision.drawn)[grant.id] = grant

    def post(self, draft: Entry) -> Entry:
        """The entry with its number and the balance after it, on the books."""
        account = self.books.accounts[draft.account_uid].after(draft.credits)
        entry = draft.posted_as(account.last_entry, account.balance)
        self._save(account)
        self.books.recorded[account.uid, entry.key] = entry
        self.decision.entries.append(entry)
        return entry

    def hold(self, one: Reservation) -> Reservation:
        """A reservation as it is now, and its account's claims with it."""
        before = self.books.reservations.get(one.id)
        if before != one:
            self._claim(before, one)
            self.books.reservations[one.id] = one
            self.books.opened[one.account_uid, one.key] = one
            made_here = before is None or one.id in self.decision.opened
            (self.decision.opened if made_here else self.decision.changed)[one.id] = one
        return one

    def _claim(self, before: Reservation | None, after: Reservation) -> None:
        account = self.account(after.account_uid)
        changed = replace(
            account,
            reserved=account.reserved + after.claim,
            shared_rate=account.shared_rate + after.shared_rate,
            open=account.open + after.is_open,
        )
        if before is not None:
            changed = replace(
                changed,
                reserved=changed.reserved - before.claim,
                shared_rate=changed.shared_rate - before.shared_rate,
                open=changed.open - before.is_open,
            )
        if changed != account:
            self._save(changed)

    def notice(self, type_: NoticeType, one: Reservation, at: datetime) -> None:
        """Tells of a reservation, at the instant at which it happened."""
        account = self.account(one.account_uid)
        number = account.last_notice + 1
        self._save(replace(account, last_notice=number))
        available = account.balance - account.reserved
        self.decision.notices.append(
            Notice(
                account_uid=one.account_uid,
                number=number,
                type=type_,
                at=at,
                reservation_id=one.id,
                resource=one.resource,
                resource_type=one.resource_type,
                state=one.state,
                burning_rate=one.burning_rate,
                used=used(one, at),
                time_left=runway(one, at, available, account.shared_rate),
                why=one.why,
            )
        )

    def _save(self, account: Account) -> None:
        self.books.accounts[account.uid] = self.decision.accounts[account.uid] = account


def _expired(grant: Grant, held: Credits) -> Entry:
    """The key is the grant's, so that it expires once; the id follows from it. What reservations
    had claimed, and didn't need, expires later, under a key that says how much that was."""
    digest = blake2b(b"expiry" + grant.id.bytes, digest_size=16).digest()
    key = f"{EXPIRY_KEYS}{grant.id}"
    if held:
        key = f"{key}:{held.micro}"
        digest = blake2b(key.encode(), digest_size=16).digest()
    gone = grant.remaining - held
    assert grant.expires_at is not None
    return Entry(
        account_uid=grant.account_uid,
        number=0,
        id=UUID(bytes=digest),
        kind=Kind.EXPIRY,
        credits=-gone,
        balance=Credits(0),
        at=grant.expires_at,
        key=key,
        fingerprint=digest,
        source=str(grant.id),
        reason=f"{gone} of {grant.credits} credits expired",
        actor="prepaid",
    )
