"""The writer on real databases: the same outcomes as a ten-line model, whatever comes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

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
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from prepaid.core.amounts import Credits
from prepaid.core.commands import Beat, Charge, Give, Posted
from prepaid.core.entries import Kind
from prepaid.core.errors import (
    InsufficientCredits,
    InvalidCredits,
    KeyReused,
    LedgerBusy,
    LedgerUnavailable,
    Refusal,
    UnknownAccount,
)
from prepaid.ids import new_id
from prepaid.storage import accounts, entries, grants, writer
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)
T = TypeVar("T")


def give(uid: str = "ada", key: str = "k", whole: int = 5, reason: str = "") -> Give:
    return Give(new_id(), uid, key, Credits.of(whole), Kind.PROMOTION, reason, "grace")


def charge(uid: str = "ada", key: str = "c", whole: int = 5, reason: str = "") -> Charge:
    return Charge(new_id(), uid, key, Credits.of(whole), "kernel", reason, "runner")


Make = Callable[[str, str, int, str], Give | Charge]


async def make_accounts(database: Database, *uids: str) -> None:
    async with database.writing() as connection:
        for uid in uids:
            await accounts.add(connection, uid, AT)


async def test_many_at_once_are_each_posted_once(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        posted = await asyncio.gather(*(ledger.post(give(key=str(i % 100))) for i in range(300)))
    assert sum(not one.replayed for one in posted) == 100
    assert max(one.entry.balance for one in posted) == Credits.of(500)


async def test_a_refusal_does_not_touch_the_others_of_its_batch(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        good, bad = await asyncio.gather(
            ledger.post(give()), ledger.post(give(uid="nobody")), return_exceptions=True
        )
    assert isinstance(good, Posted)
    assert isinstance(bad, Refusal)


async def test_two_ledgers_on_one_database_agree(database: Database) -> None:
    """Two service processes: whoever comes second is answered with the first one's outcome."""
    await make_accounts(database, "ada")
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(database, lambda: AT).open() as one, Ledger(other, lambda: AT).open() as two:
        posted = await asyncio.gather(
            *((one, two)[i % 2].post(give(key=str(i // 2))) for i in range(200))
        )
    await other.close()
    assert sum(not one.replayed for one in posted) == 100
    assert max(one.entry.balance for one in posted) == Credits.of(500)


async def test_twenty_charges_at_once_with_money_for_three_are_three(database: Database) -> None:
    await make_accounts(database, "ada")
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(database, lambda: AT).open() as one, Ledger(other, lambda: AT).open() as two:
        await one.post(give(whole=17))
        asked = ((one, two)[i % 2].post(charge(key=f"c{i}")) for i in range(20))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    await other.close()
    assert sum(isinstance(answer, Posted) for answer in answers) == 3
    assert sum(isinstance(answer, InsufficientCredits) for answer in answers) == 17


async def test_a_batch_has_an_outcome_for_each_charge(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post(give(whole=7))
        few, many, nobody, again = await ledger.post_all(
            [charge(key="1"), charge(key="2"), charge("nobody"), charge(key="1")]
        )
    assert isinstance(few, Posted)
    assert isinstance(many, InsufficientCredits)
    assert isinstance(nobody, UnknownAccount)
    assert isinstance(again, Posted)
    assert again.replayed


async def test_a_fault_in_a_batch_is_not_an_outcome(database: Database) -> None:
    await make_accounts(database, "ada")

    def broken() -> datetime:
        raise RuntimeError("no clock")

    async with Ledger(database, broken).open() as ledger:
        with pytest.raises(RuntimeError, match="no clock"):
            await ledger.post_all([charge()])


async def test_what_was_submitted_is_finished_before_the_ledger_closes(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        waiting = [asyncio.create_task(ledger.post(give(key=str(i)))) for i in range(50)]
        await asyncio.sleep(0)
    posted = await asyncio.gather(*waiting)
    assert {one.entry.number for one in posted} == set(range(1, 51))


async def test_a_database_that_hangs_does_not_keep_the_ledger_from_closing(
    on_postgresql: str,
) -> None:
    """SQLite gives a statement that waits no way to be cancelled: there the process just ends."""
    database, other = Database(on_postgresql), Database(on_postgresql)
    await make_accounts(database, "ada")
    async with other.writing() as connection:
        await accounts.lock(connection, ["ada"])
        async with Ledger(database, lambda: AT).open() as ledger:
            waiting = [asyncio.create_task(ledger.post(give(key=str(i)))) for i in range(3)]
            await asyncio.sleep(0)
        answers = await asyncio.gather(*waiting, return_exceptions=True)
    await other.close()
    await database.close()
    assert [type(one) for one in answers] == [LedgerUnavailable] * 3


async def test_a_caller_that_goes_away_disturbs_nobody(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        gone = asyncio.create_task(ledger.post(give(key="gone")))
        stays = asyncio.create_task(ledger.post(give(key="stays")))
        await asyncio.sleep(0)
        gone.cancel()
        assert (await stays).entry.credits == Credits.of(5)


async def test_a_full_queue_refuses_at_once(database: Database) -> None:
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(writer.QUEUE + 5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in answers if isinstance(one, LedgerBusy)]
    assert len(refused) == 5
    assert len(answers) - len(refused) == writer.QUEUE


async def test_a_database_that_is_away_refuses_everybody() -> None:
    nowhere = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    async with Ledger(nowhere, lambda: AT).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(3))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    await nowhere.close()
    assert [type(one) for one in answers] == [LedgerUnavailable] * 3


async def test_a_fault_of_ours_reaches_every_caller_and_the_ledger_goes_on(
    database: Database,
) -> None:
    await make_accounts(database, "ada")
    broken = True

    def clock() -> datetime:
        if broken:
            raise RuntimeError("no clock")
        return AT

    async with Ledger(database, clock).open() as ledger:
        asked = (ledger.post(give(key=str(i))) for i in range(3))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(one) for one in answers] == [RuntimeError] * 3
        broken = False
        assert (await ledger.post(give())).entry.number == 1


async def test_a_row_that_a_constraint_refuses_hurts_only_its_own_command(
    database: Database,
) -> None:
    """The grant's id is taken, which only a fault of ours can bring about."""
    await make_accounts(database, "ada")
    async with Ledger(database, lambda: AT).open() as ledger:
        first = give(key="first")
        await ledger.post(first)
        clashing = replace(give(key="second"), id=first.id)
        bad, good = await asyncio.gather(
            ledger.post(clashing), ledger.post(give(key="third")), return_exceptions=True
        )
    assert isinstance(bad, IntegrityError)
    assert isinstance(good, Posted)
    assert good.entry.number == 2


async def test_books_that_are_damaged_hurt_only_who_asks_for_them(database: Database) -> None:
    """Nothing burns, say the books of an account with a kernel that does: there is no such time."""
    await make_accounts(database, "ada", "bob")
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post_all([give("ada", whole=100), give("bob", whole=100)])
        held = await ledger.hold(KERNEL)
        async with database.writing() as connection:
            damage = text("UPDATE accounts SET shared_rate = 0 WHERE uid = 'ada'")
            await connection.execute(damage)
        bad, *good = await asyncio.gather(
            ledger.hold(Beat(held.reservation.id, None)),
            *(ledger.post(charge("bob", key=str(i))) for i in range(9)),
            return_exceptions=True,
        )
    assert isinstance(bad, ZeroDivisionError)
    assert [type(one) for one in good] == [Posted] * 9


class Model(RuleBasedStateMachine):
    """Any order of grants, charges, replays, conflicts and restarts, against a small model."""

    url: str

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.database = Database(self.url)
        self.ledger = self.run(self.open())
        self.uids = [f"user-{new_id()}" for _ in range(2)]
        self.run(make_accounts(self.database, *self.uids))
        self.balances = dict.fromkeys(self.uids, 0)
        self.keys: dict[tuple[str, str], tuple[type, int, str]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def open(self) -> Ledger:
        self.opened = Ledger(self.database, lambda: AT).open()
        return await self.opened.__aenter__()

    def expected(self, one: Give | Charge) -> type[Refusal] | bool:
        """The model: the refusal, or whether it is a replay."""
        content = (type(one), one.credits.micro, one.reason)
        if first := self.keys.get((one.account_uid, one.key)):
            return True if first == content else KeyReused
        if one.credits.micro <= 0:
            return InvalidCredits
        if one.account_uid not in self.balances:
            return UnknownAccount
        sign = -1 if isinstance(one, Charge) else 1
        if self.balances[one.account_uid] + sign * one.credits.micro < 0:
            return InsufficientCredits
        self.keys[one.account_uid, one.key] = content
        self.balances[one.account_uid] += sign * one.credits.micro
        return False

    @rule(
        who=st.sampled_from([0, 1, 2]),
        batch=st.lists(
            st.tuples(
                st.sampled_from([give, charge]),
                st.sampled_from("abcdefgh"),
                st.integers(-1, 3),
                st.sampled_from(["", "x"]),
            ),
            min_size=1,
            max_size=6,
        ),
    )
    def post(self, who: int, batch: list[tuple[Make, str, int, str]]) -> None:
        uid = self.uids[who] if who < len(self.uids) else "nobody"
        commands = [make(uid, key, whole, reason) for make, key, whole, reason in batch]
        answers = self.run(self.submit(commands))
        for one, answer in zip(commands, answers, strict=True):
            expected = self.expected(one)
            if isinstance(expected, bool):
                assert isinstance(answer, Posted)
                assert answer.replayed == expected
            else:
                assert type(answer) is expected

    async def submit(self, commands: list[Give | Charge]) -> list[Posted | BaseException]:
        asked = (self.ledger.post(one) for one in commands)
        return await asyncio.gather(*asked, return_exceptions=True)

    @rule()
    def restart(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.ledger = self.run(self.open())

    @invariant()
    def the_books_are_right(self) -> None:
        if hasattr(self, "balances"):
            self.run(self.check())

    async def check(self) -> None:
        async with self.database.reading() as connection:
            for uid, micro in self.balances.items():
                account = await accounts.find(connection, uid)
                assert account is not None
                posted = await entries.of_account(connection, uid, None, 1000)
                given = await grants.of_account(connection, uid)
                assert account.balance == Credits(micro)
                assert sum(entry.credits.micro for entry in posted) == micro
                assert sum(one.remaining.micro for one in given) == micro
                assert [entry.number for entry in posted] == [*range(account.entries, 0, -1)]

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.run(self.opened.__aexit__(None, None, None))
            self.run(self.database.close())
            self.runner.close()


def test_the_ledger_does_what_the_model_says(database_url: str) -> None:
    Model.url = database_url
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
