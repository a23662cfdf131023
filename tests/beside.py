"""What others do in an operator's database: a process for each would take a second."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from operators import Operator
from prepaid.clock import Clock, wall_clock
from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Give, Held, Open
from prepaid.core.entries import Kind
from prepaid.flows import accounts
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger


def database_of(operator: Operator) -> str:
    """The address of an operator's database."""
    local = f"sqlite+aiosqlite:///{operator.settings.get('PREPAID_DATA')}/prepaid.db"
    return operator.settings.get("PREPAID_DATABASE_URL", local)


def with_credits(operator: Operator, *uids: str) -> Operator:
    """The operator, whose database has these accounts now, each with a hundred credits."""

    async def endow() -> None:
        async with _ledger(operator, wall_clock) as (database, ledger):
            for uid in uids:
                await accounts.create(database, uid, wall_clock())
                hundred = (Credits.of(100), Kind.PROMOTION, "to spend", "grace")
                await accounts.give(ledger, Give(new_id(), uid, "g1", *hundred))

    asyncio.run(endow())
    return operator


def start(operator: Operator, asked: Sequence[Open], at: datetime | None = None) -> list[Held]:
    """These have been opened, and heard of, at one instant: now, unless it is another."""
    then = at or wall_clock()

    async def opened() -> list[Held]:
        async with _ledger(operator, lambda: then) as (_, ledger):
            held = [await ledger.hold(one) for one in asked]
            return [await ledger.hold(Beat(one.reservation.id, None)) for one in held]

    return asyncio.run(opened())


def give(operator: Operator, *gifts: Give) -> None:
    """These have been given."""

    async def given() -> None:
        async with _ledger(operator, wall_clock) as (_, ledger):
            for gift in gifts:
                await ledger.post(gift)

    asyncio.run(given())


@asynccontextmanager
async def _ledger(operator: Operator, clock: Clock) -> AsyncIterator[tuple[Database, Ledger]]:
    database = Database(database_of(operator))
    try:
        async with Ledger(database, clock).open() as ledger:
            yield database, ledger
    finally:
        await database.close()


def kernel(
    resource: str,
    rate: Credits,
    limit: Credits | None = None,
    *,
    uid: str = "ada",
    heartbeat_seconds: int = 30,
) -> Open:
    """A kernel that is to run."""
    id_ = new_id()
    what = (resource, "runtime", "", rate, limit, heartbeat_seconds)
    return Open(id_, uid, str(id_), *what, "runner", by_platform=True)
