"""Totals: whatever is granted and drawn, what is not left, expired or taken back was spent."""

from hypothesis import given
from hypothesis import strategies as st

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.entries import Kind
from prepaid.core.totals import Given, Totals, total

amounts = st.integers(0, 10**15).map(Credits)


@given(st.lists(st.tuples(amounts, amounts, amounts, amounts), max_size=5))
def test_what_came_in_is_spent_gone_or_left(grants: list[tuple[Credits, ...]]) -> None:
    """Of each grant a part was spent, one has expired, one was taken back, and one is left."""
    spent, expired, taken, left = (total(one[place] for one in grants) for place in range(4))
    came = total(part for one in grants for part in one)
    found = Totals((), (Given(Kind.PROMOTION, len(grants), came, left),), expired, taken)
    assert found.spent == spent
    assert found.outstanding == left


def test_an_example() -> None:
    bought = Given(Kind.PURCHASE, 2, Credits.of(170), Credits.of(100))
    given_ = Given(Kind.PROMOTION, 1, Credits.of(10), NOTHING)
    found = Totals((), (bought, given_), expired=Credits.of(4), reversed=Credits.of(1))
    assert found.outstanding == Credits.of(100)
    assert found.spent == Credits.of(75)
