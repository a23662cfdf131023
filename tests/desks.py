"""A desk for tests: asks a ledger on values alone, as time goes by.

The kernel of these tests burns half a credit a second and beats every ten seconds: an interval
costs 5 credits, a slice 15, and its grace ends after 30 seconds.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.books import Account, Books, Decision
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Command,
    Extend,
    Held,
    Holding,
    Lapse,
    Open,
    Outcome,
    Release,
    Settle,
)
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Refusal, ReservationClosed
from prepaid.core.grants import Grant, ordered
from prepaid.core.ledger import decide
from prepaid.core.notices import Notice
from prepaid.core.reservations import Reservation
from samples import AT, KERNEL, granted

HALF = KERNEL.burning_rate
HOLD = replace(KERNEL, key="hold", burning_rate=NOTHING, limit=Credits.of(20))
LIMITED = replace(KERNEL, key="limited", limit=Credits.of(20))
MINE = replace(KERNEL, by_platform=False)
MICROSECOND = timedelta(microseconds=1)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def books(*grants: Grant) -> Books:
    """Books in which ada has these grants, and bob has nothing."""
    total = Credits(sum(one.remaining.micro for one in grants))
    return Books(
        accounts={"ada": Account("ada", total, len(grants)), "bob": Account("bob", NOTHING, 0)},
        grants={"ada": ordered(grants), "bob": {}},
    )


@dataclass
class Desk:
    """Asks one command after the other, as time goes by, and keeps what they brought about."""

    books: Books
    at: datetime = AT
    warn: Sequence[int] = ()
    entries: list[Entry] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    _ids: int = 100

    def ask(self, *commands: Command) -> list[Outcome]:
        decision = decide(self.books, commands, self.at, self.warn)
        self.entries += decision.entries
        self.notices += decision.notices
        return decision.outcomes

    def held(self, command: Open | Holding) -> Held:
        (outcome,) = self.ask(command)
        assert isinstance(outcome, Held), repr(outcome)
        return outcome

    def refused(self, command: Command) -> Refusal:
        """A refusal, which changes nothing."""
        before = deepcopy(self.books)
        decision = decide(self.books, [command], self.at, self.warn)
        (outcome,) = decision.outcomes
        assert isinstance(outcome, Refusal), repr(outcome)
        assert self.books == before
        assert decision == Decision(outcomes=[outcome])
        return outcome

    def over(self, command: Holding) -> Refusal:
        """A refusal, because time had ended it."""
        (outcome,) = self.ask(command)
        assert isinstance(outcome, ReservationClosed), repr(outcome)
        return outcome

    def open(self, asked: Open = KERNEL) -> Reservation:
        """Opens one under its own id, and another one under the next."""
        self._ids += 1
        return self.held(replace(asked, id=UUID(int=self._ids))).reservation

    def run(self, asked: Open = KERNEL) -> UUID:
        """Opens one and confirms it at once."""
        one = self.open(asked)
        return self.held(Beat(one.id, None)).reservation.id

    def one(self, id_: UUID) -> Reservation:
        return self.books.reservations[id_]

    @property
    def spent(self) -> list[Credits]:
        """What has been posted of reservations."""
        return [-one.credits for one in self.entries if one.kind is Kind.SETTLEMENT]

    @property
    def ada(self) -> Account:
        return self.books.accounts["ada"]

    @property
    def available(self) -> Credits:
        return self.ada.balance - self.ada.reserved

    def wait(self, count: float) -> "Desk":
        self.at += seconds(count)
        return self

    def sweep(self, id_: UUID, grace_from: datetime = AT) -> Reservation:
        return self.held(Lapse(id_, grace_from)).reservation

    def told(self) -> list[tuple[str, str]]:
        """What was noticed of whom, by their last words."""
        return [(one.type.rpartition(".")[2], one.state.value) for one in self.notices]


def rich(whole: int = 100, warn: Sequence[int] = ()) -> Desk:
    return Desk(books(granted(1, whole)), warn=warn)


def changes(id_: UUID, who: str | None) -> list[Holding]:
    """Everything that somebody can ask for."""
    return [
        Beat(id_, who),
        Extend(id_, who, None),
        ChangeRate(id_, who, HALF),
        Settle(id_, who),
        Release(id_, who),
    ]
