"""Patience: how often a call is tried, how long it waits in between, and when it gives up."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_proxy import LocalProxy
from prepaid_client import Client, Conflict, Retries, Unavailable, calls
from prepaid_client.answers import Answer, Silence
from prepaid_client.asking import Asker, run
from prepaid_client.errors import LedgerBusy, Unreadable
from purses import Purse
from step_world import World, refused

AWAY = Silence(OSError("away"))
GOOD = Answer(200, {}, b'{"reservations": []}', 0.0)
CALL = calls.reservations(None)


def ask(world: World, retries: Retries, chance: float = 0.0) -> list[object]:
    return [*run(world.asker(retries, chance).persistently(CALL), world.do)]


def test_waits_double_up_to_the_longest() -> None:
    world = World([AWAY] * 6 + [GOOD])
    ask(world, Retries(8, 100, 1, 10))
    assert world.waits == [1, 2, 4, 8, 10, 10]


def test_chance_shortens_a_wait_by_up_to_half() -> None:
    world = World([AWAY, AWAY, GOOD])
    ask(world, Retries(8, 100, 1, 10), chance=1.0)
    assert world.waits == [0.5, 1.0]


def test_the_service_is_left_alone_as_long_as_it_asks() -> None:
    world = World([refused(503, Retry_After="7"), refused(429, Retry_After="0"), GOOD])
    ask(world, Retries(8, 100, 1, 10))
    assert world.waits == [7, 2]


def test_a_call_is_tried_only_so_often() -> None:
    world = World([AWAY])
    with pytest.raises(Unavailable, match="away"):
        ask(world, Retries(4, 100, 1, 1))
    assert len(world.sent) == 4


def test_nobody_waits_for_what_comes_too_late() -> None:
    world = World([refused(503, Retry_After="60")])
    with pytest.raises(LedgerBusy):
        ask(world, Retries(8, 20, 1, 1))
    assert world.waits == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again(status: int) -> None:
    world = World([refused(status), GOOD])
    assert ask(world, Retries()) == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(500, "internal_error"), Unavailable),
        (refused(409, "conflict"), Conflict),
        (Answer(200, {}, b"<html>", 0.0), Unreadable),
        (Answer(200, {}, b"{}", 0.0), Unreadable),
    ],
)
def test_what_does_not_pass_is_raised_at_once(answer: Answer, kind: type[Exception]) -> None:
    world = World([answer])
    with pytest.raises(kind):
        ask(world, Retries())
    assert len(world.sent) == 1


@given(
    st.integers(1, 12),
    st.floats(0.5, 60),
    st.floats(0.001, 5),
    st.floats(0.001, 20),
    st.floats(0, 1),
    st.floats(0, 30),
)
def test_no_call_outlasts_its_bounds(  # noqa: PLR0913, PLR0917 - each of its bounds
    attempts: int, total: float, first: float, longest: float, chance: float, slow: float
) -> None:
    world = World([AWAY], request_seconds=slow)
    with pytest.raises(Unavailable):
        ask(world, Retries(attempts, total, first, longest), chance)
    assert 1 <= len(world.sent) <= attempts
    assert world.now <= total + 0.2
    assert all(one.within_seconds <= 10 for one in world.sent)


def test_waiting_for_ever_overflows_nothing() -> None:
    assert Retries(longest_seconds=5).wait(10**9, Unavailable(""), random.random()) <= 5  # noqa: S311


def test_the_real_client_comes_back_after_a_wish_to_be_left_alone(
    client: Client, purse: Purse, proxy: LocalProxy
) -> None:
    proxy.refuse(503, "Retry-After: 0\r\n", count=2)
    proxy.refuse(502, body="<html>")
    proxy.refuse(429)
    assert client.charge(1, account_uid=purse.uid).entry.balance == 99
    assert proxy.count("/charges") == 5


def test_time_passes_also_while_the_machine_sleeps() -> None:
    """By a clock that never stands still, where there is one: on Linux."""
    asker = Asker()
    never_still = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before, now = asker.clock(), time.clock_gettime(never_still)
    assert before <= now <= asker.clock()
