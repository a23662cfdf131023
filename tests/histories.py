"""Histories for tests: entries that nobody had to earn or spend, written as they are."""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.entries import Entry, Kind
from prepaid.ids import new_id
from prepaid.storage import accounts, entries
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)

CHARGED = Entry(
    account_uid="ada",
    number=1,
    id=new_id(),
    kind=Kind.CHARGE,
    credits=Credits(-1_500_000),
    balance=Credits(7),
    at=AT,
    key="key-1",
    fingerprint=bytes(16),
    source="kernel k1",
    reason="a minute",
    actor="runner",
)
"""A credit and a half that a kernel cost."""


def numbered(number: int, uid: str = "ada", like: Entry = CHARGED) -> Entry:
    """An entry of an account that is like another."""
    return replace(like, account_uid=uid, number=number, id=new_id(), key=f"key-{number}")


async def write(database: Database, uid: str, posted: Sequence[Entry]) -> None:
    """The account exists, and has these entries."""
    async with database.writing() as connection:
        await accounts.add(connection, uid, AT)
        if posted:
            await entries.add(connection, posted)
