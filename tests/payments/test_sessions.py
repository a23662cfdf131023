import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from local_stripe import Json
from prepaid.core.amounts import MICRO, MOST_MICRO, Credits, Money
from prepaid.core.checkouts import Checkout, State, mismatches
from prepaid.payments.sessions import StripeSession, claim_of, deployment_of, metadata
from samples import OFFER

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDS = st.from_regex(r"[A-Za-z0-9_]{1,255}", fullmatch=True)
UIDS = st.from_regex(r"[!-~]{1,128}", fullmatch=True)
OFFERS = st.builds(
    Checkout,
    id=st.uuids(),
    account_uid=UIDS,
    state=st.just(State.OPEN),
    price_id=IDS,
    credits=st.integers(1, MOST_MICRO).map(Credits),
    units=st.integers(1, MOST_MICRO // MICRO),
    price=st.builds(Money, st.integers(1, 99_999_999), st.sampled_from(["usd", "jpy", "bhd"])),
    livemode=st.booleans(),
    customer_id=IDS,
    return_url=st.just("https://example.com/"),
    automatic_tax=st.booleans(),
    created_at=st.just(NOW),
    expires_at=st.just(NOW + timedelta(hours=1)),
    session_id=st.none() | st.just("cs_test_1"),
)
DEPLOYMENT = UUID(int=7)


def session_of(checkout: Checkout) -> StripeSession:
    """The session of a checkout, as Stripe tells it once it is paid."""
    return StripeSession(
        id=checkout.session_id or "cs_test_1",
        livemode=checkout.livemode,
        mode="payment",
        status="complete",
        payment_status="paid",
        amount_subtotal=checkout.price.minor,
        amount_total=checkout.price.minor + 7,
        currency=checkout.price.currency,
        customer=checkout.customer_id,
        payment_intent="pi_1",
        metadata=metadata(checkout, DEPLOYMENT),
    )


def changed(session: StripeSession, **fields: object) -> StripeSession:
    told = {name: getattr(session, name) for name in session.__struct_fields__}
    return StripeSession(**(told | fields))


@given(OFFERS)
def test_what_is_written_into_a_session_is_read_back(checkout: Checkout) -> None:
    session = session_of(checkout)
    claim = claim_of(session)
    assert mismatches(checkout, claim) == []
    assert claim.checkout_id == checkout.id
    assert claim.total == Money(checkout.price.minor + 7, checkout.price.currency)
    assert deployment_of(session) == str(DEPLOYMENT)


@given(OFFERS, st.data())
def test_every_single_altered_field_is_a_mismatch(checkout: Checkout, data: st.DataObject) -> None:
    honest = session_of(checkout)
    what, altered = data.draw(st.sampled_from(alterations(replace(checkout, session_id="cs_1"))))
    known = replace(checkout, session_id="cs_1")
    told = mismatches(known, claim_of(changed(honest, **({"id": "cs_1"} | altered))))
    assert len(told) == 1, told
    assert told[0].startswith(f"{what} is ")


def alterations(checkout: Checkout) -> list[tuple[str, Json]]:
    """Each thing that somebody could change at Stripe, and what we call it."""
    price, written = checkout.price, metadata(checkout, DEPLOYMENT)
    fields: list[tuple[str, Json]] = [
        ("mode", {"mode": "subscription"}),
        ("livemode", {"livemode": not checkout.livemode}),
        ("session", {"id": "cs_test_2"}),
        ("customer", {"customer": f"{checkout.customer_id[:250]}_2"}),
        ("customer", {"customer": None}),
        ("currency", {"currency": "eur"}),
        ("currency", {"currency": None}),
        ("amount", {"amount_subtotal": price.minor + 1}),
        ("amount", {"amount_subtotal": price.minor - 1}),
        ("amount", {"amount_subtotal": None}),
        ("account", {"metadata": written | {"prepaid_account": f"{checkout.account_uid}x"}}),
        ("account", {"metadata": {k: v for k, v in written.items() if "account" not in k}}),
    ]
    (purchase,) = json.loads(written["prepaid_purchases"])
    more = str(Credits(checkout.credits.micro + 1))
    for name, other in (("price_id", "price_other_one"), ("credits", more)):
        changed_ = json.dumps([purchase | {name: other}])
        fields.append((name.removesuffix("_id"), {"metadata": written | purchases(changed_)}))
    return fields


def purchases(written: str) -> Json:
    return {"prepaid_purchases": written}


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "[]",
        "{}",
        "[1]",
        "nonsense",
        "[" * 10_000,
        '[{"price_id":"price_1"}]',
        '[{"price_id":"p","units":50,"credits":50,"amount":500,"currency":"usd"}]',
        '[{"price_id":"p","units":50,"credits":"many","amount":500,"currency":"usd"}]',
        '[{"price_id":"p","units":50,"credits":"1e999","amount":500,"currency":"usd"}]',
        '[{"price_id":"p","units":50,"credits":"NaN","amount":500,"currency":"usd"}]',
    ],
)
def test_purchases_that_cannot_be_read_match_nothing(written: str) -> None:
    checkout = OFFER
    told = session_of(checkout)
    claim = claim_of(changed(told, metadata={**(told.metadata or {}), **purchases(written)}))
    assert claim.credits == Credits(0)
    assert mismatches(checkout, claim) != []


def test_two_purchases_are_not_one() -> None:
    written = metadata(OFFER, DEPLOYMENT)
    twice = json.dumps(json.loads(written["prepaid_purchases"]) * 2)
    claim = claim_of(changed(session_of(OFFER), metadata=written | purchases(twice)))
    assert claim.credits == Credits(0)


@pytest.mark.parametrize("given_", [None, {}, {"prepaid_checkout": "1"}, {"prepaid_checkout": ""}])
def test_a_session_without_our_mark_names_no_checkout(given_: dict[str, str] | None) -> None:
    session = changed(session_of(OFFER), metadata=given_)
    assert claim_of(session).checkout_id is None
    assert deployment_of(session) == ""


@given(OFFERS)
def test_the_metadata_keeps_stripes_limits(checkout: Checkout) -> None:
    written = metadata(checkout, DEPLOYMENT)
    assert len(written) <= 50
    assert all(len(key) <= 40 and not {"[", "]"} & set(key) for key in written)
    assert all(0 < len(value) <= 500 for value in written.values())


def test_the_longest_names_keep_stripes_limits() -> None:
    longest = replace(
        OFFER,
        account_uid="\\" * 128,
        price_id="p" * 255,
        credits=Credits(MOST_MICRO),
        units=MOST_MICRO // MICRO,
        price=Money(99_999_999_999, "usd"),
    )
    written = metadata(longest, DEPLOYMENT)
    assert max(map(len, written.values())) <= 500
    assert mismatches(longest, claim_of(session_of(longest))) == []
