"""Verification: every entry is folded again, and every balance compared with what comes out."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from prepaid.core.audit import Audit, Finding
from prepaid.storage import audits, guards
from prepaid.storage.database import Database


@dataclass(slots=True)
class Tally:
    """How far a verification has come. `expected` is how many entries there should be."""

    accounts: int = 0
    entries: int = 0
    expected: int = 0


async def verify(database: Database, tally: Tally) -> AsyncIterator[Finding]:
    """Everything in the ledger that is not as it has to be, as one consistent picture shows it.

    It may run beside a service. The tally is kept up to date meanwhile.
    """
    for guard in sorted(await guards.missing(database)):
        yield Finding("", f"the guard {guard} is gone: an entry could be changed unseen")
    async with database.snapshot() as connection:
        tally.expected = await audits.recorded(connection)
        async for page in audits.pages(connection):
            audit = Audit(page.held)
            async for chunk in page.entries():
                for found in (finding for entry in chunk for finding in audit.take(entry)):
                    yield found
                tally.entries += len(chunk)
            for found in audit.close():
                yield found
            tally.accounts += sum(one.account is not None for one in page.held.values())
