"""Balances: what an account has, now."""

from datetime import datetime

from prepaid.core.balances import Balance, balance_of
from prepaid.core.errors import UnknownAccount
from prepaid.storage import accounts, reservations
from prepaid.storage.database import Database
from prepaid.storage.reader import Reader


async def current(reader: Reader, uid: str) -> Balance:
    """What an account has; everybody who asks a service at the same time is told by one query.

    Raises:
        UnknownAccount: there is none.
    """
    return known(await reader.balance(uid), uid)


def known(found: Balance | None, uid: str) -> Balance:
    """What was found of an account.

    Raises:
        UnknownAccount: there is none.
    """
    if found is None:
        raise _unknown(uid)
    return found


async def balance(database: Database, uid: str, at: datetime) -> Balance:
    """What an account has, for who asks once, as one consistent picture shows it.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.snapshot() as connection:
        booked = await accounts.booked(connection, [uid])
        running = await reservations.open_ones(connection, [uid])
    if uid not in booked:
        raise _unknown(uid)
    return balance_of(booked[uid], running[uid], at)


def _unknown(uid: str) -> UnknownAccount:
    return UnknownAccount(f"There is no account {uid[:128]!r}.")
