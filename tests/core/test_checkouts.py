"""What news does to a checkout, in whatever order it comes."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Claim, News, State, after, mismatches
from samples import AT, CLAIM, OFFER


def state_after(*news: News) -> State:
    checkout = OFFER
    for one in news:
        checkout = after(checkout, one, CLAIM, AT)
    return checkout.state


def test_a_payment_is_remembered_with_its_tax() -> None:
    paid = after(OFFER, News.PAID, CLAIM, AT)
    assert (paid.state, paid.paid_total, paid.credited_at) == (
        State.CREDITED,
        Money(600, "usd"),
        AT,
    )
    assert (paid.session_id, paid.payment_intent) == ("cs_test_1", "pi_1")


@given(st.lists(st.sampled_from(list(News))))
def test_no_news_undoes_a_payment(news: list[News]) -> None:
    assert (state_after(*news) is State.CREDITED) == (News.PAID in news)


@pytest.mark.parametrize(
    ("news", "state"),
    [
        ([], State.OPEN),
        ([News.PENDING], State.PROCESSING),
        ([News.PENDING, News.FAILED], State.FAILED),
        ([News.FAILED, News.PENDING], State.FAILED),
        ([News.EXPIRED], State.EXPIRED),
        ([News.EXPIRED, News.PENDING], State.EXPIRED),
        ([News.PENDING, News.EXPIRED], State.PROCESSING),
        ([News.FREE], State.OPEN),
    ],
)
def test_where_a_checkout_stands(news: list[News], state: State) -> None:
    assert state_after(*news) is state


def test_a_delayed_payment_that_went_through_is_credited_in_any_order() -> None:
    for order in permutations([News.PENDING, News.PAID, News.PAID]):
        assert state_after(*order) is State.CREDITED


def test_a_session_that_says_what_was_offered_matches() -> None:
    assert mismatches(OFFER, CLAIM) == []
    assert mismatches(replace(OFFER, session_id="cs_test_1"), CLAIM) == []


@pytest.mark.parametrize(
    ("claim", "what"),
    [
        (replace(CLAIM, mode="subscription"), "mode"),
        (replace(CLAIM, livemode=True), "livemode"),
        (replace(CLAIM, session_id="cs_2"), "session"),
        (replace(CLAIM, account_uid="eve"), "account"),
        (replace(CLAIM, customer_id="cus_2"), "customer"),
        (replace(CLAIM, customer_id=None), "customer"),
        (replace(CLAIM, price_id="price_1"), "price"),
        (replace(CLAIM, credits=Credits.of(500)), "credits"),
        (replace(CLAIM, subtotal=Money(500, "jpy")), "currency"),
        (replace(CLAIM, subtotal=Money(5, "usd")), "amount"),
    ],
)
def test_every_difference_is_named(claim: Claim, what: str) -> None:
    (difference,) = mismatches(replace(OFFER, session_id="cs_test_1"), claim)
    assert difference.startswith(f"{what} is ")
