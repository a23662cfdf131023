"""The books: what a batch of commands touches, before it and after it."""

from dataclasses import dataclass, field
from uuid import UUID

from prepaid.core.amounts import Credits
from prepaid.core.checkouts import Checkout
from prepaid.core.commands import Outcome, Tell, Told, Verdict
from prepaid.core.entries import Entry
from prepaid.core.grants import Grant


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
    were told before; `grants`, by account, all that have something left, of the accounts that the
    batch may spend from.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    recorded: dict[tuple[str, str], Entry] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    grants: dict[str, dict[UUID, Grant]] = field(default_factory=dict)


@dataclass(slots=True)
class Decision:
    """One outcome for each command, in order, and what is to be saved with them.

    `granted` are new grants, `drawn` are older ones of which less is left now.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    granted: dict[UUID, Grant] = field(default_factory=dict)
    drawn: dict[UUID, Grant] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    inbox: dict[str, tuple[Tell, Told]] = field(default_factory=dict)
