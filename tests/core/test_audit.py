from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prepaid.core.amounts import Credits, Money
from prepaid.core.audit import (
    Audit,
    CreditedCheckout,
    Finding,
    Holdings,
    StoredEntry,
    StoredGrant,
    StoredReservation,
)
from prepaid.core.books import Account, Books, Decision
from prepaid.core.checkouts import Checkout, Claim, News, State
from prepaid.core.commands import Beat, Command, Give, Open, Settle, Tell
from prepaid.core.entries import Kind
from prepaid.core.ledger import decide

AT = datetime(2026, 11, 23, tzinfo=UTC)
UIDS = ("ada", "bob", "cyd")

gifts = st.tuples(
    st.sampled_from(UIDS),
    st.integers(1, 10**9),
    st.sampled_from([Kind.PROMOTION, Kind.ADJUSTMENT]),
)
purchases = st.tuples(st.sampled_from(UIDS), st.integers(1, 10**9), st.just(Kind.PURCHASE))
runs = st.tuples(st.sampled_from(UIDS), st.integers(1, 10**9), st.just(Kind.SETTLEMENT))
changes = st.lists(gifts | purchases | runs, max_size=20)


class Stored:
    """What a database would hold after the changes, as an audit reads it."""

    def __init__(self, happened: list[tuple[str, int, Kind]]) -> None:
        self.books = Books(accounts={uid: Account(uid, Credits(0), 0) for uid in UIDS})
        decision = self._decided(happened)
        self.accounts: dict[str, Account | None] = dict(self.books.accounts)
        self.entries = [_entry(decision, number) for number in range(len(decision.entries))]
        self.grants = [
            StoredGrant(one.account_uid, one.id, one.kind, one.credits, one.remaining)
            for one in decision.granted.values()
        ]
        self.checkouts = [
            CreditedCheckout(one.account_uid, one.id, one.credits, one.session_id)
            for one in decision.checkouts.values()
        ]
        self.reservations = [
            StoredReservation(
                *(one.account_uid, one.id, one.state, one.burning_rate, one.limit, one.reserved),
                one.spent,
            )
            for one in self.books.reservations.values()
        ]

    def findings(self) -> list[Finding]:
        held = {uid: Holdings(uid, account) for uid, account in self.accounts.items()}
        for grant in self.grants:
            held[grant.account_uid].grants[grant.id] = grant
        for checkout in self.checkouts:
            held[checkout.account_uid].checkouts[checkout.id] = checkout
        for one in self.reservations:
            held[one.account_uid].reservations[one.id] = one
        audit = Audit(held)
        entries = sorted(self.entries, key=lambda entry: (entry.account_uid, entry.number))
        return [found for entry in entries for found in audit.take(entry)] + audit.close()

    def _decided(self, happened: list[tuple[str, int, Kind]]) -> Decision:
        """What was given and bought, and what ran: every other run is settled, by an amount that
        its number says, and the rest run on."""
        commands: list[Command] = []
        self.books.grants = {uid: {} for uid in UIDS}
        for number, (uid, micro, kind) in enumerate(happened, 1):
            if kind is Kind.SETTLEMENT:
                commands += _run(number, uid, Credits(micro))
            elif kind is Kind.PURCHASE:
                offer = _offer(number, uid, Credits(micro))
                self.books.checkouts[offer.id] = offer
                commands.append(_paid(offer))
            else:
                commands.append(
                    Give(UUID(int=number), uid, f"k{number}", Credits(micro), kind, "why", "op")
                )
        return decide(self.books, commands, AT)


@given(changes)
def test_what_the_ledger_decides_passes_the_audit(happened: list[tuple[str, int, Kind]]) -> None:
    assert Stored(happened).findings() == []


@given(changes, st.sampled_from(UIDS), st.integers(1, 10**9))
def test_a_changed_balance_is_found_and_the_account_named(
    happened: list[tuple[str, int, Kind]], uid: str, micro: int
) -> None:
    stored = Stored(happened)
    account = stored.books.accounts[uid]
    stored.accounts[uid] = replace(account, balance=account.balance + Credits(micro))
    assert [found.account_uid for found in stored.findings()] == [uid]


@given(st.lists(gifts | purchases, min_size=1, max_size=20), st.data())
def test_a_lost_or_changed_row_is_found_and_the_account_named(
    happened: list[tuple[str, int, Kind]], data: st.DataObject
) -> None:
    stored = Stored(happened)
    tables: list[list[Any]] = [stored.entries, stored.grants, stored.checkouts]
    rows = data.draw(st.sampled_from(tables))
    if not rows:
        return
    row = data.draw(st.sampled_from(rows))
    rows.remove(row)
    if data.draw(st.booleans()):
        rows.append(replace(row, credits=row.credits + Credits(1)))
    assert {found.account_uid for found in stored.findings()} == {row.account_uid}


LIES: list[tuple[Callable[[StoredEntry], StoredEntry], str]] = [
    (
        lambda entry: replace(entry, balance=Credits.of(60)),
        "entry 1 says 60 credits were held after it; 0 before it and its 50 make 50",
    ),
    (
        lambda entry: replace(entry, number=3),
        "entry 3 follows entry 0: numbers are missing between them",
    ),
    (lambda entry: replace(entry, kind="gift"), "entry 1 has the kind 'gift', which there is not"),
    (
        lambda entry: replace(entry, kind="promotion"),
        "entry 1 is a promotion of 50 credits; its grant is a purchase of 50",
    ),
    (
        lambda entry: replace(entry, key="mine"),
        "entry 1 has the key 'mine'; its checkout's session is cs_1",
    ),
    (lambda entry: replace(entry, id=UUID(int=9)), "entry 1 has no grant"),
    (
        lambda entry: replace(entry, id=UUID(int=9)),
        "entry 1 is a purchase, and no credited checkout of this account has its id",
    ),
    (
        lambda entry: replace(entry, credits=Credits.of(60)),
        "entry 1 has 60 credits; its checkout sold 50",
    ),
    (
        lambda entry: replace(entry, credits=Credits.of(60)),
        "its grants have 50 left; its entries make 60",
    ),
    (
        lambda entry: replace(entry, number=3),
        "it says its last entry is 1; the last there is, is 3",
    ),
    (
        lambda entry: replace(entry, id=UUID(int=9)),
        f"grant {UUID(int=1)} of 50 has no entry",
    ),
    (
        lambda entry: replace(entry, id=UUID(int=9)),
        f"checkout {UUID(int=1)} is credited, and no purchase entry has its 50 credits",
    ),
]


@pytest.mark.parametrize(("lie", "sentence"), LIES)
def test_an_audit_says_what_differs(
    lie: Callable[[StoredEntry], StoredEntry], sentence: str
) -> None:
    stored = Stored([("ada", Credits.of(50).micro, Kind.PURCHASE)])
    stored.entries = [lie(stored.entries[0])]
    assert Finding("ada", sentence) in stored.findings()


RAN = [
    ("ada", Credits.of(50).micro, Kind.PROMOTION),
    ("ada", Credits.of(20).micro, Kind.SETTLEMENT),
    ("ada", Credits.of(10).micro, Kind.SETTLEMENT),
]
"""A reservation of 20 credits that was settled with one credit, and one of 10 that runs."""

UNTRUE: list[tuple[Callable[[StoredReservation], StoredReservation], str]] = [
    (
        lambda one: replace(one, spent=Credits(0)),
        "entry 2 is a settlement, and no reservation of this account has its id and a cost",
    ),
    (
        lambda one: replace(one, spent=Credits.of(2)),
        "entry 2 has -1 credits; its reservation has cost 2",
    ),
    (
        lambda one: replace(one, id=UUID(int=9)),
        f"reservation {UUID(int=9)} has cost 1, and no entry has its settlement",
    ),
    (
        lambda one: replace(one, state="running"),
        "its reserved is 10; its reservations make 30",
    ),
    (
        lambda one: replace(one, state="running"),
        "its number of open reservations is 1; its reservations make 2",
    ),
    (
        lambda one: replace(one, state="running", limit=None, burning_rate=Credits(3)),
        "its shared rate is 0; its reservations make 0.000003",
    ),
]


@pytest.mark.parametrize(("lie", "sentence"), UNTRUE)
def test_an_audit_says_how_a_reservation_differs(
    lie: Callable[[StoredReservation], StoredReservation], sentence: str
) -> None:
    stored = Stored(RAN)
    stored.reservations = [lie(stored.reservations[0]), stored.reservations[1]]
    assert Finding("ada", sentence) in stored.findings()


def test_a_settlement_has_its_reservations_key() -> None:
    stored = Stored(RAN)
    stored.entries[1] = replace(stored.entries[1], key="mine")
    sentence = f"entry 2 has the key 'mine'; its reservation is {UUID(int=2)}"
    assert stored.findings() == [Finding("ada", sentence)]


def test_an_entry_that_takes_credits_needs_no_grant() -> None:
    stored = Stored([("ada", Credits.of(50).micro, Kind.PROMOTION)])
    spent = replace(stored.entries[0], number=2, id=UUID(int=9), credits=Credits.of(-20))
    stored.entries.append(replace(spent, kind="adjustment", balance=Credits.of(30), key="k"))
    stored.grants = [replace(stored.grants[0], remaining=Credits.of(30))]
    stored.accounts["ada"] = Account("ada", Credits.of(30), 2)
    assert stored.findings() == []


def test_what_belongs_to_no_account_is_found() -> None:
    stored = Stored([("ada", 5, Kind.PROMOTION)])
    stored.accounts["ada"] = None
    sentence = "there is no such account, and something in the ledger is its"
    assert stored.findings() == [Finding("ada", sentence)]


def _entry(decision: Decision, number: int) -> StoredEntry:
    entry = decision.entries[number]
    return StoredEntry(
        account_uid=entry.account_uid,
        number=entry.number,
        id=entry.id,
        kind=entry.kind,
        credits=entry.credits,
        balance=entry.balance,
        key=entry.key,
    )


def _run(number: int, uid: str, limit: Credits) -> list[Command]:
    name = UUID(int=number)
    opened = Open(
        name, uid, f"k{number}", "pod", "runtime", "", Credits(0), limit, 30, "op", by_platform=True
    )
    if number % 2:
        return [opened, Beat(name, None)]
    return [opened, Settle(name, None, min(limit, Credits.of(1)))]


def _offer(number: int, uid: str, credits_: Credits) -> Checkout:
    return Checkout(
        id=UUID(int=number),
        account_uid=uid,
        state=State.OPEN,
        price_id="price_1",
        credits=credits_,
        units=1,
        price=Money(500, "usd"),
        livemode=False,
        customer_id="cus_1",
        return_url="https://example.com/back",
        automatic_tax=False,
        created_at=AT,
        expires_at=AT,
        session_id=f"cs_{number}",
    )


def _paid(offer: Checkout) -> Tell:
    claim = Claim(
        session_id=offer.session_id or "",
        checkout_id=offer.id,
        account_uid=offer.account_uid,
        price_id=offer.price_id,
        credits=offer.credits,
        subtotal=offer.price,
        total=offer.price,
        mode="payment",
        livemode=False,
        customer_id=offer.customer_id,
        payment_intent=None,
    )
    event = f"evt_{offer.session_id}"
    return Tell(event, "checkout.session.completed", News.PAID, claim, "{}")
