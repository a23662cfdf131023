"""What becomes of what is asked about a reservation, on values alone."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from desks import HALF, HOLD, LIMITED, MINE, changes, rich, seconds
from prepaid.core.admission import fingerprint
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.commands import (
    Beat,
    ChangeRate,
    Charge,
    Extend,
    Give,
    Held,
    Open,
    Posted,
    Release,
    Settle,
)
from prepaid.core.entries import Kind
from prepaid.core.errors import (
    Forbidden,
    InsufficientCredits,
    InvalidHeartbeat,
    InvalidLimit,
    InvalidRate,
    InvalidSettlement,
    KeyReused,
    Refusal,
    ReservationDepleted,
    TooMany,
    UnknownAccount,
    UnknownReservation,
)
from prepaid.core.reservations import MOST_OPEN, MOST_OPEN_BY_USER, State, runs_out_at
from samples import AT, KERNEL

# Opening.


def test_a_limit_is_reserved_at_once() -> None:
    desk = rich()
    held = desk.held(LIMITED)
    one = held.reservation
    assert (one.state, one.reserved, one.limit) == (State.PENDING, Credits.of(20), Credits.of(20))
    assert (held.available, held.shared_rate) == (Credits.of(80), NOTHING)
    assert (desk.ada.reserved, desk.ada.shared_rate, desk.ada.open) == (
        Credits.of(20),
        NOTHING,
        1,
    )
    assert desk.entries == []


def test_without_a_limit_a_slice_of_three_heartbeats_is_reserved() -> None:
    desk = rich()
    held = desk.held(KERNEL)
    assert held.reservation.reserved == Credits.of(15)
    assert (held.available, held.shared_rate) == (Credits.of(85), HALF)
    assert desk.ada.shared_rate == HALF


def test_it_is_what_was_asked_for() -> None:
    one = rich().open()
    assert (one.resource, one.resource_type, one.given_name) == ("k1", "runtime", "a notebook")
    assert (one.key, one.actor, one.by_platform, one.epoch) == ("kernel-1", "runner", True, 1)
    assert one.started_at == one.rated_at == one.beat_at == AT


def test_credits_for_one_interval_are_enough_to_begin() -> None:
    desk = rich(5)
    assert desk.open().reserved == Credits.of(5)
    assert desk.available == NOTHING


def test_less_than_one_interval_is_not_enough() -> None:
    desk = rich(4)
    refused = desk.refused(KERNEL)
    assert isinstance(refused, InsufficientCredits)
    assert (refused.asked, refused.available) == ("5", "4")


def test_a_limit_has_to_be_there_as_a_whole() -> None:
    refused = rich(19).refused(LIMITED)
    assert isinstance(refused, InsufficientCredits)
    assert (refused.asked, refused.available) == ("20", "19")


def test_what_is_reserved_can_not_be_reserved_again_or_spent() -> None:
    desk = rich(30)
    desk.run(LIMITED)
    assert isinstance(desk.refused(replace(LIMITED, key="2")), InsufficientCredits)
    charge = Charge(UUID(int=9), "ada", "c", Credits.of(11), "kernel", "", "runner")
    assert isinstance(desk.refused(charge), InsufficientCredits)
    (posted,) = desk.ask(replace(charge, credits=Credits.of(10)))
    assert isinstance(posted, Posted)
    assert desk.available == NOTHING


def test_twenty_at_once_with_money_for_three_are_three() -> None:
    desk = rich(60)
    asked = [replace(LIMITED, id=UUID(int=200 + n), key=str(n)) for n in range(20)]
    outcomes = desk.ask(*asked)
    assert [isinstance(one, Held) for one in outcomes] == [True] * 3 + [False] * 17
    assert desk.available == NOTHING


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (replace(KERNEL, burning_rate=Credits(-1)), InvalidRate),
        (replace(KERNEL, burning_rate=Credits.of(10_000) + Credits(1)), InvalidRate),
        (replace(KERNEL, burning_rate=NOTHING), InvalidRate),
        (replace(KERNEL, limit=NOTHING), InvalidLimit),
        (replace(KERNEL, limit=Credits(-1)), InvalidLimit),
        (replace(KERNEL, heartbeat_seconds=0), InvalidHeartbeat),
        (replace(KERNEL, heartbeat_seconds=3601), InvalidHeartbeat),
        (replace(KERNEL, account_uid="eve"), UnknownAccount),
        (replace(KERNEL, account_uid="bob"), InsufficientCredits),
    ],
)
def test_what_makes_no_sense_is_not_opened(asked: Open, why: type[Refusal]) -> None:
    assert type(rich().refused(asked)) is why


@pytest.mark.parametrize(
    "asked",
    [
        replace(KERNEL, burning_rate=Credits.of(10_000), limit=Credits(1)),
        replace(KERNEL, burning_rate=Credits(1), heartbeat_seconds=3600),
        replace(KERNEL, heartbeat_seconds=1),
        replace(HOLD, limit=Credits.of(100)),
    ],
)
def test_the_widest_that_makes_sense_is_opened(asked: Open) -> None:
    assert rich().open(asked).is_open


def test_an_account_has_so_many_open_and_no_more() -> None:
    desk = rich()
    desk.books.accounts["ada"] = replace(desk.ada, open=MOST_OPEN - 1)
    desk.open()
    assert isinstance(desk.refused(replace(KERNEL, key="another")), TooMany)


def test_a_user_opens_fewer_themselves() -> None:
    desk = rich()
    mine = replace(KERNEL, by_platform=False)
    desk.books.accounts["ada"] = replace(desk.ada, open=MOST_OPEN_BY_USER - 1)
    desk.open(mine)
    assert isinstance(desk.refused(replace(mine, key="another")), TooMany)
    desk.held(replace(KERNEL, key="the platform's"))


# The key.


def test_the_same_key_reserves_once() -> None:
    desk = rich()
    first = desk.held(KERNEL)
    desk.wait(3)
    again = desk.held(replace(KERNEL, id=UUID(int=7), actor="somebody else"))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.reservation == first.reservation
    assert desk.ada.open == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(KERNEL, burning_rate=Credits.of(1)),
        replace(KERNEL, limit=Credits.of(15)),
        replace(KERNEL, resource="k2"),
        replace(KERNEL, resource_type="job"),
        replace(KERNEL, given_name="another"),
        replace(KERNEL, heartbeat_seconds=11),
        replace(KERNEL, by_platform=False),
    ],
)
def test_the_same_key_for_something_else_is_refused(other: Open) -> None:
    desk = rich()
    desk.open()
    assert isinstance(desk.refused(other), KeyReused)


def test_the_key_of_what_has_ended_opens_nothing_and_says_how_it_ended() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(2).held(Settle(id_, None))
    again = desk.held(KERNEL)
    assert (again.replayed, again.reservation.state) == (True, State.SETTLED)
    assert desk.ada.open == 0


def test_accounts_have_keys_of_their_own() -> None:
    desk = rich()
    desk.open()
    give = Give(UUID(int=8), "bob", "k", Credits.of(9), Kind.PROMOTION, "", "grace")
    _, second = desk.ask(give, replace(KERNEL, account_uid="bob", id=UUID(int=9)))
    assert isinstance(second, Held)
    assert desk.books.reservations[UUID(int=9)].account_uid == "bob"


def test_the_fingerprint_of_an_opening_never_changes_its_form() -> None:
    """Keys are kept for good: a new form would turn every retry into a conflict."""
    assert fingerprint(KERNEL).hex() == "68f9eb8e30a1087ffb5e15b20c6b12ce"


# Heartbeats.


def test_the_first_heartbeat_confirms_it_and_the_time_before_is_paid() -> None:
    desk = rich()
    id_ = desk.open().id
    held = desk.wait(8).held(Beat(id_, None))
    assert held.reservation.state is State.RUNNING
    assert desk.wait(2).held(Settle(id_, None)).reservation.spent == Credits.of(5)


def test_a_heartbeat_fills_the_slice() -> None:
    desk = rich()
    id_ = desk.run()
    held = desk.wait(10).held(Beat(id_, None))
    assert held.reservation.reserved == Credits.of(20)
    assert held.available == Credits.of(80)
    assert held.reservation.beat_at == desk.at


def test_a_heartbeat_fills_it_with_what_there_is() -> None:
    desk = rich(17)
    id_ = desk.run()
    assert desk.wait(10).held(Beat(id_, None)).reservation.reserved == Credits.of(17)
    assert desk.wait(10).held(Beat(id_, None)).reservation.reserved == Credits.of(17)
    assert desk.available == NOTHING


def test_what_is_bought_meanwhile_extends_it() -> None:
    desk = rich(15)
    id_ = desk.run()
    desk.wait(10).ask(Give(UUID(int=8), "ada", "more", Credits.of(50), Kind.PURCHASE, "", "grace"))
    assert desk.held(Beat(id_, None)).reservation.reserved == Credits.of(20)


def test_a_limit_is_never_exceeded_by_heartbeats() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    for _ in range(3):
        assert desk.wait(10).held(Beat(id_, None)).reservation.reserved == Credits.of(20)
    assert isinstance(desk.wait(10).over(Beat(id_, None)), ReservationDepleted)
    assert desk.spent == [Credits.of(20)]


def test_repeated_heartbeats_change_nothing() -> None:
    desk = rich()
    id_ = desk.run()
    once = desk.wait(10).held(Beat(id_, None))
    assert desk.held(Beat(id_, None)) == once


def test_a_late_heartbeat_that_comes_before_the_sweep_is_in_time() -> None:
    desk = rich()
    id_ = desk.run()
    held = desk.wait(95).held(Beat(id_, None))
    assert held.reservation.state is State.RUNNING
    assert desk.held(Settle(id_, None)).reservation.spent == Credits(47_500_000)


def test_a_late_heartbeat_finds_it_running_whatever_its_time_has_cost_by_then() -> None:
    """At a whole credit a second every instant is a whole number of microcredits: its slice, too
    short by then, must be made longer than what has burnt."""
    desk = rich()
    id_ = desk.run(replace(KERNEL, burning_rate=Credits.of(1)))
    held = desk.wait(60).held(Beat(id_, None))
    assert held.reservation.state is State.RUNNING
    assert held.reservation.reserved == Credits.of(60 + 30)


# Settling.


def test_a_settlement_costs_the_time_and_frees_the_rest() -> None:
    desk = rich()
    id_ = desk.run()
    held = desk.wait(4).held(Settle(id_, None))
    one = held.reservation
    assert (one.state, one.spent, one.why) == (
        State.SETTLED,
        Credits.of(2),
        "its holder settled it",
    )
    assert (desk.ada.balance, held.available) == (Credits.of(98), Credits.of(98))
    (entry,) = desk.entries
    assert (entry.kind, entry.id, entry.key) == (Kind.SETTLEMENT, id_, f"reservation:{id_}")
    assert (entry.credits, entry.balance, entry.number) == (-Credits.of(2), Credits.of(98), 2)
    assert (entry.source, entry.actor) == ("runtime k1", "runner")
    assert entry.reason == "4.000 seconds; its holder settled it"


def test_what_took_no_time_costs_nothing_and_posts_nothing() -> None:
    desk = rich()
    id_ = desk.run()
    assert desk.held(Settle(id_, None)).reservation.spent == NOTHING
    assert desk.entries == []


def test_settling_twice_settles_once() -> None:
    desk = rich()
    id_ = desk.run()
    first = desk.wait(4).held(Settle(id_, None))
    again = desk.wait(4).held(Settle(id_, None, Credits.of(9)))
    assert (first.replayed, again.replayed) == (False, True)
    assert again.reservation == first.reservation
    assert len(desk.entries) == 1


def test_a_settlement_proves_that_it_ran() -> None:
    desk = rich()
    id_ = desk.open().id
    one = desk.wait(4).held(Settle(id_, None)).reservation
    assert (one.state, one.spent) == (State.SETTLED, Credits.of(2))


def test_a_late_settlement_takes_no_more_than_what_its_holder_knew_was_reserved() -> None:
    """Whoever tidies up after a machine that died must not make its user pay for the time since."""
    desk = rich(40)
    id_ = desk.run()
    one = desk.wait(60).held(Settle(id_, None)).reservation
    assert (one.state, one.spent, one.ended_at) == (
        State.SETTLED,
        Credits.of(15),
        AT + seconds(30),
    )
    assert one.why == "its holder settled it, after what it had reserved was used up"


def test_a_limit_that_was_used_up_is_not_settled_any_more() -> None:
    desk = rich()
    id_ = desk.run(replace(KERNEL, limit=Credits.of(20)))
    one = desk.wait(60).held(Settle(id_, None)).reservation
    assert (one.state, one.spent, one.ended_at) == (
        State.DEPLETED,
        Credits.of(20),
        AT + seconds(40),
    )


def test_the_holder_says_what_a_hold_has_cost() -> None:
    desk = rich()
    id_ = desk.run(HOLD)
    held = desk.wait(5).held(Settle(id_, None, Credits(1_234_567)))
    assert held.reservation.spent == Credits(1_234_567)
    assert held.available == Credits(98_765_433)


def test_a_hold_of_which_nothing_is_said_costs_nothing() -> None:
    desk = rich()
    id_ = desk.run(HOLD)
    assert desk.wait(5).held(Settle(id_, None)).reservation.spent == NOTHING


@pytest.mark.parametrize("cost", [NOTHING, Credits.of(20)])
def test_a_hold_costs_from_nothing_to_all_of_it(cost: Credits) -> None:
    desk = rich()
    id_ = desk.run(HOLD)
    assert desk.held(Settle(id_, None, cost)).reservation.spent == cost


@pytest.mark.parametrize("cost", [Credits(-1), Credits.of(20) + Credits(1)])
def test_a_hold_costs_no_more_than_it_reserves_and_no_less_than_nothing(cost: Credits) -> None:
    desk = rich()
    id_ = desk.run(HOLD)
    refused = desk.refused(Settle(id_, None, cost))
    assert isinstance(refused, InvalidSettlement)
    assert "it can cost 0 to 20" in str(refused)


def test_a_hold_that_has_burnt_before_costs_that_at_least() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.wait(10).held(ChangeRate(id_, None, NOTHING))
    assert isinstance(desk.refused(Settle(id_, None, Credits.of(4))), InvalidSettlement)
    assert desk.held(Settle(id_, None)).reservation.spent == Credits.of(5)


@pytest.mark.parametrize("wait", [4, 100])
def test_nobody_says_what_time_has_cost(wait: int) -> None:
    """And who tries has not confirmed anything by it."""
    desk = rich()
    id_ = desk.open().id
    assert isinstance(desk.wait(wait).refused(Settle(id_, None, Credits.of(2))), InvalidSettlement)
    assert desk.one(id_).state is State.PENDING


# Releasing.


def test_what_did_not_happen_is_released_at_no_cost() -> None:
    desk = rich()
    id_ = desk.open().id
    one = desk.wait(4).held(Release(id_, None)).reservation
    assert (one.state, one.spent, one.why) == (
        State.RELEASED,
        NOTHING,
        "its holder released it",
    )
    assert desk.entries == []
    assert desk.available == Credits.of(100)


def test_the_platform_may_let_time_go_unpaid() -> None:
    desk = rich()
    id_ = desk.run()
    assert desk.wait(4).held(Release(id_, None)).reservation.spent == NOTHING


def test_a_user_may_not() -> None:
    desk = rich()
    id_ = desk.run(MINE)
    refused = desk.wait(4).refused(Release(id_, "ada"))
    assert isinstance(refused, Forbidden)
    assert "settle it" in str(refused)


def test_a_user_releases_what_never_ran() -> None:
    desk = rich()
    id_ = desk.open(MINE).id
    assert desk.held(Release(id_, "ada")).reservation.state is State.RELEASED


def test_what_has_run_out_is_not_released_any_more() -> None:
    desk = rich()
    id_ = desk.run(replace(LIMITED, limit=Credits.of(3)))
    assert isinstance(desk.wait(7).over(Release(id_, None)), ReservationDepleted)
    assert desk.spent == [Credits.of(3)]


# Extending.


def test_a_limit_is_raised_to_a_new_total() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    held = desk.wait(4).held(Extend(id_, None, Credits.of(30)))
    assert (held.reservation.limit, held.reservation.reserved) == (
        Credits.of(30),
        Credits.of(30),
    )
    assert held.available == Credits.of(70)


def test_raising_it_twice_raises_it_once() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    once = desk.held(Extend(id_, None, Credits.of(30)))
    assert desk.held(Extend(id_, None, Credits.of(30))) == once


def test_without_a_limit_an_extension_fills_the_slice() -> None:
    desk = rich()
    id_ = desk.run()
    assert desk.wait(4).held(Extend(id_, None, None)).reservation.reserved == Credits.of(17)


def test_an_extension_is_no_proof_of_life() -> None:
    """A user presses a button; their kernel may be dead."""
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.wait(20).held(Extend(id_, None, Credits.of(30)))
    one = desk.wait(10).sweep(id_)
    assert (one.state, one.spent) == (State.LOST, Credits.of(5))


@pytest.mark.parametrize(
    ("asked", "limit", "why"),
    [
        (KERNEL, Credits.of(30), InvalidLimit),
        (LIMITED, None, InvalidLimit),
        (LIMITED, Credits.of(19), InvalidLimit),
        (LIMITED, Credits.of(101), InsufficientCredits),
    ],
)
def test_an_extension_that_makes_no_sense_is_refused(
    asked: Open, limit: Credits | None, why: type[Refusal]
) -> None:
    desk = rich()
    id_ = desk.run(asked)
    assert type(desk.refused(Extend(id_, None, limit))) is why


# Changing the rate.


def test_the_cost_is_split_exactly_where_the_rate_changes() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.wait(4).held(ChangeRate(id_, None, Credits.of(2)))
    one = desk.wait(3).held(Settle(id_, None)).reservation
    assert one.spent == Credits.of(2 + 6)


def test_without_a_limit_the_slice_is_made_anew() -> None:
    desk = rich()
    id_ = desk.run()
    faster = desk.wait(4).held(ChangeRate(id_, None, Credits.of(1)))
    assert (faster.reservation.reserved, faster.shared_rate) == (Credits.of(2 + 30), Credits.of(1))
    slower = desk.held(ChangeRate(id_, None, Credits(100_000)))
    assert (slower.reservation.reserved, slower.available) == (Credits.of(2 + 3), Credits.of(95))


def test_a_rate_needs_credits_for_one_interval() -> None:
    desk = rich(21)
    id_ = desk.run()
    refused = desk.wait(4).refused(ChangeRate(id_, None, Credits.of(2)))
    assert isinstance(refused, InsufficientCredits)
    assert (refused.asked, refused.available) == ("7", "6")
    changed = desk.held(ChangeRate(id_, None, Credits(1_900_000))).reservation
    assert changed.reserved == Credits.of(21)


def test_who_slows_down_is_not_asked_for_an_interval() -> None:
    """What is left lasts for four seconds, and then for eight."""
    desk = rich(21)
    id_ = desk.run()
    assert desk.wait(38).held(Beat(id_, None)).reservation.reserved == Credits.of(21)
    slower = desk.held(ChangeRate(id_, None, Credits(250_000))).reservation
    assert slower.reserved == Credits.of(21)
    assert runs_out_at(slower) == AT + seconds(38 + 8)
    assert isinstance(desk.refused(ChangeRate(id_, None, HALF)), InsufficientCredits)


def test_with_a_limit_any_rate_will_do() -> None:
    desk = rich(20)
    id_ = desk.run(LIMITED)
    changed = desk.wait(4).held(ChangeRate(id_, None, Credits.of(9))).reservation
    assert (changed.reserved, changed.state) == (Credits.of(20), State.RUNNING)
    assert desk.wait(2).sweep(id_).ended_at == AT + seconds(6)


def test_a_pause_costs_nothing() -> None:
    desk = rich()
    id_ = desk.run()
    paused = desk.wait(4).held(ChangeRate(id_, None, NOTHING))
    assert (paused.reservation.reserved, paused.available) == (Credits.of(2), Credits.of(98))
    for _ in range(9):
        desk.wait(10).held(Beat(id_, None))
    desk.held(ChangeRate(id_, None, HALF))
    assert desk.wait(4).held(Settle(id_, None)).reservation.spent == Credits.of(4)


@pytest.mark.parametrize("rate", [Credits(-1), Credits.of(10_000) + Credits(1)])
def test_a_rate_that_makes_no_sense_is_refused(rate: Credits) -> None:
    desk = rich()
    id_ = desk.run()
    assert isinstance(desk.refused(ChangeRate(id_, None, rate)), InvalidRate)


def test_who_changes_its_rate_proves_that_it_runs() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(29).held(ChangeRate(id_, None, Credits.of(1)))
    one = desk.wait(30).sweep(id_)
    assert (one.state, one.ended_at) == (State.LOST, AT + seconds(39))
    assert one.spent == Credits(14_500_000 + 10_000_000)


def test_a_change_of_rate_confirms_nothing() -> None:
    desk = rich()
    id_ = desk.open().id
    changed = desk.wait(20).held(ChangeRate(id_, None, Credits.of(1))).reservation
    assert (changed.state, changed.beat_at) == (State.PENDING, AT)
    assert desk.wait(10).sweep(id_).spent == NOTHING


def test_a_refused_change_of_rate_proves_nothing() -> None:
    """But time had filled up its slice, which had run out by then."""
    desk = rich(21)
    id_ = desk.run()
    (refused,) = desk.wait(31).ask(ChangeRate(id_, None, Credits.of(2)))
    assert isinstance(refused, InsufficientCredits)
    one = desk.one(id_)
    assert (one.beat_at, one.reserved) == (AT, Credits(15_500_001))


# Who may.


@pytest.mark.parametrize("asked", [KERNEL, MINE])
@pytest.mark.parametrize("command", [Beat, Settle, Release])
def test_another_accounts_reservation_is_not_there(
    command: type[Beat | Settle | Release], asked: Open
) -> None:
    desk = rich()
    id_ = desk.run(asked)
    assert isinstance(desk.refused(command(id_, "bob")), UnknownReservation)
    assert isinstance(desk.refused(command(UUID(int=1), None)), UnknownReservation)


def test_a_user_changes_nothing_that_the_platform_has_opened() -> None:
    desk = rich()
    id_ = desk.open().id
    for command in changes(id_, "ada"):
        assert isinstance(desk.refused(command), Forbidden)


@pytest.mark.parametrize("who", ["ada", None])
def test_a_users_own_is_changed_by_its_user_and_by_the_platform(who: str | None) -> None:
    for number in range(5):
        desk = rich()
        id_ = desk.open(MINE).id
        assert desk.held(changes(id_, who)[number]).reservation.id == id_
