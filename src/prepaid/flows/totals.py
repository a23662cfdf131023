"""Totals: what was sold, given, spent and is owed, over all accounts, as one picture shows it."""

from prepaid.core.amounts import NOTHING
from prepaid.core.entries import Kind
from prepaid.core.totals import Totals
from prepaid.storage import totals
from prepaid.storage.database import Database


async def of_all(database: Database) -> Totals:
    """Everybody's together. Each grant and each checkout is gone through: a million take a second
    or two."""
    async with database.snapshot() as connection:
        taken = await totals.taken(connection)
        return Totals(
            sold=tuple(await totals.sold(connection)),
            given=tuple(await totals.given(connection)),
            expired=taken.get(Kind.EXPIRY, NOTHING),
            reversed=taken.get(Kind.REVERSAL, NOTHING),
        )
