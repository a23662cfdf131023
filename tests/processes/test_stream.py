"""Streams of service processes that share a database."""

import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from conftest import sqlite_url
from listeners import Listener, listening, opened
from local_service import House
from local_stripe import LocalStripe, local_stripe, wait_for
from programs import Program, ended, service
from purses import Purse

CHARGES = "/api/iam/v1/usage/charges"
MEGABYTE = 1024**2
AT_ONCE = 50
MOST_TIMES = 5
"""The machine does other things too: what is told soonest, of so many times, is how soon it is."""


@pytest.fixture(scope="module")
def stripe_account() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture
def url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a SQLite database, for what no database makes a difference to."""
    return sqlite_url(Path(shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")))


@contextmanager
def served(
    stripe: LocalStripe, url: str, folder: Path, count: int
) -> Iterator[list[tuple[Program, Purse]]]:
    """So many processes, and an account with a thousand credits as each of them sees it."""
    programs = [service(stripe, url, folder).start() for _ in range(count)]
    with ended(programs), ExitStack() as stack:
        houses = [House(program.url, url, stripe) for program in programs]
        for house in houses:
            stack.callback(house.close)
        purses = [Purse(house, houses[0].admin(), "ada") for house in houses]
        purses[0].give(1_000)
        yield list(zip(programs, purses, strict=True))


def charge(purse: Purse) -> int:
    """The entry's number."""
    body = {"credits": 1, "key": uuid4().hex, "resource": "k1", "resource_type": "kernel"}
    told = purse.house.post(CHARGES, purse.token, body, 201)
    return int(told["entry"]["number"])


def slowest_of_many(purse: Purse, listener: Listener) -> float:
    """How many seconds after it was answered a charge is told elsewhere, of fifty the slowest."""
    answered = {charge(purse): time.monotonic() for _ in range(AT_ONCE)}
    wait_for(lambda: answered.keys() <= {*listener.numbers()})
    came = {one.document["number"]: one.at for one in listener.told if one.name == "entry"}
    return max(came[number] - at for number, at in answered.items())


def charge_much(purse: Purse, times: int) -> None:
    """Makes nearly a megabyte of entries each time."""
    body = {"credits": "0.000001", "resource": "k1", "description": "x" * 500}
    for _ in range(times):
        charges = [body | {"key": uuid4().hex} for _ in range(1_000)]
        purse.house.post(f"{CHARGES}/batch", purse.token, {"charges": charges})


def test_what_one_process_changes_the_other_tells_within_a_second(
    stripe_account: LocalStripe, database_url: str, tmp_path: Path
) -> None:
    """And whoever follows a process that is killed goes on at the other."""
    slowest = list[float]()
    with served(stripe_account, database_url, tmp_path, 2) as ((_, here), (other, there)):
        with listening(there.house.url, there.token) as before:
            while len(slowest) < MOST_TIMES and min(slowest, default=1) >= 1:
                slowest.append(slowest_of_many(here, before))
            spent = len(slowest) * AT_ONCE
            wait_for(lambda: before.balance == 1_000 - spent)
            assert other.process is not None
            other.process.kill()
            wait_for(lambda: before.ending)
        charge(here)
        with listening(here.house.url, here.token, before.told[-1].id) as after:
            wait_for(lambda: after.balance == 999 - spent)
    assert before.ending == "broken"
    assert before.numbers() + after.numbers() == [*range(2, spent + 3)]
    assert min(slowest) < 1


def test_a_stop_ends_all_streams_at_once(
    stripe_account: LocalStripe, url: str, tmp_path: Path
) -> None:
    with served(stripe_account, url, tmp_path, 1) as ((program, purse),), ExitStack() as stack:
        followed = [stack.enter_context(listening(program.url, purse.token)) for _ in range(19)]
        assert program.end() == 0
        wait_for(lambda: all(one.ending for one in followed))
    assert {one.ending for one in followed} == {"whole"}
    assert "Traceback" not in program.log.read_text()


def test_readers_that_do_not_read_fill_no_memory_and_hold_up_no_stop(
    stripe_account: LocalStripe, url: str, tmp_path: Path
) -> None:
    """Ten of them, to each of whom ten megabytes are told."""
    with served(stripe_account, url, tmp_path, 1) as ((program, purse),), ExitStack() as stack:
        assert program.process is not None
        process = psutil.Process(program.process.pid)
        charge_much(purse, 2)
        before = process.memory_info().rss
        for _ in range(10):
            stack.enter_context(opened(program.url, purse.token, narrow=True))
        charge_much(purse, 12)
        with listening(program.url, purse.token) as listener:
            assert process.memory_info().rss - before < 40 * MEGABYTE
            number = charge(purse)
            wait_for(lambda: listener.numbers() == [number])
        assert program.end() == 0
