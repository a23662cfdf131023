"""What a process remembers of the books between two batches.

It is what this process last read or wrote, and it may be old by now: another process writes too.
So nothing is answered from it alone. The statement that saves what was decided on it saves only if
the database still has the same (`storage/express.py`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar
from uuid import UUID

from prepaid.core.books import Account, Books, Decision
from prepaid.core.checkouts import Checkout
from prepaid.core.grants import Grant
from prepaid.core.reservations import Reservation

MOST = 20_000
"""Accounts, and reservations, and checkouts, that are remembered: about a kilobyte each."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Remembered:
    """Accounts, each with all of its grants that have something left, of which some were just
    read, that is since this was last cleared; reservations; and the checkouts that events which
    wait are about: each is paid once, and then taken out."""

    accounts: dict[str, tuple[Account, dict[UUID, Grant]]] = field(default_factory=dict)
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    just_read: set[str] = field(default_factory=set)

    def books(self, uids: Iterable[str], ids: Iterable[UUID] = ()) -> Books:
        """The books of a batch, as far as they are remembered: a copy, which the batch changes."""
        books = Books()
        for uid in uids:
            if uid in self.accounts:
                books.accounts[uid], grants = self.accounts[uid]
                books.grants[uid] = dict(grants)
        for id_ in ids:
            if id_ in self.reservations:
                books.reservations[id_] = self.reservations[id_]
        return books

    def learn(
        self,
        accounts: Mapping[str, tuple[Account, dict[UUID, Grant]]],
        reservations: Mapping[UUID, Reservation],
    ) -> None:
        """What was read of the database."""
        _make_room(self.accounts, len(accounts))
        _make_room(self.reservations, len(reservations))
        self.accounts.update(accounts)
        self.just_read.update(accounts)
        self.reservations.update(reservations)

    def expect(self, checkouts: Mapping[UUID, Checkout]) -> None:
        """Checkouts that events which wait are about."""
        _make_room(self.checkouts, len(checkouts))
        self.checkouts.update(checkouts)

    def keep(self, books: Books, decision: Decision) -> None:
        """What a batch has made of its books, and the database has now."""
        for grant in decision.drawn.values():
            if not grant.remaining:
                del books.grants[grant.account_uid][grant.id]
        for uid, account in decision.accounts.items():
            self.accounts[uid] = (account, books.grants[uid])
        self.reservations.update(decision.changed)

    def forget(self, uids: Collection[str], ids: Collection[UUID] = ()) -> None:
        """These are read again when they are needed."""
        for uid in uids:
            self.accounts.pop(uid, None)
        for id_ in ids:
            self.reservations.pop(id_, None)


def _make_room(known: dict[K, V], more: int) -> None:
    """Those that have been there for longest go first, a quarter of all at a time."""
    if len(known) + more > MOST:
        for key in list(islice(known, MOST // 4 + more)):
            del known[key]
