"""The reader on real databases: exact at its instant, in crowds, and after an outage."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from local_postgres import LocalPostgres, RunningPostgres
from prepaid.core.amounts import Credits
from prepaid.core.balances import Balance
from prepaid.core.commands import Beat, ChangeRate, Charge, Give, Holding, Open, Release, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import LedgerBusy, LedgerUnavailable, ReservationClosed, UnknownAccount
from prepaid.flows import balances
from prepaid.ids import new_id
from prepaid.storage import accounts, gathering, reader, schema
from prepaid.storage.balances import ON_POSTGRESQL, ON_SQLITE
from prepaid.storage.database import Database
from prepaid.storage.reader import Reader
from prepaid.storage.writer import Ledger
from samples import KERNEL

AT = datetime(2026, 11, 23, tzinfo=UTC)
UIDS = [f"user-{number}" for number in range(12)]


@dataclass
class Ticks:
    """A clock whose every reading is another instant: a group has one, so they count questions."""

    read: int = 0

    def __call__(self) -> datetime:
        self.read += 1
        return AT + timedelta(microseconds=self.read)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
async def open_reader(database: Database, ticks: Ticks) -> AsyncIterator[Reader]:
    async with Reader(database, ticks).open() as opened:
        yield opened


@pytest.fixture
def server(postgres: RunningPostgres) -> Iterator[LocalPostgres]:
    """A PostgreSQL of the test's own; none where there is none for others."""
    del postgres
    with LocalPostgres() as own:
        yield own


@asynccontextmanager
async def another_process(database: Database) -> AsyncIterator[Ledger]:
    """A ledger that shares nothing with the reader but the database."""
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with Ledger(other, lambda: AT).open() as ledger:
        yield ledger
    await other.close()


def give(uid: str, whole: int = 5) -> Give:
    key = str(new_id())
    return Give(new_id(), uid, key, Credits.of(whole), Kind.PROMOTION, "", "grace")


def charge(uid: str, key: str) -> Charge:
    return Charge(new_id(), uid, key, Credits(1), "kernel", "", "runner")


def opening(uid: str, rate: int = 1, limit: Credits | None = None) -> Open:
    id_, given_name = new_id(), 'a "note"\\book\n\u2028 \N{SNOWMAN}'
    asked = replace(KERNEL, id=id_, account_uid=uid, key=str(id_), given_name=given_name)
    return replace(asked, burning_rate=Credits(rate), limit=limit)


async def make_accounts(database: Database, uids: Sequence[str], whole: int = 5) -> None:
    async with database.writing() as connection:
        for uid in uids:
            await accounts.add(connection, uid, AT)
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.post_all([give(uid, whole) for uid in uids])


async def ask(reader: Reader, uids: Sequence[str]) -> list[Balance | BaseException]:
    """What each is told who asks at the same moment."""
    return await asyncio.gather(*map(reader.balance, uids), return_exceptions=True)


def credits_of(told: Sequence[Balance | BaseException]) -> list[Credits]:
    assert all(isinstance(one, Balance) for one in told), told
    return [one.balance for one in told if isinstance(one, Balance)]


@pytest.mark.parametrize("seed", range(3))
async def test_everybody_is_told_what_the_books_say(database: Database, seed: int) -> None:
    """Also where nothing runs, where much does, and where there is no account."""
    some, clock = Random(seed), Clock()  # noqa: S311 - the same each time
    await make_accounts(database, UIDS, 10_000)
    async with Ledger(database, clock).open() as ledger:
        for uid in UIDS[2:]:
            clock.now += timedelta(microseconds=some.randrange(10**6))
            running = range(some.choice([1, 3, reader.FEW, reader.FEW + 1]))
            await asyncio.gather(*(run(ledger, some, uid) for _ in running))
        await ledger.post_all([charge(uid, "k") for uid in UIDS[1:6]])
    clock.now += timedelta(microseconds=some.randrange(10**7))
    expected = {uid: await balances.balance(database, uid, clock.now) for uid in UIDS}
    async with Reader(database, clock).open() as opened:
        told = await asyncio.gather(*(balances.current(opened, uid) for uid in UIDS))
        with pytest.raises(UnknownAccount, match="no account 'nobody'"):
            await balances.current(opened, "nobody")
    with pytest.raises(UnknownAccount, match="no account 'nobody'"):
        await balances.balance(database, "nobody", clock.now)
    assert dict(zip(UIDS, told, strict=True)) == expected
    assert {type(one.by_platform) for found in told for one in found.reservations} == {bool}


async def run(ledger: Ledger, some: Random, uid: str) -> None:
    """Something is reserved, and this and that may become of it."""
    limit = some.choice([None, None, Credits(some.randrange(1, 10**9))])
    held = await ledger.hold(opening(uid, some.choice([1, 999_983]), limit))
    id_ = held.reservation.id
    end: list[Holding] = [Settle(id_, None), Release(id_, None), Beat(id_, None)]
    next_: list[Holding] = [Beat(id_, None), ChangeRate(id_, None, Credits(139)), some.choice(end)]
    for command in some.sample(next_, some.randrange(4)):
        with suppress(ReservationClosed):
            await ledger.hold(command)


async def test_who_asks_after_another_process_charged_sees_the_charge(
    database: Database, open_reader: Reader
) -> None:
    """While others ask all the time, so that there is always a question under way."""
    await make_accounts(database, UIDS)
    is_over = asyncio.Event()

    async def ask_on() -> None:
        while not is_over.is_set():
            await ask(open_reader, UIDS)

    async def spend(ledger: Ledger, uid: str) -> None:
        for number in range(20):
            posted = await ledger.post(charge(uid, str(number)))
            found = await open_reader.balance(uid)
            assert found.balance == posted.entry.balance

    async with another_process(database) as ledger:
        asking = [asyncio.create_task(ask_on()) for _ in range(3)]
        await asyncio.gather(*(spend(ledger, uid) for uid in UIDS))
        is_over.set()
        await asyncio.gather(*asking)


async def test_those_who_ask_at_once_share_one_question(
    database: Database, open_reader: Reader, ticks: Ticks
) -> None:
    await make_accounts(database, UIDS)
    told = await ask(open_reader, UIDS * 40)
    assert credits_of(told) == [Credits.of(5)] * 480
    assert ticks.read == 1
    assert len({id(one) for one in told}) == len(UIDS), "each account is reckoned once"


async def test_who_asks_while_a_question_is_under_way_waits_for_the_next(
    database: Database, open_reader: Reader, ticks: Ticks
) -> None:
    await make_accounts(database, UIDS)
    early = asyncio.create_task(ask(open_reader, UIDS))
    for _ in range(3):  # the reader is woken, takes them, and asks
        await asyncio.sleep(0)
    late = await ask(open_reader, UIDS * 2)
    assert {one.at for one in await early if isinstance(one, Balance)} == {AT + ticks_of(1)}
    assert {one.at for one in late if isinstance(one, Balance)} == {AT + ticks_of(2)}
    assert ticks.read == 2


async def test_one_account_with_much_in_it_is_asked_for_alone(
    database: Database, open_reader: Reader, ticks: Ticks
) -> None:
    await make_accounts(database, UIDS)
    async with Ledger(database, lambda: AT).open() as ledger:
        for _ in range(reader.FEW + 1):
            await ledger.hold(opening("user-3"))
    told = await ask(open_reader, UIDS)
    assert credits_of(told) == [Credits.of(5)] * len(UIDS)
    running = [len(one.reservations) for one in told if isinstance(one, Balance)]
    assert sorted(running) == [0] * 11 + [reader.FEW + 1]
    assert ticks.read == 2


async def test_more_than_fit_into_one_question_are_answered_by_several(
    open_reader: Reader, ticks: Ticks
) -> None:
    strangers = [f"nobody-{number}" for number in range(2 * reader.AT_ONCE + 1)]
    told = await ask(open_reader, strangers)
    assert [str(one) for one in told] == [f"There is no account {uid!r}." for uid in strangers]
    assert ticks.read == 3


async def test_a_caller_that_goes_away_disturbs_nobody(
    database: Database, open_reader: Reader
) -> None:
    await make_accounts(database, UIDS)
    asking = [asyncio.create_task(open_reader.balance(uid)) for uid in UIDS * 2]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[5].cancel()
    told = await asyncio.gather(*asking, return_exceptions=True)
    gone = [at for at, one in enumerate(told) if isinstance(one, asyncio.CancelledError)]
    assert gone == [0, 5]
    assert sum(isinstance(one, Balance) for one in told) == len(told) - 2


async def test_a_full_queue_refuses_at_once(database: Database, open_reader: Reader) -> None:
    await make_accounts(database, UIDS)
    told = await ask(open_reader, ["user-1"] * (gathering.QUEUE + 5))
    assert sum(isinstance(one, LedgerBusy) for one in told) == 5
    assert sum(isinstance(one, Balance) for one in told) == gathering.QUEUE
    assert isinstance(await open_reader.balance("user-1"), Balance)


async def test_books_that_are_damaged_hurt_only_who_asks_for_them(
    database: Database, open_reader: Reader
) -> None:
    """Nothing burns, say the books of an account with a kernel that does: there is no such time."""
    await make_accounts(database, UIDS)
    async with Ledger(database, lambda: AT).open() as ledger:
        await ledger.hold(opening("user-7"))
    async with database.writing() as connection:
        await connection.execute(text("UPDATE accounts SET shared_rate = 0"))
    told = await ask(open_reader, UIDS)
    assert isinstance(told.pop(7), ZeroDivisionError)
    credits_of(told)


async def test_what_can_not_be_asked_for_hurts_only_who_asks_for_it(
    database: Database, open_reader: Reader
) -> None:
    """Half a character: no database takes it, and none has an account of that name."""
    await make_accounts(database, UIDS)
    told = await ask(open_reader, [*UIDS, "\ud800"])
    assert isinstance(told.pop(), Exception)
    credits_of(told)


async def test_a_fault_of_ours_is_told_and_the_reader_goes_on(database: Database) -> None:
    await make_accounts(database, UIDS)
    times = iter([AT])

    def clock() -> datetime:
        return next(times)

    async with Reader(database, clock).open() as opened:
        assert isinstance(await opened.balance("user-1"), Balance)
        told = await ask(opened, UIDS)
        assert {type(one) for one in told} == {RuntimeError}


@pytest.mark.parametrize("place", ["/nowhere/at/all.db", "not-a-database", "gone.sqlite"])
async def test_a_database_that_is_away_refuses_everybody(place: str, tmp_path: Path) -> None:
    (tmp_path / "not-a-database").write_bytes(b"a letter to grandmother" * 100)
    nowhere = Database(f"sqlite+aiosqlite:///{tmp_path / place}")
    async with Reader(nowhere, lambda: AT).open() as opened:
        told = await ask(opened, UIDS)
    await nowhere.close()
    assert {type(one) for one in told} == {LedgerUnavailable}
    assert not (tmp_path / "gone.sqlite").exists()


async def test_who_asks_while_postgresql_is_away_is_told_so_until_it_is_back(
    server: LocalPostgres,
) -> None:
    """Its restart while nobody asks anything is not noticed."""
    url = server.create_database()
    await asyncio.to_thread(schema.migrate, url)
    database = Database(url)
    await make_accounts(database, UIDS)
    async with Reader(database, lambda: AT).open() as opened:
        assert len(credits_of(await ask(opened, UIDS))) == len(UIDS)
        await asyncio.to_thread(server.stop, "immediate")
        assert {type(one) for one in await ask(opened, UIDS)} == {LedgerUnavailable}
        assert {type(one) for one in await ask(opened, UIDS)} == {LedgerUnavailable}
        await asyncio.to_thread(server.start)
        assert len(credits_of(await ask(opened, UIDS))) == len(UIDS)
        await asyncio.to_thread(server.restart)
        assert len(credits_of(await ask(opened, UIDS))) == len(UIDS)
    await database.close()


async def test_a_reader_that_closes_answers_who_has_asked_and_nobody_else(
    database: Database,
) -> None:
    await make_accounts(database, UIDS)
    closing = Reader(database, lambda: AT)
    closing._gathering._patience = 60
    async with closing.open() as opened:
        await opened.balance(UIDS[0])  # so that it has connected
        asking = [asyncio.create_task(opened.balance(uid)) for uid in UIDS]
        await asyncio.sleep(0)
    assert credits_of(await asyncio.gather(*asking)) == [Credits.of(5)] * len(UIDS)
    with pytest.raises(LedgerUnavailable, match="stopping"):
        await opened.balance("user-1")


async def test_a_database_that_hangs_does_not_keep_the_reader_from_closing(
    on_postgresql: str,
) -> None:
    """Who waits is refused, also they who had come too late for the question under way."""
    database, other = Database(on_postgresql), Database(on_postgresql)
    async with other.writing() as connection:
        await connection.execute(text("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"))
        async with Reader(database, lambda: AT).open() as opened:
            early = [opened.asking(uid) for uid in UIDS]
            while opened._gathering._asking:  # noqa: ASYNC110 - who is asked about tells nobody
                await asyncio.sleep(0)
            late = [opened.asking(uid) for uid in UIDS]
        told = await asyncio.gather(*early, *late, return_exceptions=True)
    await other.close()
    await database.close()
    assert {type(one) for one in told} == {LedgerUnavailable}


async def test_accounts_are_looked_up_by_their_keys_also_where_there_are_few(
    database: Database,
) -> None:
    """PostgreSQL keeps a plan that it has made for a small table when the table is large."""
    async with database.reading() as connection:
        if database.sqlite:
            explained = await connection.exec_driver_sql(
                f"EXPLAIN QUERY PLAN {ON_SQLITE}", (9, "[]")
            )
            steps = [row.detail for row in explained]
        else:
            await connection.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.exec_driver_sql(f"PREPARE it AS {ON_POSTGRESQL}")
            explained = await connection.exec_driver_sql("EXPLAIN EXECUTE it(9, '{}')")
            steps = [row[0] for row in explained]
    tables = [step for step in steps if re.search(r"\b(accounts|reservations)\b", step)]
    looks = [step for step in tables if re.search(r"\b(SCAN|SEARCH|Scan)\b", step)]
    assert len(looks) == 2, steps
    assert all(re.search(r"(?i)\bindex\b", look) for look in looks), steps
    assert any("ix_reservations_open" in look for look in looks), steps


def ticks_of(count: int) -> timedelta:
    return timedelta(microseconds=count)
