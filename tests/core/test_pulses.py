"""One process sweeps at a time, and our own outage is no holder's silence."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prepaid.core.pulses import AWAY, FAR, Pulse, next_pulse
from samples import AT

MINE, OTHER = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)
LAST = Pulse(AT, MINE, renewed_at=AT - timedelta(hours=1))

instants = st.integers(-200_000_000, 200_000_000).map(lambda n: AT + timedelta(microseconds=n))


def test_the_process_that_sweeps_goes_on() -> None:
    assert next_pulse(LAST, MINE, AT + SECOND) == Pulse(AT + SECOND, MINE, LAST.renewed_at)


def test_another_one_waits_for_its_silence() -> None:
    assert next_pulse(LAST, OTHER, AT + SECOND) is None
    assert next_pulse(LAST, OTHER, AT + AWAY) is None
    after = AT + AWAY + timedelta(microseconds=1)
    assert next_pulse(LAST, OTHER, after) == Pulse(after, OTHER, renewed_at=after)


def test_all_graces_begin_anew_when_it_was_silent_itself() -> None:
    after = AT + timedelta(minutes=10)
    assert next_pulse(LAST, MINE, after) == Pulse(after, MINE, renewed_at=after)


@pytest.mark.parametrize("who", [MINE, OTHER])
def test_a_sign_of_life_from_a_clock_that_was_wrong_is_not_waited_for(who: UUID) -> None:
    before = AT - FAR - timedelta(microseconds=1)
    assert next_pulse(LAST, who, before) == Pulse(before, who, renewed_at=before)


def test_a_clock_that_is_a_little_behind_writes_nothing_earlier() -> None:
    assert next_pulse(LAST, MINE, AT - FAR) == LAST
    assert next_pulse(LAST, OTHER, AT - FAR) is None


@given(instants)
def test_of_two_processes_one_sweeps(at: datetime) -> None:
    """Unless it has been silent: then whoever comes first."""
    mine, others = next_pulse(LAST, MINE, at), next_pulse(LAST, OTHER, at)
    assert mine is not None
    assert mine.at >= LAST.at or mine.renewed_at == at
    if others is not None:
        assert mine.renewed_at == others.renewed_at == at
        assert next_pulse(others, MINE, at) is None
