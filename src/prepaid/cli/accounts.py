"""Accounts: made, listed and shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rich.table import Table

from prepaid.cli.reports import Report, moment, table
from prepaid.clock import wall_clock
from prepaid.exact import number
from prepaid.flows import accounts
from prepaid.opening import open_database
from prepaid.settings import read_database_settings
from prepaid.storage.accounts import AccountRow


@dataclass(frozen=True, slots=True)
class AccountOut:
    """An account, as the API writes it."""

    uid: str
    credits: Decimal
    reserved: Decimal
    entries: int
    created_at: datetime
    handle: str | None
    email: str | None
    first_name: str | None
    last_name: str | None


@dataclass(frozen=True, slots=True)
class AccountsOut:
    """Accounts by uid. `next_after` begins the next page; null on the last."""

    accounts: list[AccountOut]
    next_after: str | None


async def listed(after: str, limit: int, begins: str) -> Report:
    """All accounts, or those that have a name which begins so, a page at a time."""
    async with open_database(read_database_settings().database) as database:
        rows = await accounts.listed(database, after, limit, begins)
    more = rows[-1].uid if len(rows) == limit else None
    return Report(
        AccountsOut([_account(row) for row in rows], more),
        [_table(rows), *([f"More: --after {more}"] if more else [])],
    )


async def created(uid: str) -> Report:
    """An account that exists from now on."""
    async with open_database(read_database_settings().database) as database:
        return _one(await accounts.create(database, uid, wall_clock()))


async def shown(uid: str) -> Report:
    """One account."""
    async with open_database(read_database_settings().database) as database:
        return _one(await accounts.account(database, uid))


def _one(row: AccountRow) -> Report:
    return Report(_account(row), [_table([row])])


def _account(row: AccountRow) -> AccountOut:
    profile = row.profile
    return AccountOut(
        uid=row.uid,
        credits=number(row.balance),
        reserved=number(row.reserved),
        entries=row.entries,
        created_at=row.created_at,
        handle=profile.handle if profile else None,
        email=profile.email if profile else None,
        first_name=profile.first_name if profile else None,
        last_name=profile.last_name if profile else None,
    )


def _table(rows: Sequence[AccountRow]) -> Table:
    shown = [_account(row) for row in rows]
    return table(
        *("uid", "credits", "entries", "since", "handle", "email"),
        rows=[
            (one.uid, one.credits, one.entries, moment(one.created_at), one.handle, one.email)
            for one in shown
        ],
    )
