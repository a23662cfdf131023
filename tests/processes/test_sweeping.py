"""Of two service processes one sweeps; when it is killed the other one does."""

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.pulses import Pulse
from programs import Program, ended, service
from wallets import RESERVATIONS, Wallet, decimal, instant, now, pulse, wallet

SECOND = 1_000_000
TAKEN_OVER = 5 * SECOND
"""Three seconds of silence, a sweep, and some patience with a busy machine."""

NOBODY = UUID(int=0)


@pytest.fixture
def programs(
    database_url: str, quiet_stripe: LocalStripe, tmp_path: Path
) -> Iterator[list[Program]]:
    """Two, the first of which was there first, and sweeps."""
    first, second = (service(quiet_stripe, database_url, tmp_path) for _ in range(2))
    with ended([first, second]):
        first.start()
        wait_for(lambda: pulse(database_url).holder != NOBODY)
        second.start()
        yield [first, second]


@pytest.mark.parametrize(
    "database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)], indirect=True
)
def test_one_process_sweeps_until_it_is_killed_and_then_the_other_one(
    programs: list[Program], database_url: str
) -> None:
    first, second = programs
    purse = wallet(database_url)
    purse.give(first.url, 100 * SECOND)
    alone = pulse(database_url)
    check_depleted(purse, second.url, running_out(purse, second.url, SECOND // 2), 2 * SECOND)
    beats = [beat for _ in range(3) for beat in [next_beat(database_url)]]
    assert {beat.holder for beat in beats} == {alone.holder}
    assert {beat.renewed_at for beat in beats} == {alone.renewed_at}

    dying = running_out(purse, second.url, SECOND)
    first.end(signal.SIGKILL)
    killed = now()
    wait_for(lambda: pulse(database_url).holder != alone.holder)
    assert now() - killed < TAKEN_OVER
    heir = pulse(database_url)
    assert heir.renewed_at > alone.renewed_at
    check_depleted(purse, second.url, dying, TAKEN_OVER)

    first.start()
    check_depleted(purse, first.url, running_out(purse, first.url, SECOND // 2), 2 * SECOND)
    assert pulse(database_url).holder == heir.holder
    assert pulse(database_url).renewed_at == heir.renewed_at
    assert len(purse.check_books(first.url)) == 4


def next_beat(database_url: str) -> Pulse:
    """The service's next sign of life."""
    last = pulse(database_url)
    wait_for(lambda: pulse(database_url).at > last.at)
    return pulse(database_url)


def running_out(purse: Wallet, url: str, after: int) -> Json:
    """A reservation that runs out so many microseconds after it was hurried: on a busy machine it
    may take longer than that to open one."""
    body = purse.opening(f"{now()}", 1, SECOND)
    id_ = purse.does(url, "POST", RESERVATIONS, body)["reservation"]["id"]
    purse.does(url, "POST", f"{RESERVATIONS}/{id_}/heartbeat")
    faster = {"burning_rate": decimal(SECOND * SECOND // after)}
    told = purse.does(url, "PUT", f"{RESERVATIONS}/{id_}/burning-rate", faster)
    one: Json = told["reservation"]
    return one


def check_depleted(purse: Wallet, url: str, one: Json, at_most: int) -> None:
    """It is told to have run out, at most so many microseconds after it did."""
    wait_for(lambda: purse.reservation(url, one["id"])["state"] == "depleted")
    assert now() - instant(one["depletes_at"]) < at_most
    assert purse.reservation(url, one["id"])["end_date"] == one["depletes_at"]
