"""Whoever listens is woken by every change, at the cost of one query for all."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from msgspec.structs import replace
from sqlalchemy import event, text

from conftest import sqlite_url
from prepaid.core.amounts import Credits
from prepaid.core.books import Account
from prepaid.core.commands import Charge, Give
from prepaid.core.entries import Kind
from prepaid.core.errors import TooMany, Unavailable
from prepaid.flows import accounts, consumption
from prepaid.flows import changes as flow
from prepaid.flows.changes import (
    MOST,
    MOST_OF_ACCOUNT,
    POLL_SECONDS,
    Changes,
    Listener,
)
from prepaid.flows.news import PAGE, News, Position, end
from prepaid.ids import new_id
from prepaid.storage.database import Database
from prepaid.storage.schema import migrate
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
DEADLINE_SECONDS = 20


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def ledger(database: Database) -> AsyncIterator[Ledger]:
    """That of a process: those who listen have another database, as in another process."""
    async with Ledger(database, lambda: AT).open() as opened:
        await make(opened, database, "ada")
        yield opened


@pytest.fixture
async def elsewhere(database_url: str) -> AsyncIterator[Database]:
    """The database of those who listen."""
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def changes(elsewhere: Database) -> AsyncIterator[Changes]:
    async with Changes(elsewhere, lambda: AT).open() as opened:
        yield opened


async def make(ledger: Ledger, database: Database, uid: str) -> None:
    await accounts.create(database, uid, AT)
    given = Give(new_id(), uid, "k", Credits.of(1_000), Kind.PROMOTION, "", "grace")
    await accounts.give(ledger, given)


async def charge(ledger: Ledger, uid: str = "ada") -> None:
    asked = Charge(new_id(), uid, str(new_id()), Credits.of(1), "kernel", "", "ada")
    await consumption.charge(ledger, asked)


async def read(changes: Changes, database: Database, listener: Listener) -> News:
    return await changes.news(listener, await end(database, listener.uid))


async def until(fact: Callable[[], object]) -> None:
    """Returns once it is true, and fails if it isn't in time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not fact():  # noqa: ASYNC110 - what is counted tells nobody
            await asyncio.sleep(0.005)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that is sent to the database meanwhile, but for the beginnings of
    transactions, which only SQLite is sent so."""
    sent: list[str] = []

    def note(*told: object) -> None:
        if told[2] != "BEGIN":
            sent.append(str(told[2]))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_a_change_by_another_process_wakes_who_listens(
    changes: Changes, database: Database, elsewhere: Database, ledger: Ledger
) -> None:
    """By the first poll after it; one may have been under way."""
    with changes.listening("ada") as listener:
        await read(changes, database, listener)
        for _ in range(3):
            await charge(ledger)
            with counted(elsewhere) as sent:
                assert await listener.change(DEADLINE_SECONDS)
            assert len([one for one in sent if "accounts" in one]) <= 1
            assert (await read(changes, database, listener)).account == listener.seen


async def test_who_has_not_read_is_woken_and_who_has_is_left_alone(
    changes: Changes, database: Database, ledger: Ledger
) -> None:
    del ledger
    with changes.listening("ada") as listener:
        assert await listener.change(DEADLINE_SECONDS)
        await read(changes, database, listener)
        await listener.change(2 * POLL_SECONDS)  # a poll that had begun before may still be told
        assert not await listener.change(3 * POLL_SECONDS)


async def test_who_has_read_a_part_is_woken_again(
    changes: Changes, database: Database, ledger: Ledger
) -> None:
    await asyncio.gather(*(charge(ledger) for _ in range(PAGE)))
    with changes.listening("ada") as listener:
        assert (await changes.news(listener, Position(0, 0))).balance is None
        assert await listener.change(DEADLINE_SECONDS)
        assert (await changes.news(listener, Position(PAGE, 0))).account == listener.seen
    assert (await end(database, "ada")).entry == PAGE + 1


async def test_who_has_read_much_rests_before_they_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A balance with two thousand reservations, of which each heartbeat changes the account."""
    few, many = Account("ada", Credits(5), 1), Account("ada", Credits(5), 1, open=2_000)
    ticks = [0.0]
    monkeypatch.setattr(flow, "_ticks", lambda: ticks[-1])
    listener = Listener("ada")
    listener.see(few)
    listener.show(many)
    assert await listener.change(0)
    listener.see(many)
    for passed, is_woken in ((0.1, False), (0.999, False), (1, True)):
        ticks.append(passed)
        listener.show(few)
        assert await listener.change(0) is is_woken


async def test_who_rests_is_told_at_once_what_happens_and_no_balance(
    changes: Changes, database: Database, ledger: Ledger
) -> None:
    """A reservation runs out among two thousand: its holder doesn't wait for their balance."""
    with changes.listening("ada") as listener:
        await read(changes, database, listener)
        assert listener.seen is not None
        listener.see(replace(listener.seen, open=1_000_000))
        await charge(ledger)
        assert await listener.change(DEADLINE_SECONDS)
        found = await changes.news(listener, Position(1, 0))
        assert ([one.number for one in found.entries], found.balance) == ([2], None)
        await listener.change(2 * POLL_SECONDS)  # a poll that had begun before may still be told
        assert not await listener.change(3 * POLL_SECONDS)
        assert listener.seen != found.account


async def test_many_changes_wake_once(changes: Changes, database: Database, ledger: Ledger) -> None:
    with changes.listening("ada") as listener:
        await asyncio.gather(*(charge(ledger) for _ in range(100)))
        assert await listener.change(DEADLINE_SECONDS)
        assert (await read(changes, database, listener)).account.last_entry == 101
        await listener.change(2 * POLL_SECONDS)
        assert not await listener.change(3 * POLL_SECONDS)


async def test_many_who_listen_share_one_query(database: Database, ledger: Ledger) -> None:
    uids = [f"user-{number}" for number in range(20)]
    for uid in uids:
        await make(ledger, database, uid)
    async with Changes(database, lambda: AT).open() as changes:
        with ExitStack() as stack:
            listeners = [stack.enter_context(changes.listening(uid)) for uid in uids * 20]
            for listener in listeners[:20]:
                await read(changes, database, listener)
            with counted(database) as sent:
                await until(lambda: len(sent) >= 5)
            polls = [one for one in sent if "accounts" in one]
            assert len(polls) == len(sent) == 5
            assert "user" not in polls[0]


async def test_nothing_is_asked_while_nobody_listens(database_url: str, ledger: Ledger) -> None:
    other = Database(database_url)
    with counted(other) as sent:
        async with Changes(other, lambda: AT).open() as changes:
            with changes.listening("ada"), changes.listening("ada"):
                await until(lambda: sent)
            asked = len(sent)
            for _ in range(100):
                await charge(ledger)
        assert len(sent) - asked <= 1  # a poll that had begun
    await other.close()


async def test_an_account_has_so_many_listeners_and_no_more(changes: Changes) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_OF_ACCOUNT):
            stack.enter_context(changes.listening("ada"))
        with pytest.raises(TooMany), changes.listening("ada"):
            pass
        with changes.listening("bob"):
            pass
    with changes.listening("ada"):
        pass


async def test_a_process_has_so_many_listeners_and_no_more(changes: Changes) -> None:
    with ExitStack() as stack:
        for number in range(MOST):
            stack.enter_context(changes.listening(f"user-{number}"))
        with pytest.raises(Unavailable, match="open already"), changes.listening("one-more"):
            pass
    with changes.listening("one-more"):
        pass


def watcher() -> asyncio.Task[object]:
    """The task that polls."""
    (found,) = [one for one in asyncio.all_tasks() if one.get_name() == "changes"]
    return found


async def test_a_stop_ends_all_and_lets_nobody_begin(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "FINISH_SECONDS", DEADLINE_SECONDS)
    async with Changes(database, lambda: AT).open() as changes:
        with changes.listening("ada") as one, changes.listening("bob") as other:
            watching = watcher()
            waiting = [asyncio.create_task(it.change(DEADLINE_SECONDS)) for it in (one, other)]
            changes.stop()
            assert await asyncio.gather(*waiting) == [True, True]
            assert one.ended
            assert other.ended
        with pytest.raises(Unavailable, match="stopping"), changes.listening("ada"):
            pass
    assert watching.done()
    assert not watching.cancelled()


async def test_a_poll_that_hangs_is_broken_off_and_leaves_no_connection(
    database: Database, elsewhere: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing locks SQLite's readers out: there it ends by itself."""
    monkeypatch.setattr(flow, "FINISH_SECONDS", 1)
    async with database.writing() as connection:
        if not database.sqlite:
            await connection.execute(text("LOCK TABLE accounts"))
        with counted(elsewhere) as sent:
            async with Changes(elsewhere, lambda: AT).open() as changes:
                with changes.listening("ada"):
                    await until(lambda: sent)
                    watching = watcher()
        assert watching.done()
        assert elsewhere.engine.pool.status().endswith("Current Checked out connections: 0")


async def test_the_watcher_outlives_a_database_without_tables(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with structlog.testing.capture_logs() as lines:
        async with Changes(database, lambda: AT).open() as changes:
            with changes.listening("ada") as listener:
                await until(lambda: lines)
                await asyncio.to_thread(migrate, empty_database_url)
                async with Ledger(database, lambda: AT).open() as ledger:
                    await make(ledger, database, "ada")
                assert await listener.change(DEADLINE_SECONDS)
    assert {line["event"] for line in lines} == {"changes_failed"}
    await database.close()


async def test_the_watcher_outlives_an_absence_of_the_database(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    database = Database(sqlite_url(folder / "prepaid.db"))
    with structlog.testing.capture_logs() as lines:
        async with Changes(database, lambda: AT).open() as changes:
            with changes.listening("ada") as listener:
                await until(lambda: lines)
                with pytest.raises(Unavailable):
                    await changes.news(listener, Position(0, 0))
                away = folder.with_name("away")
                away.mkdir()
                shutil.copy(migrated_sqlite, away / "prepaid.db")
                away.rename(folder)
                async with Ledger(database, lambda: AT).open() as ledger:
                    await make(ledger, database, "ada")
                assert await listener.change(DEADLINE_SECONDS)
    assert {line["event"] for line in lines} == {"changes_unseen"}
    await database.close()
