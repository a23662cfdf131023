"""Balances: what an account has, now."""

from datetime import datetime

from prepaid.core.balances import Balance, balance_of
from prepaid.core.errors import UnknownAccount
from prepaid.storage import accounts, reservations
from prepaid.storage.database import Database


async def balance(database: Database, uid: str, at: datetime) -> Balance:
    """What an account has, as one consistent picture shows it.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.snapshot() as connection:
        booked = await accounts.booked(connection, [uid])
        running = await reservations.open_ones(connection, [uid])
    if uid not in booked:
        raise UnknownAccount(f"There is no account {uid[:128]!r}.")
    return balance_of(booked[uid], running[uid], at)
