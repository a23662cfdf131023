"""What can be taken back of a grant: what is left of it, and free."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.books import Account, Books
from prepaid.core.commands import Charge, Give, Posted, Reverse
from prepaid.core.entries import Kind
from prepaid.core.errors import InsufficientCredits, InvalidCredits, KeyReused, UnknownGrant
from prepaid.core.grants import PRIORITY, Grant, ordered
from prepaid.core.ledger import decide
from samples import AT

REVERSE = Reverse(
    id=UUID(int=9),
    account_uid="ada",
    key="refund",
    grant_id=UUID(int=1),
    credits=None,
    reason="its payment was refunded",
    actor="grace",
)


def grant(number: int, left: int, kind: Kind = Kind.PURCHASE) -> Grant:
    return Grant(
        account_uid="ada",
        id=UUID(int=number),
        kind=kind,
        priority=PRIORITY[kind],
        credits=Credits.of(50),
        remaining=Credits.of(left),
        paid=None,
        expires_at=None,
        at=AT,
    )


def books(*grants: Grant, reserved: int = 0) -> Books:
    balance = Credits(sum(one.remaining.micro for one in grants))
    return Books(
        accounts={"ada": Account("ada", balance, 7, reserved=Credits.of(reserved))},
        grants={"ada": ordered(grants)},
    )


def taken(state: Books, asked: Reverse = REVERSE) -> Credits | str:
    """What was taken back, or the code of the refusal."""
    (outcome,) = decide(state, [asked], AT).outcomes
    return -outcome.entry.credits if isinstance(outcome, Posted) else getattr(outcome, "code", "")


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 100))
def test_all_that_is_left_and_free_is_taken(left: int, beside: int, reserved: int) -> None:
    reserved = min(reserved, left + beside)
    state = books(grant(1, left), grant(2, beside), reserved=reserved)
    free = min(left, left + beside - reserved)
    assert taken(state) == (Credits.of(free) if free else InsufficientCredits.code)
    account = state.accounts["ada"]
    assert account.balance == Credits.of(left + beside - free)
    assert account.reserved <= account.balance
    assert state.grants["ada"][UUID(int=1)].remaining == Credits.of(left - free)
    assert state.grants["ada"][UUID(int=2)].remaining == Credits.of(beside)


def test_what_is_missing_is_all_that_is_left() -> None:
    (outcome,) = decide(books(grant(1, 20), reserved=20), [REVERSE], AT).outcomes
    assert str(outcome) == "Insufficient credits: 20 needed, 0 available."


def test_the_same_key_takes_once_whatever_has_come_since() -> None:
    state = books(grant(1, 20))
    first, again = decide(state, [REVERSE, replace(REVERSE, id=UUID(int=10))], AT).outcomes
    assert isinstance(first, Posted)
    assert again == replace(first, replayed=True)
    assert first.entry.source == str(UUID(int=1))
    assert taken(state, replace(REVERSE, credits=Credits.of(20))) == KeyReused.code


CHARGE = Charge(UUID(int=8), "ada", "spent", Credits.of(20), "", "", "runner")


@pytest.mark.parametrize("credits_", [None, Credits.of(1)])
def test_nothing_is_left_of_what_was_spent_before(credits_: Credits | None) -> None:
    """Also by a command of the same batch: an entry of nothing would hurt a constraint."""
    asked = replace(REVERSE, credits=credits_)
    _, outcome = decide(books(grant(1, 20)), [CHARGE, asked], AT).outcomes
    assert isinstance(outcome, UnknownGrant)


def test_what_a_batch_has_given_it_can_take_back() -> None:
    give = Give(UUID(int=1), "ada", "g", Credits.of(5), Kind.PROMOTION, "by mistake", "grace")
    commands: Sequence[Give | Reverse] = [give, REVERSE]
    decision = decide(books(), commands, AT)
    assert [entry.balance for entry in decision.entries] == [Credits.of(5), Credits(0)]
    assert decision.granted[UUID(int=1)].remaining == Credits(0)
    assert not decision.drawn


@pytest.mark.parametrize("micro", [0, -1])
def test_no_less_than_something_is_taken(micro: int) -> None:
    assert (
        taken(books(grant(1, 5)), replace(REVERSE, credits=Credits(micro))) == InvalidCredits.code
    )
