import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import example, given
from hypothesis import strategies as st

from local_stripe import Json, signed
from prepaid.core.checkouts import News
from prepaid.core.errors import ForgedEvent, InvalidEvent, MalformedEvent
from prepaid.payments.events import (
    ASYNC_FAILED,
    ASYNC_SUCCEEDED,
    COMPLETED,
    EXPIRED,
    TOLERANCE_SECONDS,
    TYPES,
    Ignored,
    Snapshot,
    Thin,
    news_of,
    read,
)

SECRET = "whsec_first"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = 86_400
WRONG = "0" * 64


def session(**other: object) -> Json:
    usual: Json = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "livemode": False,
        "mode": "payment",
        "payment_status": "paid",
        "amount_subtotal": 500,
        "amount_total": 500,
        "currency": "usd",
        "customer": "cus_1",
        "payment_intent": "pi_1",
        "metadata": {},
    }
    return usual | other


def snapshot(**other: object) -> Json:
    usual: Json = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1795417397,
        "data": {"object": session()},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": "req_1", "idempotency_key": None},
        "type": COMPLETED,
    }
    return usual | other


def thin(**other: object) -> Json:
    usual: Json = {
        "id": "evt_test_1",
        "object": "v2.core.event",
        "type": f"v1.{COMPLETED}",
        "created": "2026-11-01T00:00:00Z",
        "livemode": False,
        "context": None,
        "related_object": {"id": "cs_test_1", "type": "checkout.session", "url": "/v1/x"},
        "snapshot_event": "evt_1",
    }
    return usual | other


def body_of(event: object) -> bytes:
    return json.dumps(event).encode()


BODY = body_of(snapshot())


def header(body: bytes = BODY, secret: str = SECRET, age: float = 0) -> str:
    return signed(body, secret, NOW.timestamp() - age)


def parts(signature: str) -> tuple[str, str]:
    """The `t=...` and the `v1=...` of a header."""
    stamp, _, made = signature.partition(",")
    return stamp, made


def taken(event: object) -> object:
    body = body_of(event)
    return read(body, header(body), [SECRET], NOW)


def headers_that_hold() -> Iterator[Any]:
    stamp, made = parts(header())
    yield pytest.param(f"{stamp},{made}", id="as Stripe sends it")
    yield pytest.param(f"{made},{stamp}", id="v1 before t")
    yield pytest.param(f"{stamp},v1={WRONG},{made}", id="two v1, the second matches")
    yield pytest.param(f"{stamp},{made},v1={WRONG}", id="two v1, the first matches")
    yield pytest.param(f"{stamp},v0={WRONG},{made}", id="v0 beside v1")


def headers_that_do_not_hold() -> Iterator[Any]:
    stamp, made = parts(header())
    digest = made.removeprefix("v1=")
    wrong = {
        "missing": "",
        "no signature": stamp,
        "no time": made,
        "wrong": f"{stamp},v1={WRONG}",
        "cut": f"{stamp},{made[:-1]}",
        "upper case": f"{stamp},v1={digest.upper()}",
        "v0 only": f"{stamp},v0={digest}",
        "space after the comma": f"{stamp}, {made}",
        "two times": f"{stamp},{stamp},{made}",
        "two times, one of them old": f"t=1,{stamp},{made}",
        "a negative time": f"t=-1,{made}",
        "a time in words": f"t=now,{made}",
        "a time of other digits": f"t=١٧٩٥,{made}",
        "a time without end": f"t={'9' * 400},{made}",
        "not ASCII": f"{stamp},v1=ü{digest}",
        "only commas": ",,,,",
        "without values": "t,v1",
        "NUL": f"{stamp}\0,{made}",
        "long": f"{stamp}," + ",".join([f"v1={WRONG}"] * 2_000),
        "another time": f"t={int(NOW.timestamp()) + 1},{made}",
    }
    yield from (pytest.param(written, id=name) for name, written in wrong.items())


@pytest.mark.parametrize("written", list(headers_that_hold()))
def test_a_signature_holds(written: str) -> None:
    assert isinstance(read(BODY, written, [SECRET], NOW), Snapshot)


@pytest.mark.parametrize("written", list(headers_that_do_not_hold()))
def test_a_signature_does_not_hold(written: str) -> None:
    with pytest.raises(ForgedEvent):
        read(BODY, written, [SECRET], NOW)


@pytest.mark.parametrize("age", [0, 1, -1, TOLERANCE_SECONDS, -TOLERANCE_SECONDS])
def test_a_signature_of_these_minutes_is_taken(age: float) -> None:
    assert isinstance(read(BODY, header(age=age), [SECRET], NOW), Snapshot)


@pytest.mark.parametrize(
    "age", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1, DAY, -DAY, 3 * 365 * DAY]
)
def test_a_signature_of_another_time_is_refused_in_both_directions(age: float) -> None:
    with pytest.raises(ForgedEvent, match="old" if age > 0 else "ahead"):
        read(BODY, header(age=age), [SECRET], NOW)


def test_the_body_is_signed_byte_by_byte() -> None:
    again = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    with pytest.raises(ForgedEvent):
        read(again, header(), [SECRET], NOW)


def test_either_secret_will_do_while_one_is_rotated() -> None:
    for secret in ("whsec_new", "whsec_old"):
        told = read(BODY, header(secret=secret), ["whsec_new", "whsec_old"], NOW)
        assert isinstance(told, Snapshot)
    with pytest.raises(ForgedEvent):
        read(BODY, header(secret="whsec_older"), ["whsec_new", "whsec_old"], NOW)


@pytest.mark.parametrize("secrets", [[], [""], [" "], ["\n", ""]])
def test_no_secret_holds_no_signature(secrets: list[str]) -> None:
    for secret in ["", " ", "\n", SECRET]:
        with pytest.raises(ForgedEvent):
            read(BODY, header(secret=secret), secrets, NOW)


def test_a_body_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ForgedEvent):
        read(b"\xff\xfe" + BODY, header(), [SECRET], NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nothing",
        b"[]",
        b"{}",
        b"null",
        b"1",
        b'"event"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"data":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b"\0" + BODY,
        BODY.replace(b"evt_1", b"evt\0"),
        BODY[:-1],
        BODY + BODY,
        b"\xef\xbb\xbf" + BODY,
        BODY.replace(b"500", b"NaN"),
        BODY.replace(b"500", b"1e400"),
        BODY.replace(b"500", b"500.5"),
        BODY.replace(b"500", b"-500"),
        BODY.replace(b"500", b"9" * 5_000),
        BODY.replace(b'"cs_test_1"', b'"\\ud800"'),
    ],
    ids=lambda body: str(body[:24]),
)
def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedEvent):
        read(body, header(body), [SECRET], NOW)


@pytest.mark.parametrize(
    "event",
    [
        snapshot(id=None),
        snapshot(id=""),
        snapshot(id="evt/../1"),
        snapshot(id="evt_1\n"),
        snapshot(id="e" * 256),
        snapshot(type=None),
        snapshot(object="refund"),
        snapshot(livemode=None),
        snapshot(livemode=0),
        snapshot(data=None),
        snapshot(data={}),
        snapshot(data={"object": []}),
        snapshot(data={"object": {}}),
        snapshot(data={"object": session(id="cs test")}),
        snapshot(data={"object": session(customer=["cus_1"])}),
        snapshot(data={"object": session(metadata={"a": 1})}),
        snapshot(data={"object": session(metadata=[])}),
        snapshot(data={"object": session(amount_subtotal="500")}),
        snapshot(data={"object": session(amount_subtotal=True)}),
        thin(related_object=None),
        thin(related_object={"type": "checkout.session"}),
        thin(related_object={"id": "../customers"}),
        thin(snapshot_event="\0"),
    ],
)
def test_an_event_that_lacks_what_every_event_has_is_refused(event: Json) -> None:
    with pytest.raises(MalformedEvent):
        taken(event)


def test_a_snapshot_carries_its_session() -> None:
    told = taken(snapshot())
    assert isinstance(told, Snapshot)
    assert (told.event_id, told.type, told.session.id) == ("evt_1", COMPLETED, "cs_test_1")
    assert told.session.amount_subtotal == 500


def test_a_thin_event_names_its_session_and_counts_as_its_snapshot() -> None:
    assert taken(thin()) == Thin("evt_1", COMPLETED, "cs_test_1")


def test_a_thin_event_without_a_snapshot_counts_as_itself() -> None:
    for without in (
        thin(snapshot_event=None),
        {k: v for k, v in thin().items() if "snap" not in k},
    ):
        assert taken(without) == Thin("evt_test_1", COMPLETED, "cs_test_1")


@pytest.mark.parametrize("type_", TYPES)
def test_every_event_about_a_checkout_is_read_in_both_forms(type_: str) -> None:
    assert isinstance(taken(snapshot(type=type_)), Snapshot)
    assert taken(thin(type=f"v1.{type_}")) == Thin("evt_1", type_, "cs_test_1")


@pytest.mark.parametrize("type_", ["customer.created", "charge.refunded", "", "checkout.session"])
def test_foreign_events_are_ignored_whatever_they_carry(type_: str) -> None:
    for event in (
        snapshot(type=type_, data={"object": {"object": "anything"}}),
        thin(type=f"v1.{type_}", related_object=None),
    ):
        assert isinstance(taken(event), Ignored)


def test_events_of_connected_accounts_are_ignored() -> None:
    assert isinstance(taken(snapshot(account="acct_1")), Ignored)
    assert isinstance(taken(thin(context="acct_1")), Ignored)


def test_an_event_and_its_session_agree_on_whether_money_is_real() -> None:
    for live in (True, False):
        with pytest.raises(MalformedEvent, match="livemode"):
            taken(snapshot(livemode=live, data={"object": session(livemode=not live)}))
    assert isinstance(
        taken(snapshot(livemode=True, data={"object": session(livemode=True)})), Snapshot
    )


def test_of_a_key_that_is_there_twice_every_reader_takes_the_last() -> None:
    body = BODY.replace(b'{"id"', b'{"type": "customer.created", "id": "evt_0", "id"', 1)
    told = read(body, header(body), [SECRET], NOW)
    assert isinstance(told, Snapshot)
    assert (told.event_id, told.type) == ("evt_1", COMPLETED)


def test_fields_and_values_that_stripe_adds_later_do_no_harm() -> None:
    later = session(status="blessed", ui_mode="hologram", news={"deep": [1, 2, {"x": None}]})
    assert isinstance(taken(snapshot(data={"object": later}, beta=1)), Snapshot)


@pytest.mark.parametrize(
    ("type_", "payment_status", "news"),
    [
        (COMPLETED, "paid", News.PAID),
        (COMPLETED, "unpaid", News.PENDING),
        (COMPLETED, "no_payment_required", News.FREE),
        (COMPLETED, "something_new", News.PENDING),
        (ASYNC_SUCCEEDED, "paid", News.PAID),
        (ASYNC_SUCCEEDED, "unpaid", News.PENDING),
        (ASYNC_FAILED, "unpaid", News.FAILED),
        (ASYNC_FAILED, "paid", News.FAILED),
        (EXPIRED, "unpaid", News.EXPIRED),
    ],
)
def test_nothing_but_a_paid_session_is_news_of_a_payment(
    type_: str, payment_status: str, news: News
) -> None:
    told = taken(snapshot(type=type_, data={"object": session(payment_status=payment_status)}))
    assert isinstance(told, Snapshot)
    assert news_of(told.type, told.session) is news


def refused_or_event(body: bytes, written: str) -> None:
    """What is taken, Stripe's own check would take too."""
    try:
        told = read(body, written, [SECRET], NOW)
    except InvalidEvent:
        return
    assert isinstance(told, Snapshot | Thin | Ignored)
    assert stripe.WebhookSignature.verify_header(body, written, SECRET)


@given(body=st.binary(max_size=200), written=st.text(max_size=200))
@example(body=b"\xff", written=header())
def test_no_bytes_and_no_header_are_anything_but_refused(body: bytes, written: str) -> None:
    with pytest.raises(InvalidEvent):
        read(body, written, [SECRET], NOW)


PIECES = st.sampled_from([*parts(header()), "t=", "v1=", ",", " ", "=", "ü", "t=1", "v0=", "\0"])


@given(st.lists(PIECES, max_size=8).map(",".join) | st.lists(PIECES, max_size=8).map("".join))
def test_no_mixture_of_a_headers_parts_is_anything_but_refused_or_read(written: str) -> None:
    refused_or_event(BODY, written)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
FIELDS = st.sampled_from([*snapshot(), *thin(), *session(), "account"])


@given(field=FIELDS, value=JSON, inside=st.booleans(), form=st.sampled_from([snapshot, thin]))
def test_no_signed_body_is_anything_but_refused_or_read(
    field: str,
    value: object,
    inside: bool,  # noqa: FBT001 - hypothesis names it
    form: Any,
) -> None:
    event = form(data={"object": session() | {field: value}}) if inside else form(**{field: value})
    body = body_of(event)
    refused_or_event(body, header(body))


@given(st.text(st.characters(codec="utf-8"), max_size=100))
def test_signed_text_is_no_event_and_still_not_forged(text: str) -> None:
    with pytest.raises(MalformedEvent):
        read(text.encode(), header(text.encode()), [SECRET], NOW)
