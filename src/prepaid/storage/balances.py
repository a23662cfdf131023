"""Accounts and what runs in them, found by one statement, through the driver itself.

Each account is one row, with its open reservations as JSON in it: the database makes that in less
time than SQLAlchemy takes to begin a transaction, and both make the same.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import fields
from sqlalchemy import Boolean, LargeBinary, Uuid

from prepaid.core.amounts import Credits
from prepaid.core.books import Account
from prepaid.core.reservations import Reservation, State
from prepaid.storage.database import Database
from prepaid.storage.direct import Row, direct
from prepaid.storage.reservations import COLUMNS, OPEN_STATES
from prepaid.storage.tables import EPOCH, Instant, Micro

ALL = 2**31 - 1
"""More open reservations than an account can have."""


class Balances:
    """Finds accounts, over a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._direct = direct(database)
        self._sqlite = database.sqlite

    async def find(self, uids: Collection[str], most: int) -> list["Found"]:
        """The accounts there are among these; without their open reservations where those are
        more than `most`. Each is as it was at one moment after this was asked.

        Raises:
            LedgerUnavailable: the database is away.
        """
        if self._sqlite:
            rows = await self._direct.fetch(ON_SQLITE, most, msgspec.json.encode([*uids]).decode())
        else:
            rows = await self._direct.fetch(ON_POSTGRESQL, most, [*uids])
        return [Found(_account(row), row[-1]) for row in rows]

    async def close(self) -> None:
        """Gives the connection back."""
        await self._direct.close()


@dataclass(frozen=True, slots=True)
class Found:
    """An account, and its open reservations as they were found: as JSON."""

    account: Account
    written: str | None

    def reservations(self) -> list[Reservation]:
        """The open reservations, the oldest first."""
        if self.written is None:
            return []
        rows = msgspec.json.decode(self.written, type=list[list[Any]])
        return sorted(map(_reservation, rows), key=lambda one: one.id)


def _account(row: Row) -> Account:
    uid, balance, last_entry, reserved, shared_rate, open_, last_notice, _ = row
    amounts = Credits(balance), last_entry, Credits(reserved), Credits(shared_rate)
    return Account(uid, *amounts, open_, last_notice)


def _reservation(row: list[Any]) -> Reservation:
    for place, turn in _TURNS:
        if row[place] is not None:
            row[place] = turn(row[place])
    return Reservation(*row)


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _written(hexadecimal: str) -> str:
    """The values of a reservation; JSON has no bytes."""
    named = [f'reservations."{one.name}"' for one in COLUMNS]
    return ", ".join(hexadecimal if "fingerprint" in one else one for one in named)


_TURN: dict[type, Callable[[Any], Any]] = {
    Boolean: bool,
    Instant: _instant,
    LargeBinary: bytes.fromhex,
    Micro: Credits,
    Uuid: UUID,
}
_STATE = [column.name for column in COLUMNS].index("state")
_TURNS = [
    *((at, _TURN[type(one.type)]) for at, one in enumerate(COLUMNS) if type(one.type) in _TURN),
    (_STATE, State),
]
"""What JSON has no type for, and where it stands in a row."""

_BOOKED = ", ".join(one.name for one in fields(Account))

ON_POSTGRESQL = f"""
SELECT one.*, CASE WHEN one.open BETWEEN 1 AND $1 THEN (
    SELECT json_agg(json_build_array({_written("encode(fingerprint, 'hex')")}))
    FROM reservations WHERE account_uid = one.uid AND state IN ({OPEN_STATES})
)::text END
FROM unnest($2::text[]) AS asked (uid) CROSS JOIN LATERAL (
    SELECT {_BOOKED} FROM accounts WHERE accounts.uid = asked.uid OFFSET 0
) AS one
"""  # noqa: S608 - names of columns, and nothing that was sent
"""OFFSET 0 keeps the accounts apart: each is looked up by its key. The plan outlives the moment it
was made for, and of `uid = ANY ($1)` it would be to read the whole table while that is small."""

ON_SQLITE = f"""
SELECT {_BOOKED}, CASE WHEN open BETWEEN 1 AND ? THEN (
    SELECT json_group_array(json_array({_written("hex(fingerprint)")}))
    FROM reservations WHERE account_uid = accounts.uid AND state IN ({OPEN_STATES})
) END
FROM json_each(?) AS asked CROSS JOIN accounts ON accounts.uid = asked.value
"""  # noqa: S608 - names of columns, and nothing that was sent
