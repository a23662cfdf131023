"""Accounts and who they belong to."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import fields
from sqlalchemy import Row, bindparam, collate, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite's dialect reads its ON CONFLICT too
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Credits
from prepaid.core.books import Account
from prepaid.storage import names
from prepaid.storage.tables import accounts, profiles

BOOKED = [accounts.c[one.name] for one in fields(Account)]
"""What the ledger reads of an account."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Who an account belongs to, as the platform's token says; Datalayer's names for a person."""

    handle: str
    email: str | None
    first_name: str
    last_name: str

    @property
    def names(self) -> tuple[str, ...]:
        """What a person may be searched by."""
        full = f"{self.first_name} {self.last_name}"
        return self.handle, self.email or "", self.first_name, self.last_name, full


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as an operator lists it. `profile` is None until its user first called."""

    uid: str
    balance: Credits
    reserved: Credits
    entries: int
    created_at: datetime
    profile: Profile | None


async def add(connection: AsyncConnection, uid: str, at: datetime) -> bool:
    """Makes the account unless there is one, also when two first calls race; says if it did."""
    made = await connection.execute(
        insert(accounts)
        .values(uid=uid, balance=Credits(0), last_entry=0, created_at=at)
        .on_conflict_do_nothing()
    )
    if made.rowcount > 0:
        await names.add(connection, uid, [uid])
    return made.rowcount > 0


async def describe(connection: AsyncConnection, uid: str, profile: Profile, at: datetime) -> None:
    """Writes down who the account belongs to now."""
    said = asdict(profile) | {"seen_at": at}
    await connection.execute(
        insert(profiles)
        .values(account_uid=uid, **said)
        .on_conflict_do_update(index_elements=["account_uid"], set_=said)
    )
    await names.exchange(connection, uid, [uid, *profile.names])


async def lock(connection: AsyncConnection, uids: Collection[str]) -> dict[str, Account]:
    """The accounts there are among these, locked in one fixed order so that no two batches wait
    for each other: by code point, as the express way sorts them, whatever the database's own
    collation says."""
    is_sqlite = connection.dialect.name == "sqlite"  # it has no other order
    by_code_point = accounts.c.uid if is_sqlite else collate(accounts.c.uid, "C")
    rows = await connection.execute(
        select(*BOOKED).where(accounts.c.uid.in_(uids)).order_by(by_code_point).with_for_update()
    )
    return {row.uid: Account(*row) for row in rows}


async def booked(connection: AsyncConnection, uids: Collection[str]) -> dict[str, Account]:
    """The accounts there are among these, as the ledger last left them."""
    rows = await connection.execute(select(*BOOKED).where(accounts.c.uid.in_(uids)))
    return {row.uid: Account(*row) for row in rows}


async def save(connection: AsyncConnection, changed: Iterable[Account]) -> None:
    """Writes new balances."""
    await connection.execute(
        update(accounts)
        .where(accounts.c.uid == bindparam("u"))
        .values({name: bindparam(f"new_{name}") for name in _CHANGING}),
        [{"u": a.uid} | {f"new_{name}": getattr(a, name) for name in _CHANGING} for a in changed],
    )


async def find(connection: AsyncConnection, uid: str) -> AccountRow | None:
    """One account, as an operator sees it."""
    row = (await connection.execute(_LISTED.where(accounts.c.uid == uid))).one_or_none()
    return None if row is None else _account(row)


async def listed(
    connection: AsyncConnection, after: str, limit: int, begins: str = ""
) -> list[AccountRow]:
    """Accounts by uid, beginning after one: the next page begins after this one's last. Only those
    that have a name which begins so."""
    query = _LISTED.where(accounts.c.uid > after).order_by(accounts.c.uid).limit(limit)
    if begins:
        query = query.where(accounts.c.uid.in_(names.found(begins, after, limit)))
    return [_account(row) for row in await connection.execute(query)]


_CHANGING = [one.name for one in fields(Account) if one.name != "uid"]
_LISTED = select(accounts, profiles).outerjoin(profiles)


def _account(row: Row[Any]) -> AccountRow:
    profile = None
    if row.handle is not None:
        profile = Profile(row.handle, row.email, row.first_name, row.last_name)
    amounts = row.balance, row.reserved
    return AccountRow(row.uid, *amounts, row.last_entry, row.created_at, profile)
