"""The books of a batch on the long way: all that it touches, locked and read, and written back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.books import Books, Decision
from prepaid.core.commands import Command, Expire, Give, Holding, Keyed, Open, Tell
from prepaid.core.reservations import Reservation
from prepaid.storage import accounts, checkouts, entries, grants, inbox, outbox, reservations


async def load(connection: AsyncConnection, commands: Sequence[Command]) -> Books:
    """The books of a batch. Accounts are locked first, then reservations, then checkouts, each in
    its order; what else belongs to an account is read when its row is locked."""
    touched = _touched(commands)
    owners = await reservations.owners(connection, touched.reservations)
    buyers = await checkouts.owners(connection, touched.checkouts)
    uids = touched.uids | set(owners.values()) | set(buyers.values())
    locked = await accounts.lock(connection, uids)
    held = await reservations.named(connection, touched.reservations, touched.openings)
    return Books(
        accounts=locked,
        recorded=await entries.recorded(connection, touched.keys),
        checkouts=await checkouts.lock(connection, touched.checkouts),
        grants=await grants.spendable(connection, touched.spending | set(owners.values())),
        verdicts=await inbox.verdicts(connection, touched.events),
        reservations={one.id: one for one in held},
        opened=_last_epochs(held),
    )


async def save(connection: AsyncConnection, decision: Decision, at: datetime) -> None:
    """Writes what was decided at an instant."""
    if decision.accounts:
        await accounts.save(connection, decision.accounts.values())
    if decision.entries:
        await entries.add(connection, decision.entries)
    if decision.granted:
        await grants.add(connection, decision.granted.values())
    if decision.drawn:
        await grants.save(connection, decision.drawn.values())
    if decision.checkouts:
        await checkouts.save(connection, decision.checkouts.values())
    if decision.opened:
        await reservations.add(connection, decision.opened.values())
    if decision.changed:
        await reservations.save(connection, decision.changed.values())
    if decision.notices:
        await outbox.add(connection, decision.notices)
    if decision.inbox:
        await inbox.keep(connection, decision.inbox.values(), at)


@dataclass(slots=True)
class _Touched:
    """What a batch names: all that has to be read before it can be decided."""

    uids: set[str] = field(default_factory=set)
    keys: set[tuple[str, str]] = field(default_factory=set)
    spending: set[str] = field(default_factory=set)
    openings: set[tuple[str, str]] = field(default_factory=set)
    reservations: set[UUID] = field(default_factory=set)
    checkouts: set[UUID] = field(default_factory=set)
    events: set[str] = field(default_factory=set)

    def add(self, command: Command) -> None:
        """What this command names."""
        if isinstance(command, Holding):
            self.reservations.add(command.reservation_id)
        elif isinstance(command, Tell):
            self._tell(command)
        else:
            self.uids.add(command.account_uid)
            self._spend(command)

    def _spend(self, command: Keyed | Open | Expire) -> None:
        if isinstance(command, Keyed):
            self.keys.add((command.account_uid, command.key))
        if isinstance(command, Open):
            self.openings.add((command.account_uid, command.key))
        if not isinstance(command, Give):
            self.spending.add(command.account_uid)

    def _tell(self, tell: Tell) -> None:
        self.events.add(tell.event_id)
        if tell.claim.checkout_id is not None:
            self.checkouts.add(tell.claim.checkout_id)


def _touched(commands: Sequence[Command]) -> _Touched:
    touched = _Touched()
    for command in commands:
        touched.add(command)
    return touched


def _last_epochs(held: Sequence[Reservation]) -> dict[tuple[str, str], Reservation]:
    return {(one.account_uid, one.key): one for one in sorted(held, key=lambda one: one.epoch)}
