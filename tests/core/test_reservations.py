"""What time costs, exactly: on one reservation, without a ledger."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prepaid.core import reservations
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.reservations import (
    CENTURY,
    GRACE_HEARTBEATS,
    LONGEST_HEARTBEAT,
    MOST_RATE,
    PICO,
    SLICE_HEARTBEATS,
    Reservation,
    State,
    burnt,
    has_run_out,
    runs_out_at,
    used,
)
from samples import AT, RUNNING

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
DAY = 86_400_000_000

rates = st.one_of(
    st.integers(0, MOST_RATE.micro),
    st.integers(0, 50).map(lambda whole: whole * 1_000_000),  # whole credits: nothing is rounded
    st.integers(0, 1000),
).map(Credits)
burning_rates = st.one_of(
    st.integers(10_000, MOST_RATE.micro), st.integers(1, 50).map(lambda whole: whole * 1_000_000)
).map(Credits)
"""At these rates no amount here lasts a century."""
waits = st.integers(0, DAY).map(lambda count: timedelta(microseconds=count))
amounts = st.integers(0, 10**13).map(Credits)


@st.composite
def running(draw: st.DrawFn, rate: st.SearchStrategy[Credits] = rates) -> Reservation:
    """One that has burnt something already, and was heard of after its rate last changed."""
    rated_at = AT + draw(waits)
    return replace(
        RUNNING,
        burning_rate=draw(rate),
        limit=draw(st.none() | st.just(Credits.of(10**9))),
        heartbeat_seconds=draw(st.integers(1, LONGEST_HEARTBEAT)),
        rated_at=rated_at,
        beat_at=rated_at + draw(waits),
        burnt=draw(amounts),
        burnt_rest=draw(st.integers(0, PICO - 1)),
        reserved=draw(amounts),
    )


def exact(rate: Credits, passed: timedelta) -> Fraction:
    """Credits times seconds, in microcredits."""
    return rate.micro * Fraction(passed // MICROSECOND, 1_000_000)


# What time costs.


@given(rates, st.lists(waits, max_size=8))
def test_time_costs_the_same_however_it_is_split(rate: Credits, parts: Sequence[timedelta]) -> None:
    whole = replace(RUNNING, burning_rate=rate)
    split, at = whole, AT
    for part in parts:
        at += part
        split = reservations.rated(split, rate, at)
    assert burnt(split, at) == burnt(whole, at)
    assert used(replace(split, reserved=Credits.of(10**9)), at) == used(
        replace(whole, reserved=Credits.of(10**9)), at
    )


@given(st.lists(st.tuples(rates, waits), max_size=8))
def test_each_rate_costs_its_own_time(parts: Sequence[tuple[Credits, timedelta]]) -> None:
    one, at, total = RUNNING, AT, Fraction(0)
    for rate, wait in parts:
        one = reservations.rated(one, rate, at)
        at += wait
        total += exact(rate, wait)
    assert Fraction(burnt(one, at), PICO) == total
    paid = used(replace(one, reserved=Credits.of(10**12)), at)
    assert 0 <= paid.micro - total < 1


@given(running(), waits)
def test_the_cost_is_rounded_up_once_and_never_more_than_is_reserved(
    one: Reservation, wait: timedelta
) -> None:
    at = one.beat_at + wait
    before = one.burnt.micro + Fraction(one.burnt_rest, PICO)
    total = before + exact(one.burning_rate, at - one.rated_at)
    assert used(one, at) <= one.reserved
    if total <= one.reserved.micro:
        assert 0 <= used(one, at).micro - total < 1
    else:
        assert used(one, at) == one.reserved


@given(running(), waits, waits)
def test_what_is_used_never_gets_less(one: Reservation, wait: timedelta, more: timedelta) -> None:
    at = one.rated_at + wait
    assert used(one, at) <= used(one, at + more)


@given(running(), waits)
def test_a_clock_that_went_back_adds_nothing_and_takes_nothing_back(
    one: Reservation, back: timedelta
) -> None:
    assert burnt(one, one.beat_at - back) == burnt(one, one.beat_at)
    rated = reservations.rated(one, Credits.of(3), one.beat_at - back)
    assert burnt(rated, one.beat_at) == burnt(one, one.beat_at)
    assert reservations.alive(one, one.beat_at - back) == one


def test_half_a_credit_a_second_costs_five_in_ten_seconds() -> None:
    assert used(RUNNING, AT + 10 * SECOND) == Credits.of(5)


def test_a_tenth_of_a_microcredit_costs_a_whole_one() -> None:
    slow = replace(RUNNING, burning_rate=Credits(1))
    assert used(slow, AT) == NOTHING
    assert used(slow, AT + MICROSECOND) == Credits(1)
    assert used(slow, AT + SECOND) == Credits(1)
    assert used(slow, AT + SECOND + MICROSECOND) == Credits(2)


def test_parts_at_different_rates_are_rounded_together() -> None:
    """1.5 microcredits and 1.5 more: 3 of them, not 2 and 2."""
    first = replace(RUNNING, burning_rate=Credits(1))
    second = reservations.rated(first, Credits(3), AT + timedelta(seconds=1.5))
    assert (second.burnt, second.burnt_rest) == (Credits(1), 500_000)
    assert used(second, AT + 2 * SECOND) == Credits(3)


def test_what_has_ended_cost_what_was_posted() -> None:
    over = reservations.ended(RUNNING, State.SETTLED, AT + 4 * SECOND, "done")
    assert used(over, AT + 40 * SECOND) == Credits.of(2) == over.spent


# When it runs out.


@given(running(burning_rates))
def test_it_runs_out_at_the_first_microsecond_at_which_it_has_run_out(one: Reservation) -> None:
    one = replace(one, beat_at=one.rated_at)
    at = runs_out_at(one)
    assert at is not None
    assert has_run_out(one, at)
    assert at == one.rated_at or not has_run_out(one, at - MICROSECOND)


@given(running(burning_rates), waits)
def test_what_is_left_is_rounded_down(one: Reservation, wait: timedelta) -> None:
    at = one.beat_at + wait
    left = reservations.time_left(one, at)
    assert left is not None
    assert has_run_out(one, at + left + MICROSECOND)
    if not has_run_out(one, at):
        assert burnt(one, at + left) <= one.reserved.micro * PICO


@given(running(burning_rates), waits, amounts)
def test_alone_it_can_go_on_until_everything_has_burnt(
    one: Reservation, wait: timedelta, available: Credits
) -> None:
    alone, at = replace(one, limit=None), one.beat_at + wait
    told = reservations.runway(alone, at, available, alone.shared_rate)
    left = max(0, one.reserved.micro * PICO - burnt(one, at))
    most = Fraction(left + available.micro * PICO, one.burning_rate.micro)
    assert told is not None
    assert most - 2 < told // MICROSECOND <= most


def test_half_a_credit_a_second_lasts_thirty_seconds_on_fifteen() -> None:
    assert runs_out_at(RUNNING) == AT + 30 * SECOND
    assert reservations.time_left(RUNNING, AT + 10 * SECOND) == 20 * SECOND
    assert not has_run_out(RUNNING, AT + 30 * SECOND - MICROSECOND)
    assert has_run_out(RUNNING, AT + 30 * SECOND)


def test_two_share_what_is_available_by_their_rates() -> None:
    """30 seconds of its own; and of 10 credits, at 2 a second together, 5 seconds each."""
    told = reservations.runway(RUNNING, AT, Credits.of(10), Credits.of(2))
    assert told == 35 * SECOND


def test_one_with_a_limit_shares_nothing() -> None:
    limited = replace(RUNNING, limit=Credits.of(15))
    assert reservations.runway(limited, AT, Credits.of(10), Credits.of(2)) == 30 * SECOND


def test_what_does_not_burn_lasts() -> None:
    hold = replace(RUNNING, burning_rate=NOTHING, limit=Credits.of(15))
    assert runs_out_at(hold) is None
    assert reservations.time_left(hold, AT) is None
    assert reservations.runway(hold, AT, NOTHING, NOTHING) is None
    assert not has_run_out(replace(hold, reserved=NOTHING), AT + CENTURY)


def test_what_lasts_longer_than_a_century_is_not_dated() -> None:
    long = replace(RUNNING, burning_rate=Credits(1), reserved=Credits.of(10**9))
    assert runs_out_at(long) is None
    assert reservations.time_left(long, AT) == CENTURY
    assert reservations.runway(long, AT, Credits.of(10**9), Credits(1)) == CENTURY
    seconds = CENTURY // SECOND
    shorter = replace(long, reserved=Credits(seconds - 1))
    assert runs_out_at(shorter) == AT + CENTURY - SECOND


def test_nothing_is_left_of_what_has_ended() -> None:
    over = reservations.ended(RUNNING, State.SETTLED, AT, "done")
    assert reservations.time_left(over, AT) == timedelta(0)
    assert reservations.runway(over, AT, Credits.of(9), Credits.of(1)) == timedelta(0)


def test_what_has_burnt_more_than_it_has_reserved_ran_out_when_its_rate_changed() -> None:
    """It was pending that long: what is pending does not run out."""
    late = reservations.rated(RUNNING, Credits.of(1), AT + 40 * SECOND)
    assert runs_out_at(late) == AT + 40 * SECOND


# Its slice.


@given(one=running(), wait=waits, available=amounts, ahead=st.booleans())
def test_a_slice_grows_by_what_is_available_at_most(
    one: Reservation, wait: timedelta, available: Credits, *, ahead: bool
) -> None:
    grown = reservations.topped_up(one, one.beat_at + wait, available, ahead=ahead)
    assert NOTHING <= grown.reserved - one.reserved <= available
    assert grown == replace(one, reserved=grown.reserved)
    if one.limit is not None:
        assert grown == one


@given(one=running(burning_rates), wait=waits, ahead=st.booleans())
def test_with_enough_available_it_has_not_run_out(
    one: Reservation, wait: timedelta, *, ahead: bool
) -> None:
    """Also when what it has burnt is a whole number of microcredits."""
    at = one.beat_at + wait
    plenty = Credits(10**18)
    grown = reservations.topped_up(replace(one, limit=None), at, plenty, ahead=ahead)
    assert not has_run_out(grown, at)
    if ahead:
        slice_ = SLICE_HEARTBEATS * one.heartbeat_seconds * SECOND
        assert not has_run_out(grown, at + slice_ - MICROSECOND)


@given(running(), waits, amounts)
def test_filling_a_slice_twice_fills_it_once(
    one: Reservation, wait: timedelta, available: Credits
) -> None:
    at = one.beat_at + wait
    once = reservations.topped_up(one, at, available, ahead=True)
    left = available - (once.reserved - one.reserved)
    assert reservations.topped_up(once, at, left, ahead=True) == once


def test_a_slice_is_three_heartbeats_beyond_what_has_burnt() -> None:
    grown = reservations.topped_up(RUNNING, AT + 4 * SECOND, Credits.of(100), ahead=True)
    assert grown.reserved == Credits.of(2 + 15)
    assert reservations.topped_up(RUNNING, AT + 4 * SECOND, Credits(7), ahead=True).reserved == (
        Credits.of(15) + Credits(7)
    )


def test_a_slice_lasts_as_long_as_the_grace() -> None:
    assert SLICE_HEARTBEATS == GRACE_HEARTBEATS


# Proofs of life, and silence.


@given(running(), st.lists(waits, min_size=1, max_size=5))
def test_late_and_repeated_heartbeats_change_nothing(
    one: Reservation, beats: Sequence[timedelta]
) -> None:
    told = one
    for beat in [*beats, *beats]:
        told = reservations.alive(told, AT + beat)
    assert told == reservations.alive(one, AT + max(beats))


@given(running(burning_rates), waits)
def test_silence_costs_one_interval_at_most(one: Reservation, wait: timedelta) -> None:
    at = one.beat_at + wait
    over = reservations.lost(one, at)
    interval = timedelta(seconds=one.heartbeat_seconds)
    assert over.spent == used(one, min(at, one.beat_at + interval))
    assert over.state is (
        State.DEPLETED if has_run_out(one, min(at, one.beat_at + interval)) else State.LOST
    )


@given(running(burning_rates))
def test_what_is_depleted_has_cost_all_that_was_reserved(one: Reservation) -> None:
    over = reservations.depleted(one)
    assert (over.state, over.spent) == (State.DEPLETED, one.reserved)
    assert over.ended_at == runs_out_at(one)


def test_what_was_lost_ended_one_interval_after_its_last_heartbeat() -> None:
    beating = reservations.alive(RUNNING, AT + 7 * SECOND)
    over = reservations.lost(beating, AT + 60 * SECOND)
    assert (over.state, over.why) == (State.LOST, "its heartbeats stopped")
    assert over.ended_at == AT + 17 * SECOND
    assert over.spent == Credits(8_500_000)


def test_what_was_never_confirmed_costs_nothing() -> None:
    pending = replace(RUNNING, state=State.PENDING)
    over = reservations.lost(pending, AT + 60 * SECOND)
    assert (over.state, over.spent, over.ended_at) == (State.LOST, NOTHING, AT)
    assert over.why == "it was never confirmed"


def test_the_grace_is_three_heartbeats_and_begins_anew_when_the_service_was_away() -> None:
    assert reservations.grace_ends_at(RUNNING, AT - SECOND) == AT + 30 * SECOND
    assert reservations.grace_ends_at(RUNNING, AT + SECOND) == AT + 31 * SECOND


def test_an_end_is_never_before_the_beginning() -> None:
    over = reservations.ended(RUNNING, State.SETTLED, AT - SECOND, "done")
    assert (over.ended_at, over.spent) == (AT, NOTHING)


@given(running(), amounts, waits)
def test_what_is_opened_again_costs_nothing_yet_and_remembers_what_it_had_cost(
    one: Reservation, spent: Credits, wait: timedelta
) -> None:
    over = replace(one, state=State.LOST, spent=spent, ended_at=one.beat_at, why="silence")
    at = one.beat_at + wait
    again = reservations.reopened(over, UUID(int=7), Credits(3), at)
    assert (again.state, again.epoch, again.id) == (State.PENDING, one.epoch + 1, UUID(int=7))
    assert again.spent_before == one.spent_before + spent
    assert (again.key, again.burning_rate, again.limit) == (one.key, Credits(3), one.limit)
    assert used(replace(again, reserved=Credits.of(10)), at) == NOTHING


# What it is called, and what it claims.


def test_datalayers_clients_know_a_kernels_reservation_by_its_first_word() -> None:
    assert RUNNING.name == f"runtime-{UUID(int=100)}"


@pytest.mark.parametrize("state", list(State))
def test_only_what_is_open_claims_anything(state: State) -> None:
    one = replace(RUNNING, state=state)
    open_ = state in {State.PENDING, State.RUNNING}
    assert one.is_open == open_
    assert one.claim == (Credits.of(15) if open_ else NOTHING)
    assert one.shared_rate == (Credits(500_000) if open_ else NOTHING)
    assert replace(one, limit=Credits.of(15)).shared_rate == NOTHING
