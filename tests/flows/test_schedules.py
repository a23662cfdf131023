"""Whatever order Stripe tells things in, however often, and whenever the service dies: exact.

Each schedule is a checkout with a fate (paid at once, paid later, failed, expired) and the events
that tell it: duplicated, shuffled, some lost and sent again. The service crashes before statements
and before commits, and answers get lost after them; Stripe sends again what was not acknowledged.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from prepaid.core.amounts import Credits
from prepaid.core.checkouts import Checkout, State
from prepaid.payments import events
from prepaid.storage import accounts
from signed import EXPIRED, PAID, UNPAID, Event

if TYPE_CHECKING:
    from flows.conftest import Counter
    from prepaid.storage.database import Database

Opener = Callable[[str], AbstractAsyncContextManager["Counter"]]

FATES: dict[str, list[tuple[str, tuple[str, str]]]] = {
    "paid": [(events.COMPLETED, PAID)],
    "paid, told twice": [(events.COMPLETED, PAID), (events.COMPLETED, PAID)],
    "paid later": [(events.COMPLETED, UNPAID), (events.ASYNC_SUCCEEDED, PAID)],
    "failed": [(events.COMPLETED, UNPAID), (events.ASYNC_FAILED, UNPAID)],
    "expired": [(events.EXPIRED, EXPIRED)],
    "open": [],
}

ENDS = {
    "paid": State.CREDITED,
    "paid, told twice": State.CREDITED,
    "paid later": State.CREDITED,
    "failed": State.FAILED,
    "expired": State.EXPIRED,
    "open": State.OPEN,
}

WAVE = 100
"""Schedules that run at once, between two restarts of the service."""


class Crash(Exception):  # noqa: N818 - it is what happens
    """The service is gone."""


@dataclass
class Schedule:
    """One checkout, its fate, and what is still to be delivered."""

    fate: str
    checkout: Checkout
    undelivered: list[Event] = field(default_factory=list)


@contextmanager
def crashing(database: "Database", rng: random.Random, odds: float) -> Iterator[None]:
    """The database's connections die, now and then, before a statement or before a commit."""

    def perhaps(*_: object) -> None:
        if rng.random() < odds:
            raise Crash

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", perhaps)
    event.listen(engine, "commit", perhaps)
    yield
    event.remove(engine, "before_cursor_execute", perhaps)
    event.remove(engine, "commit", perhaps)


def deliveries(counter: "Counter", schedule: Schedule, rng: random.Random) -> list[Event]:
    """The events of a fate as Stripe may send them: each at least once, in any order."""
    told = [
        Event(
            id=f"evt_{schedule.checkout.id.hex}_{number}",
            type=type_,
            checkout=schedule.checkout,
            deployment=counter.shop.deployment,
            state=state,
        )
        for number, (type_, state) in enumerate(FATES[schedule.fate])
    ]
    sent = told + [rng.choice(told) for _ in range(rng.randrange(4)) if told]
    rng.shuffle(sent)
    return sent


async def deliver(counter: "Counter", schedule: Schedule, rng: random.Random) -> None:
    """Sends what is due; what crashes, is lost on the way or loses its answer stays due."""
    due, schedule.undelivered = schedule.undelivered, []
    for one in due:
        if rng.random() < 0.15:
            schedule.undelivered.append(one)
            continue
        try:
            await counter.take(one)
        except Crash:
            schedule.undelivered.append(one)
        else:
            if rng.random() < 0.1:
                schedule.undelivered.append(one)


async def run(open_counter: Opener, url: str, seed: int, schedules: int) -> None:
    """Runs schedules until Stripe has nothing left to send, and compares each with its fate."""
    rng = random.Random(seed)  # noqa: S311 - schedules are to be repeatable
    for wave in range(schedules // WAVE):
        running: list[Schedule] = []
        async with open_counter(url) as counter:
            for number in range(WAVE):
                offered = await counter.offer(f"user_{wave}_{number % 7}", rng.randint(1, 90))
                running.append(Schedule(rng.choice(list(FATES)), offered))
            for one in running:
                one.undelivered = deliveries(counter, one, rng)
        while any(one.undelivered for one in running):
            async with open_counter(url) as counter:
                with crashing(counter.shop.database, rng, 0.02):
                    await asyncio.gather(*(deliver(counter, one, rng) for one in running))
        async with open_counter(url) as counter:
            await compare(counter, running)


async def compare(counter: "Counter", done: list[Schedule]) -> None:
    """Each checkout ended as it was fated, and each account has what was paid for, exactly."""
    for one in done:
        assert await counter.state(one.checkout) is ENDS[one.fate], one
    paid: dict[str, int] = {one.checkout.account_uid: 0 for one in done}
    for one in done:
        if ENDS[one.fate] is State.CREDITED:
            paid[one.checkout.account_uid] += one.checkout.credits.micro
    async with counter.shop.database.reading() as connection:
        for uid, micro in paid.items():
            found = await accounts.find(connection, uid)
            assert found is not None
            assert found.balance == Credits(micro), uid


async def test_credits_granted_are_credits_paid_on_any_schedule(
    open_counter: Opener, database_url: str
) -> None:
    await run(open_counter, database_url, seed=1, schedules=300)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_credits_granted_are_credits_paid_on_ten_thousand_schedules(
    open_counter: Opener, database_url: str
) -> None:
    await run(open_counter, database_url, seed=2026, schedules=10_000)
