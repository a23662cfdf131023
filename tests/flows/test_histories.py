"""Thousands of kernels, lived through by chance, on the real ledger and the real sweep.

Each history has accounts of its own with several kernels each: grants that expire, credits that
are added, charged and taken back; heartbeats that come late, twice or not at all; deaths, changes
of rate, raised limits, holders that can't be reached; and a service that is away for minutes, that
crashes before it commits, and whose answers get lost. Time is the test's own. In the end every
credit is accounted for, and nobody has paid for more than a heartbeat that wasn't used.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID

import pytest
from sqlalchemy import event

from kernels import Kernel, seconds
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.commands import (
    ChangeRate,
    Charge,
    Command,
    Give,
    Held,
    Holding,
    Keyed,
    Open,
    Posted,
    Release,
    Reverse,
)
from prepaid.core.entries import Kind
from prepaid.core.errors import LedgerUnavailable, Refusal
from prepaid.core.reservations import OPEN, Reservation, State
from prepaid.flows.sweep import sweep, take_turn
from prepaid.flows.verification import Tally, verify
from prepaid.storage import accounts, entries, reservations
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
WAVE = 500
"""Histories that share a service, its outages and its clock, at most."""

MANY = 10_000
"""More than any history has of anything."""

Outcome = Posted | Held | Refusal | None
"""None is no answer."""


class Crash(Exception):  # noqa: N818 - it is what happens
    """The service is gone."""


@dataclass
class Owner:
    """An account, its kernels, and what is to happen to its credits: each asked for until it is
    answered. `sums` is what was answered, in microcredits."""

    uid: str
    kernels: list[Kernel]
    plans: list[tuple[datetime, Keyed]]
    sums: Counter[str] = field(default_factory=Counter)

    def hear(self, asked: Keyed, outcome: Posted | Refusal) -> None:
        self.plans = [plan for plan in self.plans if plan[1] is not asked]
        if isinstance(outcome, Posted):
            self.sums[type(asked).__name__] += abs(outcome.entry.credits.micro)


class Chance(random.Random):
    """Chance that can be repeated, and makes ids."""

    def id(self) -> UUID:
        return UUID(int=self.getrandbits(128), version=4)

    def comes(self, odds: float) -> bool:
        return self.random() < odds

    def moment(self, begin: datetime, least: float, most: float) -> datetime:
        return begin + seconds(self.uniform(least, most))


class Wave:
    """Histories side by side, and the service that all of them ask."""

    def __init__(self, database: Database, seed: int, histories: range) -> None:
        self.database, self.chance = database, Chance(f"{seed} {histories}")
        self.now = AT + timedelta(days=histories.start)
        self.owners = [
            owner_by(self.chance, f"user-{number}-{place}", self.now)
            for number in histories
            for place in range(2)
        ]
        self.kernels = [kernel for owner in self.owners for kernel in owner.kernels]
        self.crashes, self.crashed = 0.05, False

    async def live(self) -> None:
        """Until everything has ended."""
        async with self.database.writing() as connection:
            for owner in self.owners:
                await accounts.add(connection, owner.uid, self.now)
        horizon = self.now + seconds(300)
        while self.now < horizon:
            await self._serve(self.chance.moment(self.now, 40, 120))
            self._be_away(self.now + seconds(self.chance.choice([4, 7, 15, 40, 120])))
        for kernel in self.kernels:
            kernel.end(self.now)
        self.crashes = 0.0
        await self._serve(self.now + seconds(100))

    async def _serve(self, until: datetime) -> None:
        """From a start of the service to its next outage."""
        async with Ledger(self.database, lambda: self.now).open() as ledger:
            who = self.chance.id()
            while self.now < until:
                self._pass()
                early = self.chance.comes(0.5)
                with self._crashing_now_and_then():
                    if early:
                        await self._sweep(ledger, who)
                    await self._ask(ledger)
                    if not early:
                        await self._sweep(ledger, who)

    def _be_away(self, until: datetime) -> None:
        while self.now < until:
            self._pass()
            self._wishes()

    def _pass(self) -> None:
        self.now += timedelta(microseconds=self.chance.randint(300_000, 1_400_000))

    async def _sweep(self, ledger: Ledger, who: UUID) -> None:
        with suppress(Crash):
            pulse = await take_turn(self.database, who, self.now)
            if pulse is not None:
                await sweep(self.database, ledger, self.now, pulse.renewed_at)

    def _wishes(self) -> list[tuple[Kernel | Owner, Command]]:
        """What everybody asks for now."""
        wishes: list[tuple[Kernel | Owner, Command]] = [
            (owner, command)
            for owner in self.owners
            for at, command in owner.plans
            if at <= self.now
        ]
        self.kernels = [one for one in self.kernels if not one.over]
        asked = ((one, one.wants(self.now, self.chance.id)) for one in self.kernels)
        return wishes + [(kernel, command) for kernel, command in asked if command is not None]

    async def _ask(self, ledger: Ledger) -> None:
        wishes = self._wishes()
        asked = (submit(ledger, command) for _, command in wishes)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for (who, command), outcome in zip(wishes, outcomes, strict=True):
            if isinstance(outcome, Crash | LedgerUnavailable) or self._is_lost(command):
                continue
            if not isinstance(outcome, Posted | Held | Refusal):
                raise outcome
            hear(who, command, outcome, self.now)

    def _is_lost(self, command: Command) -> bool:
        """Whether the answer is; what could not be asked again is always answered."""
        return self.chance.comes(0.02) and not isinstance(command, ChangeRate | Release)

    @contextmanager
    def _crashing_now_and_then(self) -> Iterator[None]:
        """The database's connections may die before a statement or a commit; never twice in a row:
        who has missed a heartbeat would be lost."""
        self.crashed = not self.crashed and self.chance.comes(self.crashes)
        if not self.crashed:
            yield
            return

        def perhaps(*_: object) -> None:
            if self.chance.comes(0.05):
                raise Crash

        engine = self.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", perhaps)
        event.listen(engine, "commit", perhaps)
        yield
        event.remove(engine, "before_cursor_execute", perhaps)
        event.remove(engine, "commit", perhaps)


async def submit(ledger: Ledger, command: Command) -> Posted | Held:
    if isinstance(command, Keyed):
        return await ledger.post(command)
    assert isinstance(command, Open | Holding)
    return await ledger.hold(command)


def hear(who: Kernel | Owner, command: Command, outcome: Outcome, now: datetime) -> None:
    if isinstance(who, Owner):
        assert isinstance(command, Keyed)
        assert isinstance(outcome, Posted | Refusal)
        who.hear(command, outcome)
    else:
        assert isinstance(command, Open | Holding)
        assert isinstance(outcome, Held | Refusal)
        who.hear(command, outcome, now)


def owner_by(chance: Chance, uid: str, begin: datetime) -> Owner:
    """An account as chance has it: with credits at first, some for a while; more come and go."""

    def credits_(most: int) -> Credits:
        return Credits(chance.randint(1, most * 1_000_000))

    def give(most: int, kind: Kind, expires_at: datetime | None = None) -> Give:
        reason, id_ = "by chance", chance.id()
        return Give(id_, uid, str(id_), credits_(most), kind, reason, "grace", expires_at)

    first = give(chance.choice([50, 500, 2_000]), Kind.ADJUSTMENT)
    plans: list[tuple[datetime, Keyed]] = [(begin, first)]
    for _ in range(chance.randint(0, 2)):
        expires_at = chance.moment(begin, 30, 260)
        plans.append((begin, give(30, Kind.PROMOTION, expires_at)))
    later = [chance.moment(begin, 0, 250) for _ in range(chance.randint(0, 2))]
    plans += [(at, give(50, Kind.ADJUSTMENT)) for at in later]
    for _ in range(chance.randint(0, 2)):
        id_, at = chance.id(), chance.moment(begin, 0, 250)
        plans.append((at, Charge(id_, uid, str(id_), credits_(10), "tokens", "", "runner")))
    if chance.comes(0.3):
        id_, at = chance.id(), chance.moment(begin, 0, 250)
        amount = chance.choice([None, credits_(50)])
        plans.append((at, Reverse(id_, uid, str(id_), first.id, amount, "refunded", "grace")))
    kernels = [Kernel(chance, uid, f"{uid}/k{n}", begin) for n in range(chance.randint(1, 4))]
    return Owner(uid, kernels, plans)


# What has to be so in the end.


async def compare(database: Database, owner: Owner, seen: Counter[str]) -> None:
    """Each credit is accounted for, and each kernel has cost what it has to."""
    async with database.reading() as connection:
        account = (await accounts.booked(connection, [owner.uid]))[owner.uid]
        posted = await entries.of_account(connection, owner.uid, None, MANY)
        ran = await reservations.listed(connection, owner.uid, None, MANY)
    assert (account.reserved, account.shared_rate, account.open) == (NOTHING, NOTHING, 0)
    assert min((one.balance for one in posted), default=NOTHING) >= NOTHING
    sums = Counter(dict.fromkeys(Kind, 0))
    for one in posted:
        sums[one.kind] += abs(one.credits.micro)
    assert sums[Kind.ADJUSTMENT] + sums[Kind.PROMOTION] == owner.sums["Give"]
    assert sums[Kind.CHARGE] == owner.sums["Charge"]
    assert sums[Kind.REVERSAL] == owner.sums["Reverse"]
    assert sums[Kind.SETTLEMENT] == sum(one.spent.micro for one in ran)
    spent = sums[Kind.CHARGE] + sums[Kind.SETTLEMENT]
    gone = spent + sums[Kind.EXPIRY] + sums[Kind.REVERSAL]
    assert account.balance.micro == owner.sums["Give"] - gone
    for kernel in owner.kernels:
        compare_kernel(kernel, [one for one in ran if one.key == kernel.opening.key], seen)


def compare_kernel(kernel: Kernel, epochs: Sequence[Reservation], seen: Counter[str]) -> None:
    """All epochs together cost no more than the limit; what its holder never heard of, nothing."""
    known = {epoch.id: epoch for epoch in kernel.epochs}
    assert known.keys() <= {one.id for one in epochs}
    for one in epochs:
        seen[one.state] += 1
        seen["again"] += one.epoch > 1
        if one.id in known:
            known[one.id].compare(one)
        else:
            assert (one.state, one.spent) == (State.LOST, NOTHING)
    limits = [one.limit.micro for one in epochs if one.limit is not None]
    assert sum(one.spent.micro for one in epochs) <= max(limits, default=inf)


async def run(url: str, seed: int, histories: int) -> None:
    """Lives histories, and compares what is in the books with what truly was."""
    database, seen = Database(url), Counter[str]()
    try:
        for begin in range(0, histories, WAVE):
            wave = Wave(database, seed, range(begin, min(begin + WAVE, histories)))
            await wave.live()
            for owner in wave.owners:
                await compare(database, owner, seen)
        assert [found async for found in verify(database, Tally())] == []
    finally:
        await database.close()
    assert min(seen[one] for one in ("again", *(set(State) - OPEN))) > 0, seen


async def test_nobody_pays_for_more_than_a_heartbeat_that_was_not_used(database_url: str) -> None:
    await run(database_url, seed=1, histories=150)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_in_three_thousand_histories_nobody_does(database_url: str) -> None:
    await run(database_url, seed=2026, histories=3_000)
