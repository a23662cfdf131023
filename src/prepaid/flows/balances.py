"""Balances: what an account has, now."""

import asyncio
from datetime import datetime

from prepaid.core.balances import Balance, balance_of
from prepaid.core.errors import UnknownAccount
from prepaid.storage import accounts, reservations
from prepaid.storage.database import Database
from prepaid.storage.reader import Reader


def current(reader: Reader, uid: str) -> asyncio.Future[Balance]:
    """What an account has; everybody who asks a service at the same time is told by one query. It
    is under way at once, and waited for by whoever wants to.

    Raises:
        UnknownAccount: there is none.
        LedgerUnavailable, LedgerBusy: not now; that may be said at once.
    """
    return reader.asking(uid)


async def balance(database: Database, uid: str, at: datetime) -> Balance:
    """What an account has, for who asks once, as one consistent picture shows it.

    Raises:
        UnknownAccount: there is none.
    """
    async with database.snapshot() as connection:
        booked = await accounts.booked(connection, [uid])
        running = await reservations.open_ones(connection, [uid])
    if uid not in booked:
        raise UnknownAccount(uid)
    return balance_of(booked[uid], running[uid], at)
