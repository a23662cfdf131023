"""The whole ledger on real databases: whatever is asked, and whatever the clock does, each outcome
and each balance is what a naive ledger says.

`verify` finds nothing at any time, and at the end all that was given is there, or was spent, or
expired, or was taken back.
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from both_ledgers import BothLedgers
from prepaid.core.amounts import Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Command,
    Extend,
    Give,
    Open,
    Release,
    Reverse,
    Settle,
)
from prepaid.core.entries import Kind
from prepaid.ids import new_id
from prepaid.storage.database import Database
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)
T = TypeVar("T")

amounts = st.one_of(
    st.sampled_from([1, 3, 5, 10, 20]).map(Credits.of), st.integers(-1, 3_000_000).map(Credits)
)
limits = st.one_of(st.none(), amounts)
rates = st.sampled_from([1_000_000, 1_000_000, 500_000, 333_333, 2_000_001, 7, 0, -1])

users = st.sampled_from([0, 0, 0, 1, 1, 2])
"""The third has no account."""
askers = st.sampled_from([None, None, None, 0, 1])
"""The platform, or a user."""
numbers = st.integers(0, 30)
passing = st.one_of(
    st.sampled_from([1, 4, 5, 10, 15, 30, 60]).map(lambda count: timedelta(seconds=count)),
    st.integers(1, 20_000_000).map(lambda count: timedelta(microseconds=count)),
)
ids = st.builds(new_id)
gives = st.builds(
    Give,
    id=ids,
    account_uid=st.just(""),
    key=st.sampled_from("abcdefgh"),
    credits=amounts,
    kind=st.sampled_from([Kind.PROMOTION, Kind.ADJUSTMENT]),
    reason=st.sampled_from(["", "x"]),
    actor=st.just("grace"),
    expires_at=st.none() | passing.map(lambda passed: AT + 4 * passed),
)
charges = st.builds(
    Charge,
    id=ids,
    account_uid=st.just(""),
    key=st.sampled_from("abcdefgh"),
    credits=amounts,
    resource=st.just("tokens"),
    reason=st.sampled_from(["", "x"]),
    actor=st.just("runner"),
)
opens = st.builds(
    Open,
    id=ids,
    account_uid=st.just(""),
    key=st.sampled_from("klmn"),
    resource=st.just("k1"),
    resource_type=st.just("runtime"),
    given_name=st.just(""),
    burning_rate=rates.map(Credits),
    limit=limits,
    heartbeat_seconds=st.sampled_from([5, 10, 10, 10, 10, 0, 3601]),
    actor=st.just("runner"),
    by_platform=st.sampled_from([True, True, False]),
)
START = Give(new_id(), "", "start", Credits.of(30), Kind.ADJUSTMENT, "", "grace")


class Spending(RuleBasedStateMachine):
    """Grants, charges and reversals; reservations, and all that is done to them; sweeps, restarts,
    outages, and a clock that steps both ways."""

    url: str

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.database = Database(self.url)
        self.uids = [f"user-{new_id()}" for _ in range(2)]
        self.asked_before: list[Open] = []
        self.both = BothLedgers(self.database, self.uids, AT)
        self.run(self.both.begin())
        self.ask(*(replace(START, id=new_id(), account_uid=uid) for uid in self.uids))
        self.open(0, replace(KERNEL, key="unlimited"))
        self.open(0, replace(KERNEL, key="limited", limit=Credits.of(8)))
        self.beat_all()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def ask(self, *commands: Command) -> None:
        self.run(self.both.ask(commands))

    # What can be asked.

    @rule(who=users, batch=st.lists(gives | charges, min_size=1, max_size=4))
    def post(self, who: int, batch: list[Give | Charge]) -> None:
        self.ask(*(replace(one, account_uid=self.uid(who)) for one in batch))

    @rule(who=users, key=st.sampled_from("rst"), number=numbers, amount=limits)
    def take_back(self, who: int, key: str, number: int, amount: Credits | None) -> None:
        uid = self.uid(who)
        account = self.both.naive.accounts.get(uid)
        lot = account.lots[number % len(account.lots)].id if account else new_id()
        self.ask(Reverse(new_id(), uid, key, lot, amount, "refunded", "grace"))

    @rule(who=users, one=opens)
    def open(self, who: int, one: Open) -> None:
        asked = replace(one, id=new_id(), account_uid=self.uid(who))
        self.asked_before.append(asked)
        self.ask(asked)

    @rule(number=numbers)
    def open_again(self, number: int) -> None:
        """With the same key and the same content."""
        if self.asked_before:
            first = self.asked_before[-1 - number % len(self.asked_before)]
            self.ask(replace(first, id=new_id()))

    @rule(number=numbers, asker=askers)
    def beat(self, number: int, asker: int | None) -> None:
        self.ask(Beat(self.id(number), self.asker(asker)))

    @rule()
    def beat_all(self) -> None:
        """In one batch; those that have ended too."""
        self.ask(*(Beat(run.id, None) for run in self.both.naive.runs))

    @rule(number=numbers, asker=askers, limit=limits)
    def extend(self, number: int, asker: int | None, limit: Credits | None) -> None:
        self.ask(Extend(self.id(number), self.asker(asker), limit))

    @rule(number=numbers, asker=askers, rate=rates.map(Credits))
    def change_rate(self, number: int, asker: int | None, rate: Credits) -> None:
        self.ask(ChangeRate(self.id(number), self.asker(asker), rate))

    @rule(number=numbers, asker=askers, cost=limits)
    def settle(self, number: int, asker: int | None, cost: Credits | None) -> None:
        self.ask(Settle(self.id(number), self.asker(asker), cost))

    @rule(number=numbers, asker=askers)
    def release(self, number: int, asker: int | None) -> None:
        self.ask(Release(self.id(number), self.asker(asker)))

    # What time and the service do.

    @rule(passed=passing)
    def wait(self, passed: timedelta) -> None:
        self.both.set_clock(self.both.now + passed)

    @rule(passed=passing)
    def wait_and_sweep(self, passed: timedelta) -> None:
        self.wait(passed)
        self.run(self.both.sweep())

    @rule(pause=st.sampled_from([4, 9, 9, 31]), sweeps=st.booleans())
    def go_on_for_a_while(self, *, pause: int, sweeps: bool) -> None:
        """As holders do, in time or not, with sweeps in between or not."""
        for _ in range(3):
            passed = timedelta(seconds=pause)
            self.wait_and_sweep(passed) if sweeps else self.wait(passed)
            self.beat_all()

    @rule(back=st.sampled_from([1, 30, 59, 61, 90]))
    def go_on_with_a_clock_behind(self, back: int) -> None:
        self.both.set_clock(self.both.now - timedelta(seconds=back))

    @rule()
    def restart(self) -> None:
        self.run(self.both.close())
        self.run(self.both.open())

    @rule(passed=passing)
    def be_away(self, passed: timedelta) -> None:
        """Nobody is answered meanwhile, and all graces begin anew."""
        self.restart()
        self.both.set_clock(self.both.now + 10 * passed)
        self.both.grace_from = self.both.now

    # What has to be so.

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "both"):
            self.run(self.both.check())

    def teardown(self) -> None:
        if hasattr(self, "both"):
            try:
                self.left_alone_everything_ends()
            finally:
                self.run(self.both.close())
                self.run(self.database.close())
                self.runner.close()

    def left_alone_everything_ends(self) -> None:
        for _ in range(3):
            self.wait_and_sweep(timedelta(hours=1))
        assert not any(run.open for run in self.both.naive.runs)
        self.the_books_are_right()

    def uid(self, number: int) -> str:
        return self.uids[number] if number < len(self.uids) else "nobody"

    def asker(self, number: int | None) -> str | None:
        return None if number is None else self.uids[number]

    def id(self, number: int) -> UUID:
        """A reservation's, the newest first; or nobody's."""
        runs = self.both.naive.runs
        return runs[-1 - number % len(runs)].id if runs else new_id()


def run_machine(url: str, examples: int, steps: int) -> None:
    Spending.url = url
    run_state_machine_as_test(
        Spending,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_ledger_does_what_a_naive_one_would(database_url: str) -> None:
    run_machine(database_url, examples=10, steps=25)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_ledger_does_what_a_naive_one_would_for_long(database_url: str) -> None:
    run_machine(database_url, examples=80, steps=50)
