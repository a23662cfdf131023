"""The books: what a batch of commands touches, before it and after it."""

from uuid import UUID

from msgspec import Struct

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


class Books(Struct):
    """Everything a batch touches, as it stands before it.

    `recorded` has the entries whose keys the batch names; `verdicts` the events it names that
    were told before; `grants`, by account and in spending order, all that have something left, of
    the accounts that the batch may spend from; `reservations` those that it names; `opened`, by
    account and key, the last epoch of each that it may open again.
    """

    accounts: dict[str, Account] = {}
    recorded: dict[tuple[str, str], Entry] = {}
    checkouts: dict[UUID, Checkout] = {}
    verdicts: dict[str, Verdict] = {}
    grants: dict[str, dict[UUID, Grant]] = {}
    reservations: dict[UUID, Reservation] = {}
    opened: dict[tuple[str, str], Reservation] = {}


class Decision(Struct):
    """One outcome for each command, in order, and what is to be saved with them.

    `granted` are new grants, `drawn` are older ones of which less is left now; `opened` are new
    reservations, `changed` older ones. `inbox` has events, what became of each, and whose checkout
    it is about.
    """

    outcomes: list[Outcome] = []
    entries: list[Entry] = []
    granted: dict[UUID, Grant] = {}
    drawn: dict[UUID, Grant] = {}
    accounts: dict[str, Account] = {}
    checkouts: dict[UUID, Checkout] = {}
    inbox: dict[str, tuple[Tell, Told, str | None]] = {}
    opened: dict[UUID, Reservation] = {}
    changed: dict[UUID, Reservation] = {}
    notices: list[Notice] = []

    @property
    def parts(self) -> set[str]:
        """The names of what there is to be saved."""
        return {name for name in _PARTS if getattr(self, name)}


_PARTS = [name for name in Decision.__struct_fields__ if name != "outcomes"]
