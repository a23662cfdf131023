"""What time has done is written down at a shell, where no service runs to do it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from operators import Operator
from prepaid.clock import wall_clock
from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Give
from prepaid.core.entries import Kind
from prepaid.flows import accounts, reservations
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import KERNEL

LIMIT = Credits.of(2)


@dataclass(frozen=True)
class Past:
    """What was begun an hour ago, by a service that is gone: a grant that was good for half an
    hour, a kernel with a limit, and one without."""

    began: datetime
    limited: str
    unlimited: str


async def lived(url: str, began: datetime) -> Past:
    database = Database(url)
    names = []
    async with Ledger(database, lambda: began).open() as ledger:
        await accounts.create(database, "ada", began)
        for key, expires_at in (("short", began + timedelta(minutes=30)), ("long", None)):
            give = Give(
                *(new_id(), "ada", key, Credits.of(50), Kind.PROMOTION, "", "grace", expires_at)
            )
            await accounts.give(ledger, give)
        for key, limit in (("limited", LIMIT), ("unlimited", None)):
            opening = replace(KERNEL, id=new_id(), key=key, limit=limit)
            held = await reservations.hold(ledger, opening)
            await reservations.hold(ledger, Beat(held.reservation.id, None))
            names.append(held.reservation.name)
    await database.close()
    return Past(began, *names)


@pytest.fixture
def past(database_url: str) -> Past:
    return asyncio.run(lived(database_url, wall_clock() - timedelta(hours=1)))


def test_what_expired_and_ran_out_is_written_down_once_and_nobody_is_lost(
    past: Past, operator: Operator
) -> None:
    told = operator.does("sweep")
    assert told["reservations"] == [past.limited]
    (expired,) = told["entries"]
    assert (expired["kind"], expired["credits"]) == ("expiry", -(50 - 2 - 15))  # but what is held
    assert datetime.fromisoformat(expired["at"]) == past.began + timedelta(minutes=30)

    one = operator.does("reservations", "show", past.limited)["reservation"]
    assert (one["state"], one["used"]) == ("depleted", 2)
    assert datetime.fromisoformat(one["end_date"]) == past.began + timedelta(seconds=4)
    assert (
        operator.does("reservations", "show", past.unlimited)["reservation"]["state"] == "running"
    )

    assert operator.does("sweep") == {"entries": [], "reservations": []}
    assert operator.runs("sweep").out == "Nothing has expired, and no reservation has ended.\n"
    assert operator.runs("verify").code == 0
