"""The ledger on a real database beside a naive one: asked the same, they say the same."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from functools import partial
from math import inf
from uuid import UUID

from sqlalchemy import select

from naive_ledger import SECOND, Lot, NaiveLedger, No, Run
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Command,
    Extend,
    Give,
    Held,
    Holding,
    Keyed,
    Open,
    Posted,
    Release,
    Settle,
)
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import Refusal
from prepaid.core.reservations import Reservation, time_left, used
from prepaid.flows.sweep import sweep
from prepaid.flows.verification import Tally, verify
from prepaid.storage import accounts, entries, grants, reservations
from prepaid.storage.database import Database
from prepaid.storage.tables import EPOCH
from prepaid.storage.tables import reservations as table
from prepaid.storage.writer import Ledger

MICROSECOND = timedelta(microseconds=1)
MANY = 1_000

Told = dict[str, object]
Expected = str | bool | Told
"""A refusal by its name; whether something was posted before; or what is told of a reservation."""

TALLIED = {
    Kind.CHARGE: "spent",
    Kind.SETTLEMENT: "spent",
    Kind.EXPIRY: "expired",
    Kind.REVERSAL: "reversed",
}


def micros(at: datetime) -> int:
    """An instant, in microseconds."""
    return (at - EPOCH) // MICROSECOND


class BothLedgers:
    """Two ledgers with one clock, `now`. `grace_from` is when the service was last away."""

    def __init__(self, database: Database, uids: Sequence[str], now: datetime) -> None:
        self.database, self.uids = database, uids
        self.now = self.grace_from = now
        self.naive = NaiveLedger(uids, micros(now))
        self.seen: Counter[str] = Counter()

    async def begin(self) -> None:
        """Makes the accounts, and starts the service."""
        async with self.database.writing() as connection:
            for uid in self.uids:
                await accounts.add(connection, uid, self.now)
        await self.open()

    async def open(self) -> None:
        """Starts the service."""
        self._opened = Ledger(self.database, lambda: self.now).open()
        self.ledger = await self._opened.__aenter__()

    async def close(self) -> None:
        """Stops the service."""
        await self._opened.__aexit__(None, None, None)

    def set_clock(self, now: datetime) -> None:
        """It may go back, as when another machine takes over."""
        self.now, self.naive.now = now, micros(now)

    async def ask(self, commands: Sequence[Command]) -> None:
        """Both are asked: the real one in one batch, the naive one after the other."""
        asked = (self._submit(one) for one in commands)
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        for command, outcome in zip(commands, outcomes, strict=True):
            expected = self._expected(command)
            assert self._told(outcome) == expected, command
            self.seen[f"{type(command).__name__} {_in_short(expected)}"] += 1

    async def sweep(self) -> None:
        """The naive one takes the reservations in the order in which the real one will."""
        was_open = [run for run in self.naive.runs if run.open]
        for uid in self.uids:
            self.naive.expire(uid)
        for id_, due_at in await self._by_due_time():
            self._lapse(id_, is_due=due_at <= self.now)
        swept = await sweep(self.database, self.ledger, self.now, self.grace_from)
        ended = {run.id: run.state for run in was_open if not run.open}
        assert {one.id: one.state.value for one in swept.ended} == ended
        self.seen.update(f"swept {state}" for state in ended.values())

    def _lapse(self, id_: UUID, *, is_due: bool) -> None:
        """To what is not due, time has to do nothing."""
        naive = self.naive if is_due else deepcopy(self.naive)
        try:
            after = naive.lapse(id_, micros(self.grace_from))
        except No:
            return
        assert is_due or after.open, after

    async def _by_due_time(self) -> Sequence[tuple[UUID, datetime]]:
        ids = [run.id for run in self.naive.runs if run.open]
        query = select(table.c.id, table.c.due_at).where(table.c.id.in_(ids))
        async with self.database.reading() as connection:
            rows = await connection.execute(query.order_by(table.c.due_at, table.c.id))
            return [(row.id, row.due_at) for row in rows]

    async def check(self) -> None:
        """What is stored is what the naive one has, it adds up, and `verify` finds nothing."""
        for uid in self.uids:
            await self._check_account(uid)
        assert [found async for found in verify(self.database, Tally())] == []

    async def _check_account(self, uid: str) -> None:
        async with self.database.reading() as connection:
            account = (await accounts.booked(connection, [uid]))[uid]
            given = await grants.of_account(connection, uid)
            posted = await entries.of_account(connection, uid, None, MANY)
            stored = await reservations.listed(connection, uid, None, MANY)
        naive = self.naive.accounts[uid]
        reserved = self.naive.reserved(uid)
        assert (account.balance.micro, account.reserved.micro) == (naive.balance, reserved)
        assert 0 <= reserved <= naive.balance
        assert (account.shared_rate.micro, account.open) == (
            self._shared_rate(uid),
            len(self.naive.running(uid)),
        )
        assert {one.id: one.remaining.micro for one in given} == {
            lot.id: lot.left for lot in naive.lots
        }
        assert {one.id: _stored(one) for one in stored} == {
            run.id: _kept(run) for run in self.naive.runs if run.uid == uid
        }
        assert sum(one.credits.micro for one in posted) == naive.balance
        assert _sums(posted) == {
            "given": naive.given,
            "spent": -naive.spent,
            "expired": -naive.expired,
            "reversed": -naive.reversed,
        }
        assert naive.given == naive.balance + naive.spent + naive.expired + naive.reversed

    async def _submit(self, command: Command) -> Posted | Held:
        if isinstance(command, Keyed):
            return await self.ledger.post(command)
        assert isinstance(command, Open | Holding)
        return await self.ledger.hold(command)

    def _expected(self, command: Command) -> Expected:
        try:
            if isinstance(command, Keyed):
                return self._posted(command)
            return self._held(command)
        except No as no:
            return str(no)

    def _posted(self, command: Keyed) -> bool:
        uid, naive = command.account_uid, self.naive
        amount = None if command.credits is None else command.credits.micro
        match command:
            case Give():
                lot = _lot(command, naive.now)
                content = ("give", amount, command.reason, command.kind, lot.expires)
                return naive.once(uid, command.key, content, lambda: naive.give(uid, lot))
            case Charge():
                spend = partial(naive.charge, uid, command.credits.micro)
                return naive.once(uid, command.key, ("charge", amount, command.reason), spend)
            case _:
                take = partial(naive.reverse, uid, command.grant_id, amount)
                return naive.once(uid, command.key, ("reverse", amount, command.grant_id), take)

    def _held(self, command: Command) -> Told:
        replayed = False
        match command:
            case Open():
                run, replayed = self.naive.opened(_fresh(command, self.naive.now))
            case Settle(id_, who, spent):
                cost = None if spent is None else spent.micro
                run, replayed = self.naive.settle(id_, who, cost)
            case Beat(id_, who):
                run = self.naive.beat(id_, who)
            case Extend(id_, who, limit):
                run = self.naive.extend(id_, who, None if limit is None else limit.micro)
            case ChangeRate(id_, who, rate):
                run = self.naive.change_rate(id_, who, rate.micro)
            case Release(id_, who):
                run = self.naive.release(id_, who)
            case _:
                raise AssertionError(command)
        return self._of_run(run, replayed=replayed)

    def _of_run(self, run: Run, *, replayed: bool) -> Told:
        return {
            "reservation": _kept(run),
            "id": run.id,
            "used": run.used(self.naive.now),
            "lasts": run.lasts(self.naive.now),
            "limit": run.limit,
            "epoch": (run.epoch, run.spent_before),
            "available": self.naive.free(run.uid),
            "shared_rate": self._shared_rate(run.uid),
            "replayed": replayed,
        }

    def _told(self, outcome: object) -> Expected:
        if isinstance(outcome, Refusal):
            return type(outcome).__name__
        if isinstance(outcome, Posted):
            return outcome.replayed
        if not isinstance(outcome, Held):
            raise TypeError(repr(outcome)) from outcome if isinstance(outcome, Exception) else None
        one = outcome.reservation
        left = time_left(one, self.now)
        return {
            "reservation": _stored(one),
            "id": one.id,
            "used": used(one, self.now).micro,
            "lasts": None if left is None else left // MICROSECOND,
            "limit": None if one.limit is None else one.limit.micro,
            "epoch": (one.epoch, one.spent_before.micro),
            "available": outcome.available.micro,
            "shared_rate": outcome.shared_rate.micro,
            "replayed": outcome.replayed,
        }

    def _shared_rate(self, uid: str) -> int:
        return sum(run.rate for run in self.naive.running(uid) if run.limit is None)


def _stored(one: Reservation) -> Told:
    return {
        "state": one.state.value,
        "reserved": one.reserved.micro,
        "spent": one.spent.micro,
        "rate": one.burning_rate.micro,
        "heard": micros(one.beat_at) if one.is_open else None,
    }


def _kept(run: Run) -> Told:
    return {
        "state": run.state,
        "reserved": run.reserved,
        "spent": run.spent,
        "rate": run.rate,
        "heard": run.heard if run.open else None,
    }


def _lot(give: Give, now: int) -> Lot:
    expires = inf if give.expires_at is None else micros(give.expires_at)
    return Lot(give.id, give.kind, give.credits.micro, expires, now)


def _fresh(asked: Open, now: int) -> Run:
    content = (
        *(asked.resource, asked.burning_rate, asked.limit, asked.heartbeat_seconds),
        asked.by_platform,
    )
    return Run(
        uid=asked.account_uid,
        id=asked.id,
        key=asked.key,
        content=content,
        platform=asked.by_platform,
        limit=None if asked.limit is None else asked.limit.micro,
        interval=asked.heartbeat_seconds * SECOND,
        rates=[(now, asked.burning_rate.micro)],
        heard=now,
    )


def _sums(posted: Sequence[Entry]) -> dict[str, int]:
    sums = dict.fromkeys(["given", *TALLIED.values()], 0)
    for entry in posted:
        sums[TALLIED.get(entry.kind, "given")] += entry.credits.micro
    return sums


def _in_short(expected: Expected) -> str:
    if isinstance(expected, dict):
        return "replayed" if expected["replayed"] else "held"
    return expected if isinstance(expected, str) else "replayed" if expected else "posted"
