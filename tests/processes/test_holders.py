"""Holders are processes of their own: the service is killed or stopped, or one of them is."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest

import holder
from holder import Orders
from local_service import bearer
from local_stripe import Json, LocalStripe, wait_for
from programs import Program, ended, service
from wallets import RESERVATIONS, Wallet, instant, micro, now, told_cost, wallet

SECOND = 1_000_000
HEARTBEAT = 1 * SECOND
GRACE = 3 * HEARTBEAT
SOON = 2 * SECOND
MOST_KILLS = 2
GIVEN = 100_000 * SECOND

FORMS = [(333_333, 900_000_000), (7_777, None), (1, 5_000), (1_000_001, None)]
"""Rates and limits, in microcredits."""


@pytest.fixture
def program(database_url: str, quiet_stripe: LocalStripe, tmp_path: Path) -> Iterator[Program]:
    one = service(quiet_stripe, database_url, tmp_path).start()
    with ended([one]):
        yield one


@pytest.fixture
def purse(program: Program, database_url: str) -> Wallet:
    made = wallet(database_url)
    made.give(program.url, GIVEN)
    return made


@dataclass
class Kernel:
    """A process that holds a reservation, and what it was told."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def told(self) -> Json:
        """The reservation, as the holder last heard of it."""
        lines = self.log.read_text().split("\n")[:-1]  # the last one may be half written
        heard = [line for line in lines if line.startswith("{")]
        told: Json = json.loads(heard[-1], parse_float=str) if heard else {}
        found: Json = told.get("reservation", {})
        return found

    def beat_after(self, at: int) -> bool:
        """Whether it was heard of after an instant; it is a fault if it has ended."""
        assert self.process.poll() is None, self.log.read_text()
        return self.told.get("state") == "running" and instant(self.told["last_update"]) > at

    def settle(self) -> Json:
        """Tells it to stop; the reservation as it was settled."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text()
        assert self.told["state"] == "settled"
        return self.told


@contextmanager
def kernels(purse: Wallet, url: str, folder: Path, number: int = 4) -> Iterator[list[Kernel]]:
    """Holders of their own reservations, with and without a limit, all of which are running."""
    started = [
        kernel(url, bearer(purse.service), purse.opening(f"kernel-{n}", rate, limit, 1), folder)
        for n, (rate, limit) in enumerate(islice(cycle(FORMS), number))
    ]
    try:
        wait_for(lambda: all(one.beat_after(0) for one in started))
        yield [*started]
    finally:
        for one in started:
            one.process.kill()
            one.process.wait()


def kernel(url: str, headers: dict[str, str], opening: Json, folder: Path) -> Kernel:
    log = folder / f"{opening['key']}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, holder.__file__], stdin=subprocess.PIPE, stdout=out, stderr=out
        )
    assert process.stdin is not None
    process.stdin.write(Orders(url, RESERVATIONS, headers, opening).written())
    process.stdin.close()
    return Kernel(process, log)


def check_settled(purse: Wallet, url: str, settled: Sequence[Json]) -> None:
    """Each was opened once and cost its time to the microcredit; the account has what is left."""
    assert {one["epoch"] for one in settled} == {1}
    assert [micro(one["used"]) for one in settled] == [told_cost(one) for one in settled]
    balance = purse.balance(url)
    assert micro(balance["available"]) == GIVEN - sum(micro(one["used"]) for one in settled)
    assert micro(balance["reserved"]) == 0
    assert len(purse.check_books(url)) == 1 + len(settled)


def wait_until(at: int) -> None:
    wait_for(lambda: now() > at)


def wait_for_all(running: Sequence[Kernel]) -> None:
    """Returns when each has been heard of once more."""
    at = now()
    wait_for(lambda: all(one.beat_after(at) for one in running))


LONG = pytest.mark.long


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=LONG)], indirect=True
)
def test_holders_outlive_a_kill_of_the_service_and_its_absence(
    program: Program, purse: Wallet, tmp_path: Path
) -> None:
    with kernels(purse, program.url, tmp_path) as running:
        program.end(signal.SIGKILL)
        wait_until(now() + GRACE + HEARTBEAT)
        program.start()
        wait_for_all(running)
        check_settled(purse, program.url, [one.settle() for one in running])


@pytest.mark.long
@pytest.mark.timeout(300)
def test_holders_outlive_ten_kills_of_the_service(
    program: Program, purse: Wallet, tmp_path: Path
) -> None:
    rng = random.Random(3)  # noqa: S311 - the moments are to be repeatable
    with kernels(purse, program.url, tmp_path) as running:
        for _ in range(10):
            wait_until(now() + rng.randrange(2 * SECOND))
            program.end(signal.SIGKILL)
            program.start()
            wait_for_all(running)
        check_settled(purse, program.url, [one.settle() for one in running])


@pytest.mark.parametrize(
    "database_url", ["postgresql", pytest.param("sqlite", marks=LONG)], indirect=True
)
def test_nobody_is_lost_while_the_service_is_stopped(
    program: Program, purse: Wallet, tmp_path: Path
) -> None:
    with kernels(purse, program.url, tmp_path) as running:
        assert program.process is not None
        program.process.send_signal(signal.SIGSTOP)
        wait_until(now() + GRACE + HEARTBEAT)
        program.process.send_signal(signal.SIGCONT)
        wait_for_all(running)
        check_settled(purse, program.url, [one.settle() for one in running])


@pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=LONG)], indirect=True
)
def test_a_holder_that_is_killed_pays_for_one_interval_more(
    program: Program, purse: Wallet, tmp_path: Path
) -> None:
    """It is lost soon after its grace. The machine does other things too: what is seen soonest, of
    so many kills, is how soon."""
    lost, late = list[Json](), list[int]()
    with kernels(purse, program.url, tmp_path, 6) as running:
        while len(late) < MOST_KILLS and min(late, default=SOON) >= SOON:
            killed = [running.pop(), running.pop()]
            for one in killed:
                one.process.kill()
            found = [found_lost(purse, program.url, one.told["id"]) for one in killed]
            lost += [one for one, _ in found]
            late.append(max(after for _, after in found))
        check_settled(purse, program.url, lost + [one.settle() for one in running])
    assert min(late) < SOON, late


def found_lost(purse: Wallet, url: str, id_: str) -> tuple[Json, int]:
    """The reservation, once it is lost, and how long after its grace that was seen."""
    wait_for(lambda: purse.reservation(url, id_)["state"] == "lost")
    seen, one = now(), purse.reservation(url, id_)
    heard = instant(one["last_update"])
    assert instant(one["end_date"]) - heard == HEARTBEAT
    return one, seen - heard - GRACE
