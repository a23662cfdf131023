"""The service is killed, and started again, under programs that spend."""

import asyncio
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from local_service import House
from local_stripe import LocalStripe, wait_for
from prepaid.core.identity import Scope
from prepaid_client import AsyncClient, Client
from programs import Program, ended, service
from purses import Purse


@pytest.fixture
def program(migrated_sqlite: Path, client_stripe: LocalStripe, tmp_path: Path) -> Iterator[Program]:
    """A service in a process of its own."""
    file = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    one = service(client_stripe, f"sqlite:///{file}", tmp_path)
    with ended([one]):
        yield one.start()


@pytest.fixture
def mortal(program: Program, client_stripe: LocalStripe, tmp_path: Path) -> Iterator[House]:
    """The hands of those who use it."""
    house = House(program.url, f"sqlite+aiosqlite:///{tmp_path / 'prepaid.db'}", client_stripe)
    yield house
    house.close()


@pytest.fixture
def saver(mortal: House) -> Purse:
    return Purse(mortal, mortal.admin(), f"user-{uuid4().hex}").give(100)


def test_a_reservation_and_a_charge_survive_a_killed_service(
    program: Program, mortal: House, saver: Purse
) -> None:
    with (
        Client(program.url, mortal.key(Scope.SERVICE).secret) as client,
        ThreadPoolExecutor(1) as pool,
        client.reservation("r", "0.5", 50, account_uid=saver.uid, heartbeat_seconds=1) as running,
    ):
        wait_for(lambda: running.state == "running")
        program.end(signal.SIGKILL)
        charge = pool.submit(client.charge, 3, account_uid=saver.uid)
        program.start()
        assert charge.result(20).entry.credits == -3
        beat_at = running.reservation.last_update
        wait_for(lambda: running.reservation.last_update > beat_at)
        running.check()
    ended = running.reservation
    assert ended.state == "settled"
    assert ended.epoch == 1
    assert saver.credits == 97 - ended.used


async def test_an_asynchronous_one_does_too(program: Program, saver: Purse) -> None:
    async with (
        AsyncClient(program.url, saver.token) as client,
        client.reservation("r", "0.5", 50, heartbeat_seconds=1) as running,
    ):
        program.end(signal.SIGKILL)
        await asyncio.to_thread(program.start)
        assert (await client.charge(3)).entry.credits == -3
        running.check()
    assert running.reservation.state == "settled"
    assert saver.credits == 97 - running.reservation.used
