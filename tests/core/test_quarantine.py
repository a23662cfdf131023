"""What is told to do about an event in quarantine follows from why it is there."""

from msgspec.structs import replace

from prepaid.core.amounts import NOTHING
from prepaid.core.books import Account, Books
from prepaid.core.checkouts import News, mismatches
from prepaid.core.commands import Tell, Told, Verdict
from prepaid.core.ledger import decide
from prepaid.core.quarantine import remedy
from samples import AT, CLAIM, OFFER, PAID


def why(tell: Tell, *, known: bool = True) -> str:
    """Why the ledger puts an event aside."""
    books = Books(
        accounts={"ada": Account("ada", NOTHING, 0)},
        checkouts={OFFER.id: OFFER} if known else {},
        grants={"ada": {}},
    )
    (told,) = decide(books, [tell], AT).outcomes
    assert isinstance(told, Told)
    assert told.verdict is Verdict.QUARANTINED
    return told.why


def test_what_nobody_offered_is_granted_by_hand_if_it_was_paid() -> None:
    assert remedy(why(PAID, known=False)).startswith("If the buyer paid, grant the credits by hand")


def test_what_was_free_is_owed_to_nobody() -> None:
    assert "nothing is owed" in remedy(why(replace(PAID, news=News.FREE)))


def test_what_differs_is_compared_first() -> None:
    changed = replace(CLAIM, price_id="price_of_another", customer_id="cus_2")
    assert len(mismatches(OFFER, changed)) == 2
    assert remedy(why(replace(PAID, claim=changed))).startswith("Compare the session at Stripe")


def test_what_the_account_could_not_hold_is_sent_again() -> None:
    full = "1 more would make 1000000000 credits; an account holds at most 999999999.999999."
    assert "send the event again" in remedy(full)
