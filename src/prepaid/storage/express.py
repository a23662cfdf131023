"""The express way: charges, heartbeats and Stripe's events, decided on remembered books, saved in
one statement.

They are most of what a platform asks. The long way (`storage/batches.py`) locks and reads what a
batch touches before it decides, and takes a dozen statements through SQLAlchemy. Here the books are
those of the last batch (`storage/remembered.py`), and one statement through the driver saves what
was decided on them, if the database still has the same; else it changes nothing. Whatever is out
of the ordinary (somebody else wrote, a key or an event that came before, a refusal, an event that
doesn't fit, a grant that expires) is left for the long way, which knows all the rules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from msgspec import Struct

from prepaid.core.books import Account, Books, Decision
from prepaid.core.checkouts import Checkout
from prepaid.core.commands import Beat, Charge, Command, Outcome, Posted, Tell, Told, Verdict
from prepaid.core.entries import Kind
from prepaid.core.errors import Refusal
from prepaid.core.grants import Grant
from prepaid.core.ledger import Deciding
from prepaid.core.reservations import Reservation
from prepaid.storage.remembered import Remembered

CHARGED = {"entries", "drawn"}
BEATEN = {"changed"}
TOLD = {"entries", "granted", "checkouts", "inbox"}
"""What these three change, besides accounts, if nothing else happens."""


ATTEMPTS = 2
"""The second is on books that have just been read: other processes write, but rarely to the same
accounts in the same milliseconds."""


YOUNG = timedelta(milliseconds=100)
"""How long before it is sent something may have been decided."""


class Stale(Exception):  # noqa: N818 - it is what is found
    """What was decided can't be saved, and nothing was: the database has something else than what
    was remembered (and it may be tried again), or it is nothing for the express way."""

    def __init__(self, *, try_again: bool = False) -> None:
        super().__init__()
        self.try_again = try_again


class Change(Struct, frozen=True):
    """What was decided at an instant, and the accounts, reservations and checkouts that it was
    decided on: it is right as long as the database has these still. A grant never changes without
    its account."""

    accounts: Mapping[str, Account]
    reservations: Mapping[UUID, Reservation]
    checkouts: Mapping[UUID, Checkout]
    decision: Decision
    at: datetime


class _About(NamedTuple):
    """What commands are about: accounts, reservations, and the checkouts that there are."""

    uids: set[str]
    ids: set[UUID]
    checkouts: Mapping[UUID, Checkout]


class _Deciding:
    """Charges, heartbeats or events, as they are decided: `change` is what has come of them."""

    def __init__(self, at: datetime, warn: Sequence[int]) -> None:
        self.commands: list[Command] = []
        self.books = Books()
        self._deciding = Deciding(self.books, at, warn)
        self._accounts: dict[str, Account] = {}
        self._reservations: dict[UUID, Reservation] = {}
        self._checkouts: dict[UUID, Checkout] = {}
        decision = self._deciding.go_on(())
        seen = self._accounts, self._reservations, self._checkouts
        self.change = Change(*seen, decision, at)

    def go_on(self, commands: Sequence[Command], found: Books) -> None:
        """Decides more. What is found of an account or a checkout that was here before is no
        news."""
        self._accounts |= found.accounts
        self._reservations |= found.reservations
        self._checkouts |= found.checkouts
        self.books.accounts |= found.accounts
        self.books.grants |= found.grants
        self.books.reservations |= found.reservations
        self.books.checkouts |= found.checkouts
        self._deciding.go_on(commands)
        self.commands += commands


class Driver(Protocol):
    """A connection of one's own to the database, through the driver itself.

    Everything raises LedgerUnavailable if the database is away.
    """

    async def accounts(self, uids: Sequence[str]) -> dict[str, tuple[Account, dict[UUID, Grant]]]:
        """The accounts there are among these, with what they can spend."""

    async def reservations(self, ids: Sequence[UUID]) -> dict[UUID, Reservation]:
        """The reservations there are among these."""

    async def checkouts(self, ids: Sequence[UUID]) -> dict[UUID, Checkout]:
        """The checkouts there are among these."""

    async def save_charges(self, change: Change) -> None:
        """Saves accounts, entries, and what is left of grants, or (Stale) nothing."""

    async def save_beats(self, change: Change) -> None:
        """Saves reservations, and what accounts have reserved for them, or (Stale) nothing."""

    async def save_told(self, change: Change) -> None:
        """Saves accounts, entries, grants, checkouts and events, or (Stale) nothing."""

    async def close(self) -> None:
        """Gives the connection back."""


@dataclass(slots=True)
class Express:
    """The express way of one process, which takes one batch after the other.

    `clock` gives the instant that a batch is decided at; `warn` are the seconds left at which the
    holder of a reservation is warned. While it `is_saving`, it can go ahead.
    """

    driver: Driver
    clock: Callable[[], datetime]
    warn: Sequence[int]
    remembered: Remembered = field(default_factory=Remembered)
    _ahead: _Deciding | None = None
    is_saving: bool = False

    async def outcomes(self, commands: Sequence[Command]) -> list[Outcome | None]:
        """What became of each charge, heartbeat or event, all of one kind, in order; None is left
        for the long way, and has changed nothing.

        Raises:
            LedgerUnavailable: the database is away; some may have been saved.
        """
        for _ in range(ATTEMPTS):
            try:
                return await self._attempt(commands)
            except Stale as stale:
                if not stale.try_again:
                    break
        return [None] * len(commands)

    def go_ahead(self, commands: Sequence[Charge] | Sequence[Tell]) -> None:
        """Decides the charges or events that wait, while others are saved: on books that are right
        if these are. If they aren't, nothing was decided; nor where what they are about isn't
        remembered."""
        if not self.is_saving:
            return
        ahead, self._ahead = self._young(), None
        if ahead is None or commands[: len(ahead.commands)] != ahead.commands:
            ahead = self._begun()
        more = commands[len(ahead.commands) :]
        named, checkouts = _checkouts_of(more), self.remembered.checkouts
        if named <= checkouts.keys():
            about = _about(more, {id_: checkouts[id_] for id_ in named})
            if self._may_go_on(ahead, about):
                ahead.go_on(more, self._news(ahead, about))
        if ahead.commands:  # and no fault was met: it would be half of something
            self._ahead = ahead

    async def close(self) -> None:
        """Gives the driver's connection back."""
        await self.driver.close()

    def forget(self, books: Books) -> None:
        """What the long way is about to change."""
        self.remembered.forget(books.accounts, books.reservations)

    async def _attempt(self, commands: Sequence[Command]) -> list[Outcome | None]:
        named = _checkouts_of(commands)
        about = _about(commands, await self._checkouts(named) if named else {})
        try:
            deciding = await self._decided(commands, about)
            outcomes = deciding.change.decision.outcomes
            left = _left(commands, outcomes)
            if any(left):
                return await self._attempt_without(left, commands)
            await self._saved(deciding)
        except BaseException:  # cancelled, too: nobody knows what was saved
            self._forget(about)
            raise
        return [None if isinstance(one, Refusal) else one for one in outcomes]

    async def _decided(self, commands: Sequence[Command], about: _About) -> _Deciding:
        """Goes on from what was decided ahead, if that was of the first of these, just now."""
        ahead, self._ahead = self._young(), None
        if (
            ahead is not None
            and commands[: len(ahead.commands)] == ahead.commands
            and self._may_go_on(ahead, about)
        ):
            ahead.go_on(commands[len(ahead.commands) :], self._news(ahead, about))
            return ahead
        found = await self._books(about)
        deciding = self._begun()
        deciding.go_on(commands, found)
        return deciding

    def _begun(self) -> _Deciding:
        """Of nothing yet; of accounts that have been read by now."""
        self.remembered.just_read.clear()
        return _Deciding(self.clock(), self.warn)

    def _may_go_on(self, ahead: _Deciding, about: _About) -> bool:
        """Whether all accounts are remembered, and none was read after the instant at which the
        first were decided: an entry is dated when its account was looked at, and not before."""
        more = about.uids - ahead.books.accounts.keys()
        known = self.remembered
        return more <= known.accounts.keys() and more.isdisjoint(known.just_read)

    def _news(self, ahead: _Deciding, about: _About) -> Books:
        """What is remembered, less what was decided on already."""
        news = self.remembered.books(about.uids - ahead.books.accounts.keys())
        known = ahead.books.checkouts
        news.checkouts = {id_: one for id_, one in about.checkouts.items() if id_ not in known}
        return news

    def _young(self) -> _Deciding | None:
        """What was decided ahead, unless it has waited: grants may have expired meanwhile, and
        others may have written."""
        ahead = self._ahead
        is_young = ahead is not None and self.clock() - ahead.change.at < YOUNG
        return ahead if is_young else None

    async def _saved(self, deciding: _Deciding) -> None:
        """Saves what was decided, and remembers it: what comes meanwhile may be decided on that.
        Not in a task of its own: that would be sent after all that has to be done now."""
        self.remembered.keep(deciding.books, deciding.change.decision)
        self.is_saving = True
        try:
            await self._save(deciding.change)
        except BaseException:
            self._ahead = None
            raise
        finally:
            self.is_saving = False

    async def _attempt_without(
        self, left: Sequence[bool], commands: Sequence[Command]
    ) -> list[Outcome | None]:
        """Leaves some for the long way."""
        others = [one for one, is_left in zip(commands, left, strict=True) if not is_left]
        told = iter(await self._attempt(others) if others else ())
        return [None if is_left else next(told) for is_left in left]

    def _forget(self, about: _About) -> None:
        known = self.remembered.reservations
        owners = {known[id_].account_uid for id_ in about.ids if id_ in known}
        self.remembered.forget(about.uids | owners, about.ids)

    async def _checkouts(self, named: set[UUID]) -> dict[UUID, Checkout]:
        """Those there are: those that were looked up, and those that are read now."""
        known = self.remembered.checkouts
        found = {id_: known.pop(id_) for id_ in named if id_ in known}
        if strange := named - found.keys():
            found |= await self.driver.checkouts([*strange])
        return found

    async def _books(self, about: _About) -> Books:
        """From memory; what isn't there is read first."""
        known, ids = self.remembered, about.ids
        if strange := [id_ for id_ in ids if id_ not in known.reservations]:
            known.learn({}, await self.driver.reservations(strange))
        held = [known.reservations[id_] for id_ in ids if id_ in known.reservations]
        uids = about.uids | {one.account_uid for one in held}
        if strangers := [uid for uid in uids if uid not in known.accounts]:
            known.learn(await self.driver.accounts(strangers), {})
        books = known.books(uids, ids)
        books.checkouts = dict(about.checkouts)
        return books

    async def _save(self, change: Change) -> None:
        parts = change.decision.parts - {"accounts"}
        if parts == CHARGED and all(one.kind is Kind.CHARGE for one in change.decision.entries):
            await self.driver.save_charges(change)
        elif parts == BEATEN:
            await self.driver.save_beats(change)
        elif "inbox" in parts and parts <= TOLD:
            await self.driver.save_told(change)
        elif change.decision.parts:
            raise Stale


def _about(commands: Sequence[Command], checkouts: Mapping[UUID, Checkout]) -> _About:
    """What they are about: these checkouts, and of the accounts of reservations, nothing is known
    yet."""
    uids = {one.account_uid for one in commands if isinstance(one, Charge)}
    ids = {one.reservation_id for one in commands if isinstance(one, Beat)}
    return _About(uids.union(one.account_uid for one in checkouts.values()), ids, checkouts)


def _checkouts_of(commands: Sequence[Command]) -> set[UUID]:
    """The checkouts that events are about, as far as they say it."""
    named = {one.claim.checkout_id for one in commands if isinstance(one, Tell)}
    return {id_ for id_ in named if id_ is not None}


def _left(commands: Sequence[Command], outcomes: Sequence[Outcome]) -> list[bool]:
    """Which are for the long way: all charges of an account of which one was refused, so that they
    keep their order; and events that don't fit. Memory never refuses."""
    if all(isinstance(one, Posted) for one in outcomes):  # as nearly always
        return [False for _ in zip(commands, outcomes, strict=True)]
    refused = {
        one.account_uid
        for one, outcome in zip(commands, outcomes, strict=True)
        if isinstance(outcome, Refusal) and isinstance(one, Charge)
    }
    return [
        outcome.verdict is Verdict.QUARANTINED
        if isinstance(outcome, Told)
        else isinstance(one, Charge) and one.account_uid in refused
        for one, outcome in zip(commands, outcomes, strict=True)
    ]
