"""What time does to a reservation by itself, on values alone."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from desks import HOLD, LIMITED, MICROSECOND, changes, rich, seconds
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Command,
    Extend,
    Give,
    Held,
    Holding,
    Lapse,
    Release,
    Settle,
)
from prepaid.core.entries import Kind
from prepaid.core.errors import (
    ClockFarOff,
    InsufficientCredits,
    Refusal,
    ReservationClosed,
    ReservationDepleted,
    ReservationLost,
)
from prepaid.core.reservations import State
from samples import AT, KERNEL

# Running out.


def test_it_ends_at_the_exact_microsecond_and_costs_all_that_was_reserved() -> None:
    desk = rich(10)
    id_ = desk.run(replace(KERNEL, burning_rate=Credits(300_007)))
    desk.wait(10).held(Beat(id_, None))
    desk.wait(10).held(Beat(id_, None))
    desk.wait(10).held(Beat(id_, None))
    one = desk.wait(5).sweep(id_)
    assert (one.state, one.spent) == (State.DEPLETED, Credits.of(10))
    assert one.ended_at == AT + timedelta(microseconds=33_332_556)  # 10 / 0.300007, rounded up
    assert one.why == "its 10 credits were used up"
    assert (desk.ada.balance, desk.ada.reserved, desk.ada.open) == (NOTHING, NOTHING, 0)


def test_it_has_run_out_for_the_first_that_asks_with_or_without_a_sweep() -> None:
    for command in (Beat, Settle):
        desk = rich(20)
        id_ = desk.run(LIMITED)
        desk.wait(45).ask(command(id_, None))
        one = desk.one(id_)
        assert (one.state, one.ended_at) == (State.DEPLETED, AT + seconds(40))


def test_a_settlement_that_comes_after_the_end_is_told_of_it() -> None:
    desk = rich(20)
    id_ = desk.run(LIMITED)
    held = desk.wait(45).held(Settle(id_, None))
    assert (held.reservation.state, held.replayed) == (State.DEPLETED, False)
    assert desk.held(Settle(id_, None)).replayed
    assert desk.spent == [Credits.of(20)]


def test_the_sweep_extends_what_has_run_out_while_its_grace_lasts() -> None:
    """Its slice was short when it was last heard of, and credits have been bought since."""
    desk = rich(12)
    id_ = desk.run()
    desk.ask(Give(UUID(int=8), "ada", "more", Credits.of(50), Kind.PURCHASE, "", "grace"))
    one = desk.wait(24).sweep(id_)
    assert (one.state, one.reserved) == (State.RUNNING, Credits.of(12 + 15))


def test_what_runs_out_in_silence_waits_for_a_proof_of_life() -> None:
    """Its machine may have died before: then it does not owe the rest."""
    desk = rich(20)
    id_ = desk.run(replace(LIMITED, limit=Credits.of(12)))
    assert desk.wait(25).sweep(id_).state is State.RUNNING
    assert desk.wait(5).sweep(id_).state is State.LOST
    assert desk.spent == [Credits.of(5)]


@pytest.mark.parametrize(
    "proof", [Beat(UUID(int=101), None), ChangeRate(UUID(int=101), None, Credits.of(1))]
)
def test_a_proof_of_life_depletes_what_ran_out_in_silence(proof: Holding) -> None:
    desk = rich(20)
    id_ = desk.run(replace(LIMITED, limit=Credits.of(12)))
    assert desk.wait(25).sweep(id_).state is State.RUNNING
    assert isinstance(desk.over(proof), ReservationDepleted)
    assert desk.one(id_).ended_at == AT + seconds(24)
    assert desk.spent == [Credits.of(12)]


def test_a_dead_machine_pays_one_interval_however_long_we_were_away() -> None:
    desk = rich(20)
    id_ = desk.run(LIMITED)
    desk.wait(3600)
    assert desk.sweep(id_, grace_from=desk.at).state is State.RUNNING
    assert desk.wait(30).sweep(id_, grace_from=desk.at - seconds(30)).state is State.LOST
    assert desk.spent == [Credits.of(5)]


def test_a_machine_that_lived_through_our_outage_pays_its_time() -> None:
    desk = rich(20)
    id_ = desk.run(LIMITED)
    desk.wait(3600)
    desk.sweep(id_, grace_from=desk.at)
    assert isinstance(desk.over(Beat(id_, None)), ReservationDepleted)
    assert desk.one(id_).ended_at == AT + seconds(40)


def test_what_waits_for_a_proof_of_life_can_be_extended() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.held(Beat(id_, None))
    held = desk.wait(55).held(Extend(id_, None, Credits.of(40)))
    assert held.reservation.state is State.RUNNING
    assert desk.wait(5).held(Settle(id_, None)).reservation.spent == Credits.of(30)


def test_what_does_not_burn_does_not_run_out() -> None:
    desk = rich()
    id_ = desk.run(HOLD)
    for _ in range(500):
        assert desk.wait(20).held(Beat(id_, None)).reservation.state is State.RUNNING


# Silence.


def test_silence_for_three_intervals_is_loss_and_costs_one() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(7).held(Beat(id_, None))
    desk.at += seconds(30) - MICROSECOND
    assert desk.sweep(id_).state is State.RUNNING
    desk.at += MICROSECOND
    one = desk.sweep(id_)
    assert (one.state, one.spent, one.ended_at) == (
        State.LOST,
        Credits(8_500_000),
        AT + seconds(17),
    )
    assert desk.available == desk.ada.balance == Credits(91_500_000)


def test_what_is_lost_costs_no_more_than_it_had_reserved() -> None:
    desk = rich()
    id_ = desk.run(replace(LIMITED, limit=Credits.of(3)))
    one = desk.wait(30).sweep(id_)
    assert (one.state, one.spent, one.ended_at) == (
        State.DEPLETED,
        Credits.of(3),
        AT + seconds(6),
    )


def test_what_was_never_confirmed_is_lost_at_no_cost() -> None:
    desk = rich()
    id_ = desk.open(LIMITED).id
    assert desk.wait(29).sweep(id_).state is State.PENDING
    one = desk.wait(1).sweep(id_)
    assert (one.state, one.spent, one.ended_at) == (State.LOST, NOTHING, AT)
    assert desk.spent == []
    assert desk.available == Credits.of(100)


def test_what_was_never_confirmed_does_not_run_out() -> None:
    desk = rich()
    id_ = desk.open(replace(LIMITED, limit=Credits.of(3))).id
    assert desk.wait(29).sweep(id_).state is State.PENDING
    assert isinstance(desk.over(Beat(id_, None)), ReservationDepleted)
    assert desk.spent == [Credits.of(3)]


def test_no_silence_counts_from_before_the_service_was_away_itself() -> None:
    desk = rich()
    id_ = desk.run()
    back = desk.wait(600).at
    assert desk.sweep(id_, grace_from=back).state is State.RUNNING
    assert desk.wait(29).sweep(id_, grace_from=back).state is State.RUNNING
    one = desk.wait(1).sweep(id_, grace_from=back)
    assert (one.state, one.spent) == (State.LOST, Credits.of(5))


def test_sweeping_twice_changes_nothing() -> None:
    desk = rich()
    id_ = desk.run()
    first = desk.wait(30).held(Lapse(id_, AT))
    again = desk.held(Lapse(id_, AT))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.reservation == first.reservation
    assert len(desk.entries) == 1


# Opening again.


def test_the_key_of_what_was_lost_opens_it_again() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(30).sweep(id_)
    again = desk.held(replace(KERNEL, id=UUID(int=7)))
    assert not again.replayed
    one = again.reservation
    assert (one.id, one.epoch, one.state) == (UUID(int=7), 2, State.PENDING)
    assert (one.spent_before, one.started_at) == (Credits.of(5), AT + seconds(30))
    assert one.reserved == Credits.of(15)


def test_the_limit_counts_what_earlier_epochs_have_cost() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.wait(30).sweep(id_)
    again = desk.open(LIMITED)
    assert again.reserved == Credits.of(15)
    desk.held(Beat(again.id, None))
    assert isinstance(desk.wait(10).held(Beat(again.id, None)), Held)
    assert isinstance(desk.wait(25).over(Beat(again.id, None)), ReservationDepleted)
    assert desk.spent == [Credits.of(5), Credits.of(15)]


def test_what_has_used_up_its_limit_is_not_opened_again() -> None:
    """It was lost on the microcredit that was the last."""
    desk = rich()
    id_ = desk.run(replace(KERNEL, limit=Credits.of(5)))
    lost = desk.wait(30).sweep(id_)
    assert lost.state is State.DEPLETED
    spent_up = replace(lost, state=State.LOST)
    desk.books.reservations[id_] = desk.books.opened["ada", "kernel-1"] = spent_up
    refused = desk.refused(replace(KERNEL, limit=Credits.of(5)))
    assert isinstance(refused, ReservationDepleted)


def test_what_is_opened_again_burns_as_is_asked_and_may_cost_what_it_did_last() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.held(Extend(id_, None, Credits.of(30)))
    desk.held(ChangeRate(id_, None, Credits.of(1)))
    desk.wait(30).sweep(id_)
    again = desk.open(LIMITED)
    assert (again.burning_rate, again.limit, again.reserved) == (
        LIMITED.burning_rate,
        Credits.of(30),
        Credits.of(20),
    )


def test_credits_must_be_there_to_open_it_again() -> None:
    desk = rich(19)
    id_ = desk.run()
    desk.wait(30).sweep(id_)
    charge = Charge(UUID(int=9), "ada", "c", Credits.of(10), "kernel", "", "runner")
    desk.ask(charge)
    refused = desk.refused(KERNEL)
    assert isinstance(refused, InsufficientCredits)
    assert (refused.asked, refused.available) == ("5", "4")


# What has ended.

ENDS: dict[State, tuple[Command, int, type[Refusal]]] = {
    State.SETTLED: (Settle(UUID(int=101), None), 4, ReservationClosed),
    State.RELEASED: (Release(UUID(int=101), None), 4, ReservationClosed),
    State.LOST: (Lapse(UUID(int=101), AT), 30, ReservationLost),
    State.DEPLETED: (Beat(UUID(int=101), None), 50, ReservationDepleted),
}


@pytest.mark.parametrize("state", ENDS)
def test_nothing_is_done_to_what_has_ended(state: State) -> None:
    ending, wait, refusal = ENDS[state]
    desk = rich(20)
    id_ = desk.run(LIMITED)
    desk.wait(wait).ask(ending)
    assert desk.one(id_).state is state
    for command in changes(id_, None):
        if not isinstance(command, Settle):
            refused = desk.refused(command)
            assert type(refused) is refusal
            assert desk.one(id_).why in str(refused)
    assert desk.held(Settle(id_, None)).reservation.state is state
    assert desk.sweep(id_).state is state


# The clock.


def test_a_clock_a_minute_behind_lets_time_stand_still() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(60).held(Beat(id_, None))
    desk.at = AT
    held = desk.held(Beat(id_, None))
    assert held.reservation.beat_at == AT + seconds(60)
    one = desk.held(Settle(id_, None)).reservation
    assert (one.spent, one.ended_at) == (Credits.of(30), AT + seconds(60))


def test_a_change_of_rate_by_a_clock_behind_splits_where_time_stands() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(60).held(Beat(id_, None))
    desk.at = AT + seconds(20)
    desk.held(ChangeRate(id_, None, Credits.of(1)))
    desk.at = AT + seconds(70)
    assert desk.held(Settle(id_, None)).reservation.spent == Credits.of(30 + 10)


def test_a_clock_farther_behind_measures_nothing() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(61).held(Beat(id_, None))
    desk.at = AT + seconds(1) - MICROSECOND
    for command in [*changes(id_, None), Lapse(id_, AT)]:
        assert isinstance(desk.refused(command), ClockFarOff)
