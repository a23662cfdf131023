"""The books: what a batch of commands touches, before it and after it."""

from dataclasses import dataclass, field, fields
from uuid import UUID

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.checkouts import Checkout
from prepaid.core.commands import Outcome, Tell, Told, Verdict
from prepaid.core.entries import Entry
from prepaid.core.grants import Grant
from prepaid.core.notices import Notice
from prepaid.core.reservations import Reservation
from prepaid.core.values import Value


class Account(Value, frozen=True):
    """What the ledger knows of an account.

    `balance` is what it has, `reserved` what its `open` reservations claim of it, `shared_rate`
    how fast those without a limit burn together.
    """

    uid: str
    balance: Credits
    last_entry: int
    reserved: Credits = NOTHING
    shared_rate: Credits = NOTHING
    open: int = 0
    last_notice: int = 0

    def after(self, change: Credits) -> "Account":
        """It, with one more entry of so many credits. Written out, since each charge does this."""
        return Account(
            self.uid,
            self.balance + change,
            self.last_entry + 1,
            self.reserved,
            self.shared_rate,
            self.open,
            self.last_notice,
        )


@dataclass(slots=True)
class Books:
    """Everything a batch touches, as it stands before it.

    `recorded` has the entries whose keys the batch names; `verdicts` the events it names that
    were told before; `grants`, by account, all that have something left, of the accounts that the
    batch may spend from; `reservations` those that it names; `opened`, by account and key, the
    last epoch of each that it may open again.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    recorded: dict[tuple[str, str], Entry] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    grants: dict[str, dict[UUID, Grant]] = field(default_factory=dict)
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    opened: dict[tuple[str, str], Reservation] = field(default_factory=dict)


@dataclass(slots=True)
class Decision:
    """One outcome for each command, in order, and what is to be saved with them.

    `granted` are new grants, `drawn` are older ones of which less is left now; `opened` are new
    reservations, `changed` older ones. `inbox` has events, what became of each, and whose checkout
    it is about.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    granted: dict[UUID, Grant] = field(default_factory=dict)
    drawn: dict[UUID, Grant] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    inbox: dict[str, tuple[Tell, Told, str | None]] = field(default_factory=dict)
    opened: dict[UUID, Reservation] = field(default_factory=dict)
    changed: dict[UUID, Reservation] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    @property
    def parts(self) -> set[str]:
        """The names of what there is to be saved."""
        return {name for name in _PARTS if getattr(self, name)}


_PARTS = [one.name for one in fields(Decision) if one.name != "outcomes"]
