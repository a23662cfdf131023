"""Grants: where an account's credits came from, what is left of each, and taking it back."""

from prepaid.core.commands import Posted, Reverse
from prepaid.core.grants import Grant
from prepaid.flows.accounts import account
from prepaid.storage import grants
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger


async def of_account(database: Database, uid: str) -> list[Grant]:
    """All grants of an account, in the order in which they are spent.

    Raises:
        UnknownAccount: there is no such account.
    """
    await account(database, uid)
    async with database.reading() as connection:
        return await grants.of_account(connection, uid)


async def reverse(ledger: Ledger, asked: Reverse) -> Posted:
    """Takes credits back from a grant, once for each key.

    Raises:
        UnknownGrant: the account has no such grant with anything left.
        InsufficientCredits: less is left of it, or reservations claim it; nothing is taken.
        Refusal: nothing is taken, for another reason.
    """
    return await ledger.post(asked)
