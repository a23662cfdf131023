"""Accounts: how one comes into being, and what its owner reads."""

from datetime import datetime

from prepaid.core.commands import Give, Posted
from prepaid.core.errors import UnknownAccount
from prepaid.core.identity import account_uid
from prepaid.storage import accounts
from prepaid.storage.accounts import AccountRow, Profile
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

PAGE = 100
"""Rows of a list in one answer, at most."""


async def enter(database: Database, uid: str, profile: Profile, at: datetime) -> None:
    """A platform user calls: the account exists from now on, and belongs to whom the token says."""
    async with database.writing() as connection:
        await accounts.add(connection, account_uid(uid), at)
        await accounts.describe(connection, uid, profile, at)


async def create(database: Database, uid: str, at: datetime) -> AccountRow:
    """An operator makes an account, or finds that it exists.

    Raises:
        InvalidAccount: the uid can't be one.
    """
    async with database.writing() as connection:
        await accounts.add(connection, account_uid(uid), at)
    return await account(database, uid)


async def account(database: Database, uid: str) -> AccountRow:
    """One account.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.reading() as connection:
        found = await accounts.find(connection, uid)
    if found is None:
        raise UnknownAccount(uid)
    return found


async def listed(
    database: Database, after: str = "", limit: int = PAGE, begins: str = ""
) -> list[AccountRow]:
    """Accounts by uid; of them, those whose uid, handle, e-mail, first, last or full name begins
    so, in whatever letters."""
    async with database.reading() as connection:
        return await accounts.listed(connection, after, limit, begins.strip())


async def give(ledger: Ledger, grant: Give) -> Posted:
    """An operator grants credits, with a reason, and their name stays in the books.

    Raises:
        Refusal: nothing was granted.
    """
    return await ledger.post(grant)
