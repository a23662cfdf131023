"""The sweep: what time does by itself is written into the books."""

import asyncio
from datetime import datetime

import structlog

from prepaid.core.commands import Expire
from prepaid.core.entries import Entry
from prepaid.storage import grants
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT_ONCE = 200
"""Accounts in one round."""

log = structlog.get_logger(__name__)


async def sweep(database: Database, ledger: Ledger, at: datetime) -> list[Entry]:
    """Takes back what has expired by now; an entry for each grant.

    Two sweeps at once are harmless: a grant expires under its own key. Between its instant and
    the next sweep a grant still shows in a balance, and nothing is spent from it: a charge expires
    first what is due.
    """
    taken: list[Entry] = []
    while True:
        async with database.reading() as connection:
            due = await grants.due(connection, at, AT_ONCE)
        if not due:
            return taken
        for expired in await asyncio.gather(*(ledger.expire(Expire(uid)) for uid in due)):
            taken.extend(map(_logged, expired.entries))


def _logged(entry: Entry) -> Entry:
    log.info("credits_expired", account=entry.account_uid, credits=str(-entry.credits))
    return entry
