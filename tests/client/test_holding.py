"""What a holder does and knows, step by step, by a clock that is made up."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prepaid_client import (
    CreditsDepleted,
    Forbidden,
    PrepaidError,
    Reservation,
    ReservationClosed,
    ReservationLost,
    Retries,
    Unavailable,
)
from prepaid_client.answers import Answer, Silence
from prepaid_client.asking import run
from prepaid_client.calls import Opening
from prepaid_client.holding import Holding
from prepaid_client.life import Life
from prepaid_client.records import Told
from step_world import Reply, World, refused

AWAY = Silence(OSError("away"))
AT = datetime(2026, 11, 1, tzinfo=UTC)
LOST, CLOSED = refused(409, "reservation_lost"), refused(409, "reservation_closed")
OPENING = Opening("k", 1, 90, None, "runtime", "", 30, "key-1")


def told(left: float | None, at: float = 0.0, state: str = "running", heartbeat: int = 30) -> Told:
    one = Reservation(
        id="runtime-1",
        account_uid="ada",
        resource="k",
        resource_type="runtime",
        resource_given_name="k",
        credits=Decimal(90),
        limit=Decimal(90),
        burning_rate=Decimal(1),
        used=Decimal(0),
        state=state,
        why="so" if state not in {"pending", "running"} else "",
        start_date=AT,
        last_update=AT,
        end_date=None,
        depletes_at=None,
        heartbeat_seconds=heartbeat,
        epoch=1,
        key="key-1",
    )
    return Told(one, left, left, heartbeat, at)


def answer(
    left: float | None, state: str = "running", id_: str = "runtime-1", rate: int = 1
) -> Reply:
    """An answer to a request, whenever it is sent."""
    fields = {
        name: getattr(told(left, state=state).reservation, name)
        for name in Reservation.__dataclass_fields__
    }
    one = {**fields, "id": id_, "burning_rate": rate}
    body = {
        "reservation": one,
        "seconds_left": left,
        "runway_seconds": left,
        "heartbeat_seconds": 30,
    }
    return lambda at: Answer(200, {}, json.dumps(body, default=str).encode(), at)


def opened(*replies: Reply, left: float | None = 90) -> tuple[Holding, World]:
    """A reservation that is open, in a world that will answer so."""
    world = World([answer(left, "pending"), *replies])
    holding = Holding(OPENING, world.asker(Retries(8, 20, 1, 5)))
    run(holding._to_open(), world.do)
    return holding, world


def over(holding: Holding) -> PrepaidError:
    with pytest.raises(PrepaidError) as raised:
        holding.check()
    return raised.value


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 100)), min_size=1), st.floats(0, 200))
def test_what_is_left_is_what_was_told_last_and_never_more(
    tellings: list[tuple[float, float]], moment: float
) -> None:
    life = Life.begun(told(tellings[0][1], tellings[0][0]))
    for at, left in tellings[1:]:
        life = life.after(told(left, at))
    newest = max(at for at, _ in tellings)
    possible = [max(0.0, at + left - moment) for at, left in tellings if at == newest]
    assert life.seconds_left(moment) in possible
    assert life.runway_seconds(moment) in possible
    assert (life.at(moment).over is None) == (life.ends_at is not None and moment < life.ends_at)


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000), st.integers(1, 3600))
def test_the_next_heartbeat_comes_in_time(
    left: float, regularly: float, moment: float, heartbeat: int
) -> None:
    life = Life.begun(told(left, heartbeat=heartbeat))
    due = life.next_heartbeat_at(regularly, moment)
    assert due <= regularly
    assert due <= left
    assert due == regularly or due > moment or moment >= left


def test_once_over_it_stays_so() -> None:
    life = Life.begun(told(10)).at(10)
    assert isinstance(life.over, CreditsDepleted)
    assert life.after(told(100, 11)).over is life.over
    assert life.ended_by(ReservationLost("later")).over is life.over
    assert life.seconds_left(5) == 0
    assert life.state == "depleted"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("settled", ReservationClosed),
        ("released", ReservationClosed),
        ("lost", ReservationLost),
        ("depleted", CreditsDepleted),
        ("something new", ReservationClosed),
    ],
)
def test_a_reservation_that_has_ended_is_over(state: str, kind: type[PrepaidError]) -> None:
    life = Life.begun(told(0, state=state))
    assert type(life.over) is kind
    assert "so" in str(life.over)
    assert life.state == state


@pytest.mark.parametrize(
    ("why", "state"),
    [
        (ReservationClosed("x"), "settled"),
        (ReservationLost("x"), "lost"),
        (CreditsDepleted("x"), "depleted"),
        (Forbidden("x"), "lost"),
    ],
)
def test_what_ended_it_says_its_state(why: PrepaidError, state: str) -> None:
    assert Life.begun(told(50)).ended_by(why).state == state


def test_heartbeats_come_at_once_and_then_regularly_whatever_they_take() -> None:
    holding, world = opened(*[answer(90)] * 4, CLOSED)
    world.request_seconds = 2.5
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 30, 60, 90, 120]
    assert type(over(holding)) is ReservationClosed


def test_shortly_before_the_end_it_asks_once_more() -> None:
    holding, world = opened(answer(90), answer(20), answer(1), left=90)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 30, 49]
    assert world.now == 50
    assert type(over(holding)) is CreditsDepleted


def test_credits_that_come_shortly_before_the_end_extend_it() -> None:
    holding, world = opened(answer(20), answer(60), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 19, 49]


def test_an_absent_service_is_asked_again_until_what_was_reserved_runs_out() -> None:
    holding, world = opened(answer(90), AWAY)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:9] == [0, 30, 31, 33, 37, 42, 47, 52]
    assert world.now == 90
    depleted = over(holding)
    assert type(depleted) is CreditsDepleted
    assert isinstance(depleted.__cause__, Unavailable)
    assert depleted.status is None


def test_a_hanging_service_is_waited_for_no_longer_than_what_was_reserved_lasts() -> None:
    holding, world = opened(answer(35), AWAY)
    world.request_seconds = 1000
    run(holding._to_beat(), world.do)
    assert world.now <= 35.1


def test_a_fault_of_the_service_ends_nothing() -> None:
    html = Answer(200, {}, b"<html>", 0.0)
    holding, world = opened(refused(500, "internal_error"), html, answer(90), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 1, 3, 33]


@pytest.mark.parametrize("status", [301, 403, 404, 408])
def test_what_a_proxy_says_ends_nothing(status: int) -> None:
    """It doesn't find the service while that is started again."""
    proxys = Answer(status, {}, b"404 page not found", 0.0)
    holding, world = opened(proxys, answer(90), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 1, 31]


def test_the_service_is_left_alone_as_it_asks_but_no_longer_than_a_heartbeat() -> None:
    busy = refused(503, Retry_After="7")
    holding, world = opened(busy, refused(429, Retry_After="86400"), answer(90), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 7, 37, 67]


def test_what_does_not_burn_is_kept_alive_for_ever() -> None:
    holding, world = opened(*[AWAY] * 100, answer(None), CLOSED, left=None)
    run(holding._to_beat(), world.do)
    assert type(over(holding)) is ReservationClosed
    assert (holding.seconds_left, holding.runway_seconds) == (None, None)


def test_one_that_is_lost_is_opened_again_with_the_same_words() -> None:
    again = answer(60, "pending", "runtime-2")
    holding, world = opened(answer(90), LOST, again, answer(60, id_="runtime-2"), CLOSED)
    run(holding._to_beat(), world.do)
    names = ["reservations", "heartbeat", "heartbeat", "reservations", "heartbeat", "heartbeat"]
    assert world.paths == names
    assert world.sent[3].call.body == world.sent[0].call.body
    assert "runtime-2" in world.sent[4].call.path
    assert holding.reservation.id == "runtime-2"


def test_one_whose_rate_was_changed_burns_as_before_when_it_is_opened_again() -> None:
    again = answer(60, "pending", "runtime-2", rate=2)
    holding, world = opened(answer(90), LOST, again, answer(60, id_="runtime-2"), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.paths[-4:] == ["heartbeat", "reservations", "burning-rate", "heartbeat"]
    assert holding.reservation.burning_rate == 1


def test_one_that_can_not_be_opened_again_yet_is_tried_again() -> None:
    again = answer(60, "pending")
    holding, world = opened(answer(90), LOST, AWAY, LOST, again, answer(60), CLOSED)
    run(holding._to_beat(), world.do)
    assert world.sent_at[1:] == [0, 30, 30, 31, 31, 31, 61]
    assert type(over(holding)) is ReservationClosed


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (refused(409, "reservation_depleted"), CreditsDepleted),
        (refused(409, "too_many"), ReservationLost),
        (refused(403, "forbidden"), ReservationLost),
        (answer(0, "settled"), ReservationClosed),
    ],
)
def test_one_that_is_lost_for_good_says_why(refusal: Reply, kind: type[PrepaidError]) -> None:
    holding, world = opened(answer(90), LOST, refusal)
    run(holding._to_beat(), world.do)
    assert type(over(holding)) is kind


def test_any_refusal_ends_it() -> None:
    holding, world = opened(answer(90), refused(403, "forbidden"))
    run(holding._to_beat(), world.do)
    assert type(over(holding)) is Forbidden
    assert holding.state == "lost"


def test_what_was_reserved_counts_down_by_the_clock() -> None:
    holding, world = opened(answer(90))
    world.now = 30.5
    assert holding.seconds_left == 59.5
    assert holding.runway_seconds == 59.5
    holding.check()
    world.now = 90
    assert type(over(holding)) is CreditsDepleted
    assert holding.seconds_left == 0


def test_a_slow_opening_leaves_less() -> None:
    world = World([answer(90)], request_seconds=4)
    holding = Holding(OPENING, world.asker(Retries()))
    run(holding._to_open(), world.do)
    assert holding.seconds_left == 86


def test_waking_early_changes_only_what_is_new() -> None:
    """Woken by nothing, it waits on; woken because less is left, it comes earlier."""
    holding, world = opened(answer(90), answer(10), CLOSED)
    steps = holding._to_wait(30)
    next(steps)
    world.now = 5
    assert steps.send(None).seconds == 25  # type: ignore[union-attr]  # a Wait
    holding._hear(told(10, 5))
    assert steps.send(None).seconds == 9  # type: ignore[union-attr]  # a Wait
    world.now = 14
    with pytest.raises(StopIteration):
        steps.send(None)
