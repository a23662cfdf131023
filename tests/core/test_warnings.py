"""What is told of a reservation, and when time next does something to it."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from desks import HOLD, LIMITED, Desk, rich, seconds
from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.commands import Beat, ChangeRate, Charge, Extend, Give, Lapse, Release, Settle
from prepaid.core.entries import Kind
from prepaid.core.notices import Notice, NoticeType
from prepaid.core.reservations import State
from samples import AT, KERNEL

WARN = (20, 5)
FORTY_SECONDS = replace(LIMITED, limit=Credits.of(20))


def told(desk: Desk) -> list[str]:
    """What was told, by its last word; and forgotten."""
    words = [one.type.rpartition(".")[2] for one in desk.notices]
    desk.notices.clear()
    return words


# What is told.


def test_an_opening_is_told_with_what_it_is() -> None:
    desk = rich()
    one = desk.open()
    assert desk.notices == [
        Notice(
            account_uid="ada",
            number=1,
            type=NoticeType.OPENED,
            at=AT,
            reservation_id=one.id,
            resource="k1",
            resource_type="runtime",
            state=State.PENDING,
            burning_rate=KERNEL.burning_rate,
            used=NOTHING,
            time_left=seconds(200),
            why="",
        )
    ]


def test_nothing_is_told_of_heartbeats_and_replays() -> None:
    desk = rich()
    id_ = desk.run()
    told(desk)
    desk.held(KERNEL)
    desk.wait(10).held(Beat(id_, None))
    desk.held(Extend(id_, None, None))
    desk.wait(10).sweep(id_)
    assert told(desk) == []


def test_each_change_and_each_end_is_told_once() -> None:
    desk = rich()
    id_ = desk.run(LIMITED)
    desk.held(Extend(id_, None, Credits.of(30)))
    desk.held(Extend(id_, None, Credits.of(30)))
    desk.held(ChangeRate(id_, None, Credits.of(1)))
    desk.wait(3).held(Settle(id_, None))
    desk.held(Settle(id_, None))
    assert told(desk) == ["opened", "changed", "changed", "ended"]


def test_an_end_is_told_with_its_instant_its_cost_and_why() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(30).sweep(id_)
    lost = desk.notices[-1]
    assert (lost.type, lost.state, lost.at) == (
        NoticeType.ENDED,
        State.LOST,
        AT + seconds(10),
    )
    assert (lost.used, lost.time_left, lost.why) == (
        Credits.of(5),
        timedelta(0),
        "its heartbeats stopped",
    )


def test_depletion_is_told_by_its_own_name() -> None:
    desk = rich()
    id_ = desk.run(FORTY_SECONDS)
    desk.wait(50).ask(Beat(id_, None))
    depleted = desk.notices[-1]
    assert (depleted.type, depleted.at) == (NoticeType.DEPLETED, AT + seconds(40))
    assert depleted.used == Credits.of(20)


def test_a_release_is_told() -> None:
    desk = rich()
    desk.held(Release(desk.open().id, None))
    assert told(desk) == ["opened", "ended"]


def test_an_accounts_notices_are_numbered_without_gaps() -> None:
    desk = rich()
    give = Give(UUID(int=8), "bob", "k", Credits.of(99), Kind.PROMOTION, "", "grace")
    desk.ask(give, replace(KERNEL, account_uid="bob", id=UUID(int=9)))
    for _ in range(3):
        desk.held(Settle(desk.run(replace(KERNEL, key=str(desk.at))), None))
        desk.wait(1)
    assert [one.number for one in desk.notices if one.account_uid == "ada"] == [1, 2, 3, 4, 5, 6]
    assert [one.number for one in desk.notices if one.account_uid == "bob"] == [1]


# Warnings.


def test_its_holder_is_warned_once_at_each_number_of_seconds_left() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(FORTY_SECONDS)
    told(desk)
    heard = {}
    for second in range(1, 41):
        desk.wait(1).ask(Beat(id_, None))
        heard[second] = told(desk)
    assert {second: words for second, words in heard.items() if words} == {
        20: ["warned"],
        35: ["warned"],
        40: ["depleted"],
    }


def test_a_warning_says_how_long_it_can_go_on() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(FORTY_SECONDS)
    desk.wait(21).held(Beat(id_, None))
    assert (desk.notices[-1].type, desk.notices[-1].time_left) == (
        NoticeType.WARNED,
        seconds(19),
    )


def test_who_was_warned_is_warned_again_after_it_could_go_on() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(FORTY_SECONDS)
    told(desk)
    desk.wait(21).held(Beat(id_, None))
    desk.held(Extend(id_, None, Credits.of(30)))
    desk.wait(20).held(Beat(id_, None))
    assert told(desk) == ["warned", "changed", "warned"]


def test_who_passes_two_numbers_at_once_is_warned_once() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(FORTY_SECONDS)
    told(desk)
    desk.wait(36).held(Beat(id_, None))
    assert told(desk) == ["warned"]
    assert desk.one(id_).warned == 5


def test_who_begins_with_little_knows_it() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(replace(LIMITED, limit=Credits.of(2)))
    desk.wait(1).held(Beat(id_, None))
    assert told(desk) == ["opened"]


def test_without_a_limit_it_is_warned_of_the_end_of_the_whole_balance() -> None:
    """100 credits at half a credit a second last 200 seconds, whatever the slice."""
    desk = rich(warn=WARN)
    id_ = desk.run()
    told(desk)
    for _ in range(17):
        desk.wait(10).held(Beat(id_, None))
    assert told(desk) == []
    desk.wait(10).held(Beat(id_, None))
    assert told(desk) == ["warned"]


def test_what_others_spend_is_noticed_at_the_next_heartbeat() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run()
    told(desk)
    desk.ask(Charge(UUID(int=9), "ada", "c", Credits.of(80), "kernel", "", "runner"))
    desk.wait(10).held(Beat(id_, None))
    assert told(desk) == []
    desk.wait(10).held(Beat(id_, None))
    assert told(desk) == ["warned"]


def test_what_does_not_burn_warns_nobody() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(HOLD)
    desk.wait(10).held(Beat(id_, None))
    assert told(desk) == ["opened"]
    assert desk.one(id_).warned is None


def test_nobody_is_warned_of_what_is_over() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(replace(FORTY_SECONDS, heartbeat_seconds=60))
    told(desk)
    assert desk.wait(41).sweep(id_).state is State.DEPLETED
    assert told(desk) == ["depleted"]


# When time comes next.


def test_what_is_pending_is_due_when_its_grace_ends() -> None:
    assert rich().open(replace(LIMITED, limit=Credits.of(3))).due_at == AT + seconds(30)


def test_what_has_a_limit_is_due_when_it_runs_out() -> None:
    desk = rich()
    id_ = desk.run(replace(LIMITED, limit=Credits.of(3)))
    assert desk.one(id_).due_at == AT + seconds(6)


def test_what_beats_is_due_when_its_next_grace_ends() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(10).held(Beat(id_, None))
    assert desk.one(id_).due_at == AT + seconds(40)


def test_what_is_to_be_warned_is_due_then() -> None:
    desk = rich(warn=WARN)
    id_ = desk.run(FORTY_SECONDS)
    assert desk.one(id_).due_at == AT + seconds(20)


def test_what_ran_out_in_silence_is_due_when_its_grace_ends() -> None:
    desk = rich()
    id_ = desk.run(replace(LIMITED, limit=Credits.of(12)))
    assert desk.one(id_).due_at == AT + seconds(24)
    assert desk.wait(24).sweep(id_).due_at == AT + seconds(30)


def test_what_was_due_while_the_service_was_away_is_due_when_its_new_grace_ends() -> None:
    desk = rich()
    id_ = desk.run()
    desk.wait(100)
    held = desk.held(Lapse(id_, grace_from=desk.at))
    assert held.reservation.due_at == AT + seconds(130)
