"""The express way to SQLite: a batch is a transaction of a few statements."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from prepaid.core.books import Account
from prepaid.core.checkouts import Checkout
from prepaid.core.grants import Grant, ordered
from prepaid.core.reservations import Reservation
from prepaid.storage import accounts, checkouts, entries, grants, inbox, reservations, tables
from prepaid.storage.direct import Sqlite
from prepaid.storage.direct_writes import SqliteWrites
from prepaid.storage.express import Change, Stale
from prepaid.storage.rows import Rows
from prepaid.storage.tables import microseconds

Values = Sequence[Sequence[object]]

_ACCOUNTS = Rows(accounts.BOOKED, sqlite())
_GRANTS = Rows([*tables.grants.columns], sqlite())
_RESERVATIONS = Rows(reservations.COLUMNS, sqlite())
_CHECKOUTS = Rows([*tables.checkouts.columns], sqlite())
_ENTRIES = Rows([*tables.entries.columns], sqlite())
_INBOX = Rows([*tables.inbox.columns], sqlite())

FIND_ACCOUNT = _ACCOUNTS.where("uid = ?")
FIND_GRANTS = _GRANTS.where("account_uid = ? AND unspent")
FIND_RESERVATION = _RESERVATIONS.where("id = ?")
FIND_CHECKOUT = _CHECKOUTS.where("id = ?")

CHANGE_ACCOUNT = """
UPDATE accounts SET balance = ?, last_entry = ?, reserved = ?
WHERE uid = ? AND balance = ? AND last_entry = ? AND reserved = ?
"""
DRAW = "UPDATE grants SET remaining = ? WHERE account_uid = ? AND id = ?"
USE_UP = "UPDATE grants SET remaining = 0, unspent = FALSE WHERE account_uid = ? AND id = ?"
"""Two, since SQLite writes the indexes anew that speak of a column as soon as it is named."""

GRANT, POST, KEEP = (one.into(f"VALUES ({one.marks})") for one in (_GRANTS, _ENTRIES, _INBOX))
ADVANCE = """
UPDATE checkouts SET state = ?, session_id = ?, payment_intent = ?, paid_minor = ?,
    paid_currency = ?, credited_at = ?
WHERE id = ? AND state = ? AND session_id IS ? AND payment_intent IS ?
"""
BEAT = """
UPDATE reservations SET state = ?, reserved = ?, beat_at = ?, due_at = ?, warned = ?
WHERE account_uid = ? AND id = ? AND state = ? AND reserved = ? AND rated_at = ? AND beat_at = ?
    AND due_at = ?
"""


class SqliteDriver:
    """The express way over two connections of one's own: what reads waits in a thread."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._direct = Sqlite(engine)
        self._writes = SqliteWrites(engine)

    async def accounts(self, uids: Sequence[str]) -> dict[str, tuple[Account, dict[UUID, Grant]]]:
        """The accounts there are among these, with what they can spend."""
        return await self._direct.run(partial(_accounts, uids))

    async def reservations(self, ids: Sequence[UUID]) -> dict[UUID, Reservation]:
        """The reservations there are among these."""
        return await self._direct.run(partial(_reservations, ids))

    async def checkouts(self, ids: Sequence[UUID]) -> dict[UUID, Checkout]:
        """The checkouts there are among these."""
        return await self._direct.run(partial(_checkouts, ids))

    async def save_charges(self, change: Change) -> None:
        """Saves accounts, entries, and what is left of grants, or (Stale) nothing."""
        drawn = change.decision.drawn.values()
        left = [(one.remaining.micro, *_name(one)) for one in drawn if one.remaining]
        used_up = [_name(one) for one in drawn if not one.remaining]
        written = (DRAW, left), (USE_UP, used_up), (POST, _posted(change))
        await self._save(_changed(change), [], written)

    async def save_beats(self, change: Change) -> None:
        """Saves reservations, and what accounts have reserved for them, or (Stale) nothing."""
        only_seen = [
            one for uid, one in change.accounts.items() if uid not in change.decision.accounts
        ]
        beaten = [
            _beaten(change.reservations[one.id], one) for one in change.decision.changed.values()
        ]
        await self._save(_changed(change), only_seen, [(BEAT, beaten)])

    async def save_told(self, change: Change) -> None:
        """Saves accounts, entries, grants, checkouts and events, or (Stale) nothing."""
        decision = change.decision
        written = [
            (GRANT, _GRANTS.written(map(grants.values_of, decision.granted.values()))),
            (POST, _posted(change)),
            (
                ADVANCE,
                [_advanced(change.checkouts[id_], one) for id_, one in decision.checkouts.items()],
            ),
            (
                KEEP,
                _INBOX.written(
                    inbox.values_of(*letter, change.at) for letter in decision.inbox.values()
                ),
            ),
        ]
        await self._save(_changed(change), [], written)

    async def close(self) -> None:
        """Gives the connections back."""
        await self._direct.close()
        await self._writes.close()

    async def _save(
        self,
        changed: Values,
        only_seen: Sequence[Account],
        written: Sequence[tuple[str, Values]],
    ) -> None:
        try:
            await self._writes.write(partial(_save, changed, only_seen, written))
        except sqlite3.IntegrityError as error:
            raise Stale from error  # behind a constraint there is a key that was used before


def _accounts(
    uids: Sequence[str], connection: sqlite3.Connection
) -> dict[str, tuple[Account, dict[UUID, Grant]]]:
    found = {}
    with _snapshot(connection):
        for uid in uids:
            for row in _ACCOUNTS.read(connection.execute(FIND_ACCOUNT, (uid,)).fetchall()):
                spendable = _GRANTS.read(connection.execute(FIND_GRANTS, (uid,)).fetchall())
                found[uid] = (Account(*row), ordered(map(grants.grant_of, spendable)))
    return found


def _reservations(ids: Sequence[UUID], connection: sqlite3.Connection) -> dict[UUID, Reservation]:
    rows = [row for id_ in ids for row in connection.execute(FIND_RESERVATION, (id_.hex,))]
    return {row.id: reservations.reservation_of(row) for row in _RESERVATIONS.read(rows)}


def _checkouts(ids: Sequence[UUID], connection: sqlite3.Connection) -> dict[UUID, Checkout]:
    rows = [row for id_ in ids for row in connection.execute(FIND_CHECKOUT, (id_.hex,))]
    return {row.id: checkouts.checkout_of(row) for row in _CHECKOUTS.read(rows)}


def _save(
    changed: Values,
    only_seen: Sequence[Account],
    written: Sequence[tuple[str, Values]],
    connection: sqlite3.Connection,
) -> None:
    _write(connection, CHANGE_ACCOUNT, changed)
    for one in only_seen:
        row = connection.execute(FIND_ACCOUNT, (one.uid,)).fetchall()
        if [Account(*found) for found in _ACCOUNTS.read(row)] != [one]:
            raise Stale(try_again=True)
    for statement, values in written:
        _write(connection, statement, values)


def _write(connection: sqlite3.Connection, statement: str, values: Values) -> None:
    """Each of these finds its row as it was."""
    if values and connection.executemany(statement, values).rowcount != len(values):
        raise Stale(try_again=True)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is read is of one instant."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # some faults end it
            connection.execute("COMMIT")


def _changed(change: Change) -> Values:
    pairs = ((change.accounts[uid], one) for uid, one in change.decision.accounts.items())
    return [
        (
            *(new.balance.micro, new.last_entry, new.reserved.micro),
            *(old.uid, old.balance.micro, old.last_entry, old.reserved.micro),
        )
        for old, new in pairs
    ]


def _name(grant: Grant) -> tuple[str, str]:
    return grant.account_uid, grant.id.hex


def _posted(change: Change) -> Values:
    return _ENTRIES.written(map(entries.values_of, change.decision.entries))


def _advanced(old: Checkout, new: Checkout) -> tuple[object, ...]:
    told = checkouts.changing(new)
    at = new.credited_at and microseconds(new.credited_at)
    return (
        *(told | {"credited_at": at}).values(),
        *(new.id.hex, old.state, old.session_id, old.payment_intent),
    )


def _beaten(old: Reservation, new: Reservation) -> tuple[object, ...]:
    return (
        *(new.state, new.reserved.micro, microseconds(new.beat_at), microseconds(new.due_at)),
        *(new.warned, new.account_uid, new.id.hex, old.state, old.reserved.micro),
        *(microseconds(old.rated_at), microseconds(old.beat_at), microseconds(old.due_at)),
    )
