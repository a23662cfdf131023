"""What a reservation was promised, it has: credits that are claimed outlive their grant.

Ada has 10 credits for good, and 5 that expire after 25 seconds; a reservation, which is paid with
these first, claims 3.
"""

from uuid import UUID

from msgspec.structs import replace

from desks import HOLD, Desk, books, seconds
from prepaid.core.amounts import MICRO, Credits
from prepaid.core.commands import Charge, Expire, Release, Settle
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits
from prepaid.core.grants import ordered
from samples import AT, granted

PROMISED = replace(granted(2, 5, Kind.PROMOTION), expires_at=AT + seconds(25))
CLAIMS_THREE = replace(HOLD, limit=Credits.of(3))


def charge(credits_: Credits) -> Charge:
    return Charge(UUID(int=9), "ada", str(credits_), credits_, "kernel", "", "runner")


def left(desk: Desk) -> dict[int, int]:
    """What each of ada's grants has left, in credits."""
    mine = desk.books.grants["ada"].values()
    return {one.id.int: one.remaining.micro // MICRO for one in mine}


def claimed() -> tuple[Desk, UUID]:
    desk = Desk(books(granted(1, 10), PROMISED))
    id_ = desk.run(CLAIMS_THREE)
    return desk.wait(25), id_


def test_what_is_claimed_does_not_expire_and_the_rest_of_the_grant_does() -> None:
    desk, _ = claimed()
    desk.ask(Expire("ada"), Expire("ada"))
    (entry,) = desk.entries
    assert (entry.kind, entry.credits, entry.at) == (
        Kind.EXPIRY,
        Credits.of(-2),
        AT + seconds(25),
    )
    assert left(desk) == {1: 10, 2: 3}
    assert desk.available == Credits.of(10)


def test_what_was_claimed_and_not_needed_expires_when_it_is_freed() -> None:
    desk, id_ = claimed()
    desk.ask(Expire("ada"), Settle(id_, None, Credits.of(1)), Expire("ada"))
    assert [(one.kind, one.credits) for one in desk.entries] == [
        (Kind.EXPIRY, Credits.of(-2)),
        (Kind.SETTLEMENT, Credits.of(-1)),
        (Kind.EXPIRY, Credits.of(-2)),
    ]
    assert desk.entries[2].at == PROMISED.expires_at
    assert len({one.id for one in desk.entries}) == len({one.key for one in desk.entries}) == 3
    assert left(desk) == {1: 10, 2: 0}


def test_a_charge_takes_nothing_of_what_has_expired_for_others() -> None:
    desk, _ = claimed()
    desk.ask(charge(Credits.of(10)))
    assert left(desk) == {1: 0, 2: 3}
    assert isinstance(desk.refused(charge(Credits(1))), InsufficientCredits)


def test_a_settlement_is_paid_with_what_it_has_claimed_though_that_has_expired() -> None:
    desk, id_ = claimed()
    desk.ask(charge(Credits.of(10)), Settle(id_, None, Credits.of(3)))
    assert left(desk) == {1: 0, 2: 0}
    assert desk.ada.balance == Credits(0)


def test_a_claim_moves_to_what_is_spent_before() -> None:
    """What it lay on is free then, and expires."""
    desk, _ = claimed()
    first = replace(granted(3, 2, Kind.PROMOTION), expires_at=AT + seconds(20))
    desk.books.grants["ada"] = ordered([*desk.books.grants["ada"].values(), first])
    desk.books.accounts["ada"] = replace(desk.ada, balance=Credits.of(17))
    desk.ask(Expire("ada"))
    assert left(desk) == {1: 10, 2: 1, 3: 2}


def test_what_is_granted_for_good_is_not_touched_by_a_claim_that_expires_first() -> None:
    desk, id_ = claimed()
    desk.wait(35).ask(Expire("ada"), Release(id_, None), Expire("ada"))
    assert left(desk) == {1: 10, 2: 0}
    assert desk.available == Credits.of(10)
