import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_service import SESSIONS, WEBHOOK, House, refused, running
from local_stripe import Json, LocalStripe, signed

BODY = b'{"id": "evt_1", "object": "event", "type": "customer.created"}'
MEGABYTE = 1024 * 1024
DAY = 86_400


def deliveries() -> dict[str, tuple[bytes, str]]:
    """What no one at Stripe sends, one of each kind."""
    stamp, made = signed(BODY).split(",")
    now = time.time()
    odd = [b"nothing", b"[]", b"{}", b"null", b"1", b"[" * 100_000, b"\0" + BODY, b"", BODY[:-1]]
    return {
        "no header": (BODY, ""),
        "wrong signature": (BODY, f"{stamp},v1={'0' * 64}"),
        "v0 only": (BODY, made.replace("v1=", f"{stamp},v0=")),
        "no time": (BODY, made),
        "space after the comma": (BODY, f"{stamp}, {made}"),
        "old": (BODY, signed(BODY, at=now - 400)),
        "a day ahead": (BODY, signed(BODY, at=now + DAY)),
        "not ASCII": (BODY, f"{stamp},v1=ü"),
        "two times": (BODY, f"t=1,{stamp},{made}"),
        "another secret": (BODY, signed(BODY, "whsec_other")),
        "another body": (BODY + b" ", signed(BODY)),
        "not UTF-8": (b"\xff" + BODY, signed(BODY)),
        "a long header": (BODY, f"{stamp}," + ",".join(["v1=0"] * 2_000)),
        **{f"signed {body[:12]!r}": (body, signed(body)) for body in odd},
    }


DELIVERIES = deliveries()


@pytest.mark.parametrize("name", DELIVERIES)
def test_what_stripe_never_sends_is_the_senders_fault(house: House, name: str) -> None:
    body, header = DELIVERIES[name]
    sent = {"Stripe-Signature": header.encode()}
    refused(house.ask("POST", WEBHOOK, content=body, headers=sent), 400)


def test_a_delivery_without_the_header_is_refused(house: House) -> None:
    refused(house.ask("POST", WEBHOOK, content=BODY), 400, "invalid_signature")


def test_a_second_signature_may_be_the_one_that_holds(house: House) -> None:
    stamp, made = signed(BODY).split(",")
    for header in (f"{stamp},v1={'0' * 64},{made}", f"{made},{stamp}"):
        assert house.deliver(BODY, header).json()["verdict"] == "ignored"


@pytest.mark.parametrize("body", [b"x" * (2 * MEGABYTE), b"x" * (MEGABYTE + 1)])
def test_a_delivery_is_bounded(house: House, body: bytes) -> None:
    refused(house.deliver(body), 413, "too_large")


def test_a_delivery_without_a_length_is_bounded(house: House) -> None:
    answer = house.ask("POST", WEBHOOK, content=(b"x" * MEGABYTE for _ in range(2)))
    refused(answer, 413, "too_large")


def test_either_secret_opens_while_one_is_rotated(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    secrets = {"DATALAYER_STRIPE_WEBHOOK_SECRET": "whsec_new, whsec_old"}
    with running(fresh_database, stripe_account, **secrets) as house:
        for secret in ("whsec_new", "whsec_old"):
            assert house.deliver(BODY, signed(BODY, secret)).status_code == 200
        refused(house.deliver(BODY), 400, "invalid_signature")


def test_a_purchase_is_credited_once_however_often_it_is_told(
    both: House, user: str, package: str
) -> None:
    event = both.paid(user, package)
    assert both.deliver(event).json()["message"] == "Taken."
    for _ in range(3):
        assert both.deliver(event).json()["message"] == "Taken before."
    assert both.verdict(event | {"id": "evt_another"}) == "applied"
    assert both.verdict(SUCCEEDED | {"data": event["data"]}) == "applied"
    assert both.credits(user) == 50


SUCCEEDED = {
    "id": "evt_later",
    "object": "event",
    "livemode": False,
    "type": "checkout.session.async_payment_succeeded",
}


def test_a_purchase_is_credited_once_when_all_its_deliveries_come_at_once(
    both: House, user: str, package: str
) -> None:
    event = both.paid(user, package)
    others = [event | {"id": f"{event['id']}{n % 5}"} for n in range(20)]
    with ThreadPoolExecutor(10) as crowd:
        verdicts = set(crowd.map(both.verdict, others))
    assert verdicts == {"applied"}
    assert both.credits(user) == 50
    assert len(both.get("/api/iam/v1/usage/entries", user)["entries"]) == 1


def test_an_old_delivery_cannot_be_played_again(house: House, user: str, package: str) -> None:
    event = house.paid(user, package)
    old = signed(json.dumps(event).encode(), at=time.time() - 301)
    refused(house.deliver(event, old), 400, "invalid_signature")
    assert house.credits(user) == 0
    assert house.verdict(event) == "applied"


def thin(id_: str, session: str, type_: str = "checkout.session.completed", **more: str) -> Json:
    """An event that only names its session."""
    named: Json = {"id": id_, "object": "v2.core.event", "type": f"v1.{type_}", "livemode": False}
    return named | {"related_object": {"id": session}} | more


def test_a_thin_event_is_the_same_purchase(both: House, user: str, package: str) -> None:
    event = both.paid(user, package)
    session = event["data"]["object"]["id"]
    assert both.verdict(thin("evt_test_thin", session, snapshot_event=event["id"])) == "applied"
    assert both.deliver(event).json()["message"] == "Taken before."
    assert both.credits(user) == 50


def test_a_thin_event_waits_for_a_stripe_that_is_away(
    house: House, user: str, package: str
) -> None:
    event = thin("evt_test_waits", house.paid(user, package)["data"]["object"]["id"])
    house.stripe.fault("rate_limit", count=3, path="/v1/checkout/sessions/*")
    refused(house.deliver(event), 503, "stripe_unavailable")
    house.stripe.well()
    assert house.verdict(event) == "applied"
    assert house.credits(user) == 50


def test_a_thin_event_waits_for_a_session_that_says_the_same(
    house: House, user: str, package: str
) -> None:
    """What is fetched may be older than the event; taken at its word, the payment would be lost."""
    session = house.open(user, package)["session_id"]
    event = thin("evt_test_lags", session, "checkout.session.async_payment_succeeded")
    refused(house.deliver(event), 503, "stripe_unavailable")
    house.stripe.pay(session)
    assert house.verdict(event) == "applied"
    assert house.credits(user) == 50


def test_a_thin_event_of_a_session_that_nobody_knows_is_ignored(house: House) -> None:
    assert house.verdict(thin("evt_test_1", "cs_test_none")) == "ignored"


def altered(event: Json, **fields: object) -> Json:
    """The event, with a session that somebody has changed."""
    return event | {"data": {"object": event["data"]["object"] | fields}}


def marked(event: Json, **fields: object) -> Json:
    """The event, with metadata that somebody has changed."""
    return altered(event, metadata=event["data"]["object"]["metadata"] | fields)


def purchased(event: Json, **fields: object) -> Json:
    """The event, with purchases that somebody has changed."""
    (bought,) = json.loads(event["data"]["object"]["metadata"]["prepaid_purchases"])
    return marked(event, prepaid_purchases=json.dumps([bought | fields]))


ALTERED: dict[str, Callable[[Json], Json]] = {
    "amount": lambda event: altered(event, amount_subtotal=1),
    "no amount": lambda event: altered(event, amount_subtotal=None),
    "currency": lambda event: altered(event, currency="jpy"),
    "no currency": lambda event: altered(event, currency=None),
    "customer": lambda event: altered(event, customer="cus_other"),
    "no customer": lambda event: altered(event, customer=None),
    "mode": lambda event: altered(event, mode="subscription"),
    "session": lambda event: altered(event, id="cs_test_other"),
    "livemode": lambda event: altered(event, livemode=True) | {"livemode": True},
    "account": lambda event: marked(event, prepaid_account="somebody-else"),
    "account of NUL": lambda event: marked(event, prepaid_account="\0"),
    "checkout": lambda event: marked(
        event, prepaid_checkout="00000000-0000-0000-0000-000000000001"
    ),
    "no checkout": lambda event: marked(event, prepaid_checkout=""),
    "credits": lambda event: purchased(event, credits="5000"),
    "price": lambda event: purchased(event, price_id="price_other"),
    "purchases": lambda event: marked(event, prepaid_purchases="[]"),
    "purchases twice": lambda event: marked(
        event, prepaid_purchases=event["data"]["object"]["metadata"]["prepaid_purchases"] * 2
    ),
    "free": lambda event: altered(event, payment_status="no_payment_required"),
    "no mark of ours": lambda event: altered(event, metadata={}),
}


@pytest.mark.parametrize("what", ALTERED)
def test_what_does_not_fit_is_set_aside_and_moves_nothing(
    house: House, user: str, package: str, what: str
) -> None:
    event = house.paid(user, package)
    assert house.verdict(ALTERED[what](event)) == "quarantined"
    assert house.credits(user) == 0
    assert house.verdict(event) == "applied"
    assert house.credits(user) == 50


def test_nul_and_other_scripts_are_set_aside_on_both_databases(
    both: House, user: str, package: str
) -> None:
    event = both.paid(user, package)
    for odd in ("\0", "ü", "\ud800", "x" * 500):
        answer = both.deliver(
            marked(event, prepaid_account=odd) | {"id": f"evt_{len(odd)}{ord(odd[0])}"}
        )
        assert answer.status_code in {200, 400}, answer.text
    assert both.credits(user) == 0


@pytest.mark.parametrize("deployment", ["", "00000000-0000-0000-0000-000000000009", "ü"])
def test_what_another_deployment_sold_is_ignored(house: House, deployment: str) -> None:
    metadata = {"prepaid_deployment": deployment, "prepaid_account": "user-1"}
    session: Json = {
        "id": "cs_test_theirs",
        "livemode": False,
        "mode": "payment",
        "payment_status": "paid",
        "metadata": metadata,
    }
    event = SUCCEEDED | {"data": {"object": session}}
    assert house.verdict(event) == "ignored"


@pytest.mark.parametrize(
    "type_", ["customer.created", "payment_intent.succeeded", "charge.refunded", "nonsense"]
)
def test_what_is_not_about_a_checkout_is_ignored(house: House, type_: str) -> None:
    assert house.verdict(SUCCEEDED | {"type": type_}) == "ignored"


def test_a_bank_debit_is_credited_when_it_is_through(house: House, user: str, package: str) -> None:
    event = house.paid(user, package)
    session = event["data"]["object"]["id"]
    assert house.verdict(altered(event, payment_status="unpaid")) == "applied"
    assert house.credits(user) == 0
    assert house.get(f"{SESSIONS}/{session}", user)["state"] in {"processing", "paid"}
    assert house.verdict(SUCCEEDED | {"id": "evt_through", "data": event["data"]}) == "applied"
    assert house.credits(user) == 50


def test_news_in_the_wrong_order_undoes_no_payment(house: House, user: str, package: str) -> None:
    event = house.paid(user, package)
    types = ("async_payment_succeeded", "completed", "expired", "async_payment_failed")
    for n, type_ in enumerate(types):
        told = event | {"id": f"{event['id']}_{n}", "type": f"checkout.session.{type_}"}
        assert house.verdict(told) == "applied"
    assert house.credits(user) == 50
    session = event["data"]["object"]["id"]
    assert house.get(f"{SESSIONS}/{session}", user)["state"] == "credited"


def test_a_webhook_is_posted(house: House) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        told = refused(house.ask(method, WEBHOOK), 405)
        assert told["code"] == "method_not_allowed"


def test_an_unknown_field_does_no_harm(house: House, user: str, package: str) -> None:
    event = house.paid(user, package)
    assert house.verdict(altered(event, news={"a": [1]}) | {"beta": True}) == "applied"
