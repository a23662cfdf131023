"""The ledger's rules, on values alone."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prepaid.core.amounts import MICRO, MOST_MICRO, Credits, Money
from prepaid.core.books import Account, Books
from prepaid.core.checkouts import Checkout, News, State
from prepaid.core.commands import (
    Charge,
    Command,
    Expire,
    Expired,
    Give,
    Outcome,
    Posted,
    Tell,
    Told,
    Verdict,
)
from prepaid.core.entries import Entry, Kind
from prepaid.core.errors import (
    BalanceTooLarge,
    InsufficientCredits,
    InvalidCredits,
    InvalidExpiry,
    InvalidKey,
    KeyReused,
    Refusal,
    UnknownAccount,
)
from prepaid.core.grants import Grant, ordered
from prepaid.core.ledger import Deciding, decide, fingerprint
from samples import AT, OFFER, PAID, granted

EMPTY = Account("ada", Credits(0), 0)

GIVE = Give(
    id=UUID(int=7),
    account_uid="ada",
    key="welcome",
    credits=Credits.of(5),
    kind=Kind.PROMOTION,
    reason="a warm welcome",
    actor="grace",
)


def books(*checkouts: Checkout, account: Account = EMPTY) -> Books:
    return Books(
        accounts={account.uid: account},
        checkouts={checkout.id: checkout for checkout in checkouts},
    )


def outcomes(state: Books, *commands: Command) -> list[Outcome]:
    return decide(state, commands, AT).outcomes


def refusal(state: Books, command: Command) -> Refusal:
    decision = decide(state, [command], AT)
    (outcome,) = decision.outcomes
    assert isinstance(outcome, Refusal)
    assert not (decision.entries)
    assert not decision.granted
    assert not (decision.accounts)
    return outcome


def entry_of(outcome: Outcome) -> Entry:
    assert isinstance(outcome, Posted | Told)
    assert outcome.entry is not None
    return outcome.entry


# Grants by an operator.


def test_a_grant_raises_the_balance_and_says_who_and_why() -> None:
    decision = decide(books(), [GIVE], AT)
    (entry,) = decision.entries
    assert (entry.number, entry.credits, entry.balance) == (1, Credits.of(5), Credits.of(5))
    assert (entry.kind, entry.reason, entry.actor) == (Kind.PROMOTION, "a warm welcome", "grace")
    (grant,) = decision.granted.values()
    assert (grant.id, grant.remaining, grant.paid) == (GIVE.id, Credits.of(5), None)
    assert decision.accounts["ada"] == Account("ada", Credits.of(5), 1)


def test_the_same_key_with_the_same_content_is_answered_with_the_first_outcome() -> None:
    first, second = outcomes(books(), GIVE, replace(GIVE, id=UUID(int=8)))
    assert isinstance(second, Posted)
    assert second.replayed
    assert entry_of(second) == entry_of(first)


def test_the_same_key_by_another_operator_is_the_same() -> None:
    _, second = outcomes(books(), GIVE, replace(GIVE, actor="edsger"))
    assert isinstance(second, Posted)


@pytest.mark.parametrize(
    "other",
    [
        replace(GIVE, credits=Credits.of(6)),
        replace(GIVE, reason="another reason"),
        replace(GIVE, kind=Kind.ADJUSTMENT),
        replace(GIVE, expires_at=AT),
    ],
)
def test_the_same_key_with_other_content_is_refused(other: Give) -> None:
    _, second = outcomes(books(), GIVE, other)
    assert isinstance(second, KeyReused)


def test_accounts_have_keys_of_their_own() -> None:
    state = books()
    state.accounts["bob"] = Account("bob", Credits(0), 0)
    first, second = outcomes(state, GIVE, replace(GIVE, account_uid="bob", id=UUID(int=8)))
    assert (entry_of(first).account_uid, entry_of(second).account_uid) == ("ada", "bob")


@pytest.mark.parametrize("credits_", [Credits(0), Credits(-1)])
def test_nothing_is_not_granted(credits_: Credits) -> None:
    assert isinstance(refusal(books(), replace(GIVE, credits=credits_)), InvalidCredits)


def test_an_unknown_account_is_refused() -> None:
    assert isinstance(refusal(books(), replace(GIVE, account_uid="eve")), UnknownAccount)


def test_an_account_holds_so_much_and_no_more() -> None:
    full = Account("ada", Credits(MOST_MICRO) - GIVE.credits, 0)
    assert entry_of(outcomes(books(account=full), GIVE)[0]).balance == Credits(MOST_MICRO)
    over = replace(full, balance=full.balance + Credits(1))
    assert isinstance(refusal(books(account=over), GIVE), BalanceTooLarge)


def test_nobody_takes_the_key_of_a_purchase() -> None:
    assert isinstance(refusal(books(), replace(GIVE, key="stripe:cs_test_1")), InvalidKey)


def test_the_fingerprint_never_changes_its_form() -> None:
    """Keys are kept for good: a new form would turn every retry into a conflict."""
    assert fingerprint(GIVE).hex() == "6fcc293320129fe722f140526fdfa276"


# Charges.

CHARGE = Charge(
    id=UUID(int=9),
    account_uid="ada",
    key="run-1",
    credits=Credits.of(3),
    resource="kernel k1",
    reason="a minute of gpu",
    actor="runner",
)


def rich(*grants: Grant) -> Books:
    """Books in which ada has these grants, and bob has nothing."""
    total = sum((grant.remaining for grant in grants), Credits(0))
    state = books(account=Account("ada", total, 7))
    state.accounts["bob"] = Account("bob", Credits(0), 0)
    state.grants = {"ada": ordered(grants), "bob": {}}
    return state


def left(state: Books) -> dict[int, int]:
    """What each of ada's grants has left, in credits."""
    return {one.id.int: one.remaining.micro // MICRO for one in state.grants["ada"].values()}


def test_a_charge_lowers_the_balance_and_says_what_for() -> None:
    decision = decide(rich(granted(1, 10)), [CHARGE], AT)
    (entry,) = decision.entries
    assert (entry.kind, entry.credits, entry.balance) == (
        Kind.CHARGE,
        Credits.of(-3),
        Credits.of(7),
    )
    assert (entry.number, entry.source, entry.reason) == (8, "kernel k1", "a minute of gpu")
    assert decision.drawn[UUID(int=1)].remaining == Credits.of(7)


def test_a_charge_beyond_the_balance_is_refused_with_both_figures() -> None:
    refused = refusal(rich(granted(1, 2)), CHARGE)
    assert isinstance(refused, InsufficientCredits)
    assert (refused.asked, refused.available) == ("3", "2")


def test_the_last_credit_can_be_spent() -> None:
    state = rich(granted(1, 3))
    assert entry_of(outcomes(state, CHARGE)[0]).balance == Credits(0)
    assert isinstance(refusal(state, replace(CHARGE, key="more", credits=Credits(1))), Refusal)


def test_the_same_charge_is_made_once() -> None:
    first, second = outcomes(rich(granted(1, 10)), CHARGE, replace(CHARGE, id=UUID(int=10)))
    assert isinstance(second, Posted)
    assert second.replayed
    assert entry_of(second) == entry_of(first)


@pytest.mark.parametrize(
    "other",
    [
        replace(CHARGE, credits=Credits.of(4)),
        replace(CHARGE, resource="kernel k2"),
        replace(CHARGE, reason="another"),
    ],
)
def test_the_same_key_for_another_charge_is_refused(other: Charge) -> None:
    _, second = outcomes(rich(granted(1, 10)), CHARGE, other)
    assert isinstance(second, KeyReused)


def test_a_key_of_a_grant_is_not_a_charges() -> None:
    _, second = outcomes(rich(granted(1, 10)), GIVE, replace(CHARGE, key=GIVE.key))
    assert isinstance(second, KeyReused)


@pytest.mark.parametrize(
    ("charge", "why"),
    [
        (replace(CHARGE, credits=Credits(0)), InvalidCredits),
        (replace(CHARGE, credits=Credits(-1)), InvalidCredits),
        (replace(CHARGE, account_uid="eve"), UnknownAccount),
        (replace(CHARGE, account_uid="bob"), InsufficientCredits),
        (replace(CHARGE, key="stripe:cs_test_1"), InvalidKey),
        (replace(CHARGE, key="expiry:1"), InvalidKey),
    ],
)
def test_a_charge_that_makes_no_sense_is_refused(charge: Charge, why: type[Refusal]) -> None:
    assert isinstance(refusal(rich(granted(1, 10)), charge), why)


def test_what_was_given_is_spent_first_then_what_expires_soonest_then_the_oldest() -> None:
    state = rich(
        granted(1, 10),
        granted(2, 10),
        granted(3, 10, Kind.PROMOTION),
        granted(4, 10, Kind.PROMOTION, days=30),
        granted(5, 10, Kind.PROMOTION, days=3),
        granted(6, 10, Kind.ADJUSTMENT),
    )
    spent = []
    for number in range(12):
        before = left(state)
        outcomes(state, replace(CHARGE, key=str(number), credits=Credits.of(5)))
        spent += [one for one, credits_ in left(state).items() if credits_ != before[one]]
    assert spent == [5, 5, 4, 4, 3, 3, 6, 6, 1, 1, 2, 2]


def test_a_charge_may_draw_from_several_grants() -> None:
    state = rich(granted(1, 2), granted(2, 2))
    outcomes(state, CHARGE)
    assert left(state) == {1: 0, 2: 1}


@given(
    wholes=st.lists(st.integers(-4, 4).filter(bool), max_size=12),
    first=st.integers(0, 12),
)
def test_what_is_decided_bit_by_bit_is_what_is_decided_at_once(
    wholes: list[int], first: int
) -> None:
    """Gifts and charges, of which some are refused."""
    commands: list[Command] = [
        replace(CHARGE, key=f"{number}", credits=Credits.of(whole))
        if whole > 0
        else replace(GIVE, id=UUID(int=number), key=f"{number}", credits=Credits.of(-whole))
        for number, whole in enumerate(wholes)
    ]
    state, later = rich(granted(99, 5)), rich(granted(99, 5))
    at_once, deciding = decide(state, commands, AT), Deciding(later, AT)
    deciding.go_on(commands[:first])
    bit_by_bit = deciding.go_on(commands[first:])
    assert [*map(str, bit_by_bit.outcomes)] == [*map(str, at_once.outcomes)]
    assert bit_by_bit.entries == at_once.entries
    assert later == state


@pytest.mark.parametrize(
    ("kind", "days", "drawn_from"),
    [
        (Kind.PROMOTION, 2, "given"),
        (Kind.PROMOTION, None, "2"),
        (Kind.ADJUSTMENT, None, "2"),
        (Kind.PURCHASE, 1, "2"),
    ],
)
def test_what_comes_in_the_same_batch_has_its_place_among_what_was_there(
    kind: Kind, days: int | None, drawn_from: str
) -> None:
    state = rich(granted(1, 10), granted(2, 10, Kind.PROMOTION, days=5))
    expires = None if days is None else AT + timedelta(days=days)
    given_ = replace(GIVE, kind=kind, expires_at=expires)
    decision = decide(state, [given_, replace(CHARGE, credits=Credits.of(1))], AT)
    names = {id_: "given" if id_ == GIVE.id else str(id_.int) for id_ in state.grants["ada"]}
    less = [names[one.id] for one in state.grants["ada"].values() if one.remaining != one.credits]
    assert less == [drawn_from]
    assert [*state.grants["ada"]] == [*ordered(state.grants["ada"].values())]
    assert set(decision.granted) == {GIVE.id}


def test_credits_that_come_in_the_same_batch_can_be_spent_in_it() -> None:
    decision = decide(rich(), [GIVE, CHARGE], AT)
    assert decision.granted[GIVE.id].remaining == Credits.of(2)
    assert decision.drawn == {}


def test_no_more_is_spent_than_the_grants_hold_whatever_the_balance_says() -> None:
    state = rich(granted(1, 2))
    state.accounts["ada"] = Account("ada", Credits.of(100), 7)
    assert isinstance(refusal(state, CHARGE), InsufficientCredits)


# Expiry.


def test_what_is_left_of_a_grant_expires_at_its_instant() -> None:
    state = rich(granted(1, 10), granted(2, 5, Kind.PROMOTION, days=-1))
    (expired,) = outcomes(state, Expire("ada"))
    assert isinstance(expired, Expired)
    (entry,) = expired.entries
    assert (entry.kind, entry.credits, entry.balance) == (
        Kind.EXPIRY,
        Credits.of(-5),
        Credits.of(10),
    )
    assert entry.at == AT - timedelta(days=1)
    assert entry.source == str(UUID(int=2))
    assert left(state) == {1: 10, 2: 0}


def test_nothing_expires_twice() -> None:
    state = rich(granted(2, 5, Kind.PROMOTION, days=-1))
    _, again = outcomes(state, Expire("ada"), Expire("ada"))
    assert again == Expired(())


def test_what_has_expired_is_not_spent_even_before_the_sweep() -> None:
    state = rich(granted(1, 1), granted(2, 5, Kind.PROMOTION, days=-1))
    decision = decide(state, [CHARGE], AT)
    (refused,) = decision.outcomes
    assert isinstance(refused, InsufficientCredits)
    assert refused.available == "1"
    assert [entry.kind for entry in decision.entries] == [Kind.EXPIRY]


def test_a_grant_lives_until_its_instant() -> None:
    state = rich(granted(2, 5, Kind.PROMOTION, days=0))
    assert decide(state, [Expire("ada")], AT - timedelta(microseconds=1)).entries == []
    assert len(decide(state, [Expire("ada")], AT).entries) == 1


def test_credits_that_are_over_are_not_granted() -> None:
    assert isinstance(refusal(books(), replace(GIVE, expires_at=AT)), InvalidExpiry)


def test_an_account_without_grants_expires_nothing() -> None:
    assert outcomes(books(), Expire("ada")) == [Expired(())]


# What events say of checkouts.


def test_a_paid_checkout_grants_what_was_offered() -> None:
    decision = decide(books(OFFER), [PAID], AT)
    (entry,) = decision.entries
    assert (entry.credits, entry.kind, entry.source) == (Credits.of(50), Kind.PURCHASE, "cs_test_1")
    assert entry.key == "stripe:cs_test_1"
    (grant,) = decision.granted.values()
    assert (grant.id, grant.paid) == (OFFER.id, Money(500, "usd"))
    assert decision.checkouts[OFFER.id].state is State.CREDITED
    assert decision.inbox["evt_1"] == (PAID, Told(Verdict.APPLIED, entry=entry), "ada")


def test_one_event_told_twice_grants_once() -> None:
    decision = decide(books(OFFER), [PAID, PAID], AT)
    assert len(decision.entries) == 1
    assert decision.outcomes[1] == Told(Verdict.APPLIED, repeated=True)


def test_two_events_about_one_payment_grant_once() -> None:
    decision = decide(books(OFFER), [PAID, replace(PAID, event_id="evt_2")], AT)
    assert len(decision.entries) == 1
    assert decision.outcomes[1] == Told(Verdict.APPLIED)
    assert set(decision.inbox) == {"evt_1", "evt_2"}


def test_a_pending_payment_grants_nothing_yet() -> None:
    decision = decide(books(OFFER), [replace(PAID, news=News.PENDING)], AT)
    assert decision.entries == []
    assert decision.checkouts[OFFER.id].state is State.PROCESSING


def test_news_of_an_unknown_checkout_are_quarantined() -> None:
    for claim in (PAID.claim, replace(PAID.claim, checkout_id=None)):
        (told,) = outcomes(books(), replace(PAID, claim=claim))
        assert isinstance(told, Told)
        assert told.verdict is Verdict.QUARANTINED


def test_what_does_not_match_the_offer_is_quarantined_with_the_reason() -> None:
    cheap = replace(PAID, claim=replace(PAID.claim, subtotal=Money(5, "usd")))
    decision = decide(books(OFFER), [cheap], AT)
    (told,) = decision.outcomes
    assert told == Told(Verdict.QUARANTINED, "amount is 5, the checkout has 500")
    assert not (decision.entries)
    assert not (decision.checkouts)
    assert not (decision.accounts)


def test_a_session_completed_for_nothing_is_quarantined() -> None:
    (told,) = outcomes(books(OFFER), replace(PAID, news=News.FREE))
    assert told == Told(Verdict.QUARANTINED, "the session was completed without a payment")


def test_a_purchase_that_an_account_cant_hold_is_quarantined_not_lost() -> None:
    full = Account("ada", Credits(MOST_MICRO), 3)
    decision = decide(books(OFFER, account=full), [PAID], AT)
    (told,) = decision.outcomes
    assert isinstance(told, Told)
    assert told.verdict is Verdict.QUARANTINED
    assert "holds at most" in told.why
    assert not decision.checkouts


def test_a_quarantined_event_is_judged_again_when_it_is_sent_again() -> None:
    state = books(OFFER)
    state.verdicts["evt_1"] = Verdict.QUARANTINED
    assert entry_of(outcomes(state, PAID)[0]).credits == Credits.of(50)


# Whatever comes.

KEYS = ("a", "b", "c")
gives = st.builds(
    replace,
    st.just(GIVE),
    id=st.uuids(),
    key=st.sampled_from(KEYS),
    account_uid=st.sampled_from(["ada", "bob", "nobody"]),
    credits=st.integers(-2, 5).map(Credits.of),
)
tells = st.builds(
    replace,
    st.just(PAID),
    event_id=st.sampled_from(["evt_1", "evt_2", "evt_3"]),
    news=st.sampled_from(list(News)),
)
charges = st.builds(
    replace,
    st.just(CHARGE),
    id=st.uuids(),
    key=st.sampled_from(("a", "x", "y", "z")),
    account_uid=st.sampled_from(["ada", "bob", "nobody"]),
    credits=st.integers(-1, 30).map(Credits.of),
)
expiries = st.builds(Expire, st.sampled_from(["ada", "bob", "nobody"]))
histories = st.lists(st.one_of(gives, tells, charges, expiries), max_size=12)


def start() -> Books:
    state = rich(granted(5, 4), granted(6, 3, Kind.PROMOTION, days=-1), granted(8, 2, days=5))
    state.checkouts = {OFFER.id: OFFER}
    return state


@given(histories)
def test_what_is_posted_is_what_balances_change_by(history: Sequence[Command]) -> None:
    before, state = start(), start()
    decision = decide(state, history, AT)
    for uid, account in state.accounts.items():
        posted = [entry for entry in decision.entries if entry.account_uid == uid]
        total = sum((entry.credits for entry in posted), Credits(0))
        assert account.balance == before.accounts[uid].balance + total
        first = before.accounts[uid].last_entry + 1
        assert [entry.number for entry in posted] == list(range(first, account.last_entry + 1))


@given(histories)
def test_no_balance_is_ever_negative_and_grants_hold_all_of_it(history: Sequence[Command]) -> None:
    state = start()
    decision = decide(state, history, AT)
    assert all(entry.balance.micro >= 0 for entry in decision.entries)
    for uid, account in state.accounts.items():
        held_ = sum((one.remaining for one in state.grants[uid].values()), Credits(0))
        assert held_ == account.balance
        assert all(one.remaining.micro >= 0 for one in state.grants[uid].values())


@given(histories, st.integers(0, 12))
def test_a_batch_equals_its_two_halves(history: Sequence[Command], at: int) -> None:
    whole, halves = start(), start()
    together = decide(whole, history, AT)
    first = decide(halves, history[:at], AT)
    second = decide(halves, history[at:], AT)
    assert list(map(repr, together.outcomes)) == list(map(repr, first.outcomes + second.outcomes))
    assert together.entries == first.entries + second.entries
    assert whole == halves


@given(st.lists(st.one_of(gives, tells, expiries), max_size=12))
def test_telling_a_history_twice_changes_nothing(history: Sequence[Command]) -> None:
    state = start()
    decide(state, history, AT)
    before = deepcopy(state)
    again = decide(state, history, AT)
    assert again.entries == []
    assert state.accounts == before.accounts
    assert state.checkouts == before.checkouts


@given(histories)
def test_a_payment_is_granted_exactly_once(history: Sequence[Command]) -> None:
    decision = decide(start(), history, AT)
    purchases = [entry for entry in decision.entries if entry.kind is Kind.PURCHASE]
    paid = any(isinstance(one, Tell) and one.news is News.PAID for one in history)
    first_news: dict[str, News] = {}
    for one in history:
        if isinstance(one, Tell) and first_news.get(one.event_id) in {None, News.FREE}:
            first_news[one.event_id] = one.news
    assert len(purchases) == (1 if News.PAID in first_news.values() else 0)
    assert paid or not purchases
