from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe


def test_an_open_embedded_session_has_a_secret_and_no_url(open_session: Callable[..., Any]) -> None:
    session = open_session(100, client_reference_id="u1", metadata={"order": "1"})
    assert session.id.startswith("cs_test_")
    assert session.client_secret.startswith(f"{session.id}_secret_")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.url, session.payment_intent, session.customer_details) == (None, None, None)
    assert "line_items" not in session


def test_a_hosted_session_has_a_url_and_no_secret(v1: Any, package: Any) -> None:
    lines = [{"price": package.id, "quantity": 50}]
    session = v1.checkout.sessions.create(
        {"mode": "payment", "line_items": lines, "success_url": "http://shop.test/thanks"}
    )
    assert (session.ui_mode, session.client_secret) == ("hosted_page", None)
    assert httpx.get(session.url).status_code == 200


def test_a_paid_session_forgets_its_secret_and_names_its_payment(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    customer = v1.customers.create({"email": "buyer@example.com", "name": "B. Uyer"})
    session = open_session(
        100, customer=customer.id, payment_intent_data={"metadata": {"order": "1"}}
    )
    simulated.control(f"sessions/{session.id}/pay", card="4242 4242 4242 4242")
    paid = v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "payment_intent.latest_charge"]}
    )
    assert (paid.status, paid.payment_status, paid.client_secret) == ("complete", "paid", None)
    assert paid.customer_details.email == "buyer@example.com"
    assert paid.payment_intent.metadata["order"] == "1"
    assert paid.payment_intent.latest_charge.metadata["order"] == "1"
    assert paid.payment_intent.latest_charge.balance_transaction.startswith("txn_")
    assert paid.line_items.data[0].price.nickname == "50 credits"
    assert paid.line_items.data[0].description == "Credits"


def test_the_lines_of_a_session_are_paged(v1: Any, package: Any) -> None:
    lines = [{"price": package.id, "quantity": 50 * n} for n in range(1, 13)]
    session = v1.checkout.sessions.create({"mode": "payment", "line_items": lines})
    page = v1.checkout.sessions.line_items.list(session.id, {"limit": 5})
    assert ([line.quantity for line in page.data], page.has_more) == (
        [50, 100, 150, 200, 250],
        True,
    )
    assert len(list(page.auto_paging_iter())) == 12
    first = v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]}).line_items
    assert (len(first.data), first.has_more) == (10, True)
    with pytest.raises(stripe.InvalidRequestError):
        v1.checkout.sessions.line_items.list(session.id, {"starting_after": "li_none"})


def test_a_session_can_be_paid_once(simulated: Any, open_session: Callable[..., Any]) -> None:
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay")
    again = httpx.post(f"{simulated.url}/_simulator/sessions/{session.id}/pay", json={})
    assert (again.status_code, again.json()["error"]["code"]) == (400, "checkout_not_open")


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", None),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
        ("4242424242424241", "incorrect_number", None),
    ],
)
def test_a_declined_card_leaves_the_session_open(  # noqa: PLR0913, PLR0917 - its table
    simulated: Any, v1: Any, open_session: Callable[..., Any], card: str, code: str, decline: str
) -> None:
    session = open_session()
    url = f"{simulated.url}/_simulator/sessions/{session.id}/pay"
    answer = httpx.post(url, json={"card": card})
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (402, "card_error", code)
    assert error.get("decline_code") == decline
    assert v1.checkout.sessions.retrieve(session.id).status == "open"
    simulated.control(f"sessions/{session.id}/pay")
    assert v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_declined_card_leaves_a_failed_charge(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session()
    url = f"{simulated.url}/_simulator/sessions/{session.id}/pay"
    httpx.post(url, json={"outcome": "insufficient_funds"})
    charge = v1.charges.list({}).data[0]
    assert (charge.status, charge.failure_code) == ("failed", "card_declined")
    told = [event.type for event in v1.events.list({"limit": 3}).data]
    assert told == ["payment_intent.payment_failed", "charge.failed", "payment_intent.created"]


@pytest.mark.parametrize("card", ["4000002500003155", "4000002760003184"])
def test_a_bank_may_ask_and_may_be_convinced(
    simulated: Any, v1: Any, open_session: Callable[..., Any], card: str
) -> None:
    session = open_session()
    asked = simulated.control(f"sessions/{session.id}/pay", card=card)
    assert asked["payment_intent"]["status"] == "requires_action"
    url = f"{simulated.url}/_simulator/sessions/{session.id}/pay"
    failed = httpx.post(url, json={"card": card, "challenge": "fail"})
    assert failed.json()["error"]["code"] == "payment_intent_authentication_failure"
    assert v1.checkout.sessions.retrieve(session.id).status == "open"
    simulated.control(f"sessions/{session.id}/pay", card=card, challenge="accept")
    assert v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize(
    ("outcome", "status", "event"),
    [
        ("delayed_succeeds", "paid", "checkout.session.async_payment_succeeded"),
        ("delayed_fails", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_bank_debit_completes_unpaid_and_ends_later(  # noqa: PLR0913, PLR0917 - its fixtures
    simulated: Any,
    v1: Any,
    open_session: Callable[..., Any],
    wait_for: Callable[[Callable[[], Any]], Any],
    outcome: str,
    status: str,
    event: str,
) -> None:
    session = open_session()
    told = simulated.control(f"sessions/{session.id}/pay", outcome=outcome)
    assert (told["status"], told["payment_status"]) == ("complete", "unpaid")
    ended = wait_for(lambda: v1.events.list({"type": event}).data)[0]
    assert ended.data.object["payment_status"] == status
    assert v1.checkout.sessions.retrieve(session.id).payment_status == status
    completed = v1.events.list({"type": "checkout.session.completed"}).data[0]
    assert completed.data.object["payment_status"] == "unpaid"


def test_a_session_takes_only_the_methods_it_allows(
    simulated: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session(allowed_payment_method_types=["card", "link"])
    assert session.payment_method_types == ["card", "link"]
    url = f"{simulated.url}/_simulator/sessions/{session.id}/pay"
    assert httpx.post(url, json={"outcome": "delayed_succeeds"}).status_code == 400
    other = open_session(excluded_payment_method_types=["us_bank_account"])
    assert other.payment_method_types == ["card", "link"]


def test_an_expired_session_is_over(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = v1.checkout.sessions.expire(open_session().id)
    assert (session.status, session.client_secret, session.url) == ("expired", None, None)
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        v1.checkout.sessions.expire(session.id)
    late = open_session()
    simulated.control(f"sessions/{late.id}/expire-now")
    assert v1.checkout.sessions.retrieve(late.id).status == "expired"
    assert len(v1.events.list({"type": "checkout.session.expired"}).data) == 2
    assert [s.id for s in v1.checkout.sessions.list({"status": "expired"}).data] == [
        late.id,
        session.id,
    ]


def test_a_buyer_becomes_a_customer_when_asked(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    guest = open_session(customer_email="guest@example.com")
    simulated.control(f"sessions/{guest.id}/pay")
    paid = v1.checkout.sessions.retrieve(guest.id)
    assert (paid.customer, paid.customer_details.email) == (None, "guest@example.com")
    kept = open_session(customer_creation="always")
    simulated.control(f"sessions/{kept.id}/pay", email="kept@example.com", name="K. Ept")
    customer = v1.checkout.sessions.retrieve(kept.id, {"expand": ["customer"]}).customer
    assert (customer.email, customer.name) == ("kept@example.com", "K. Ept")


def test_tax_needs_to_know_where_a_customer_lives(
    v1: Any, open_session: Callable[..., Any]
) -> None:
    customer = v1.customers.create({"email": "a@example.com"})
    taxed = {"customer": customer.id, "automatic_tax": {"enabled": True}}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(**taxed)
    assert refused.value.code == "customer_tax_location_invalid"
    open_session(**taxed, customer_update={"address": "auto"})


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"ui_mode": "embedded"}, "ui_mode"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"success_url": "http://shop.test"}, "success_url"),
        ({"return_url": "http://shop.test"}, "return_url"),
        ({"redirect_on_completion": "always"}, "return_url"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [{"quantity": 50}]}, "line_items[0]"),
        ({"customer": "cus_none"}, "customer"),
        ({"expires_at": 1}, "expires_at"),
        ({"mode": "subscription"}, "mode"),
        ({"nonsense": 1}, "nonsense"),
        ({"customer": ""}, "customer"),
        ({"customer_update": {"address": "auto"}}, "customer_update"),
    ],
)
def test_what_stripe_refuses_is_refused(
    open_session: Callable[..., Any], wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(**wrong)
    assert (refused.value.http_status, refused.value.param) == (400, param)


def test_refunds_add_up_and_never_exceed(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session(100)
    simulated.control(f"sessions/{session.id}/pay")
    intent = v1.checkout.sessions.retrieve(session.id).payment_intent
    v1.refunds.create({"payment_intent": intent, "amount": 300, "metadata": {"why": "x"}})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        v1.refunds.create({"payment_intent": intent, "amount": 701})
    rest = v1.refunds.create({"payment_intent": intent, "reason": "requested_by_customer"})
    assert (rest.amount, rest.status) == (700, "succeeded")
    charge = v1.charges.retrieve(rest.charge, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1000, True)
    assert [refund.amount for refund in charge.refunds.data] == [700, 300]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"
    told = v1.events.list({"types": ["charge.refunded", "refund.created"]}).data
    assert [event.type for event in told] == ["charge.refunded", "refund.created"] * 2
    assert told[2].data.object["amount_refunded"] == 300


@pytest.mark.parametrize(
    ("card", "first", "last"),
    [("4000000000007726", "pending", "succeeded"), ("4000000000005126", "succeeded", "failed")],
)
def test_a_refund_may_take_its_time_or_come_back(  # noqa: PLR0913, PLR0917 - its fixtures
    simulated: Any,
    v1: Any,
    open_session: Callable[..., Any],
    wait_for: Callable[[Callable[[], Any]], Any],
    card: str,
    first: str,
    last: str,
) -> None:
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay", card=card)
    intent = v1.checkout.sessions.retrieve(session.id).payment_intent
    refund = v1.refunds.create({"payment_intent": intent})
    assert refund.status == first
    wait_for(lambda: v1.refunds.retrieve(refund.id).status == last)
    left = v1.charges.retrieve(refund.charge).amount_refunded
    assert left == (500 if last == "succeeded" else 0)


def test_a_chargeback_takes_the_money_and_evidence_may_bring_it_back(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay", payment_method="pm_card_createDispute")
    dispute = v1.disputes.list({}).data[0]
    assert (dispute.status, dispute.amount) == ("needs_response", 500)
    assert dispute.balance_transactions[0].amount == -500
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.refunds.create({"charge": dispute.charge})
    assert refused.value.code == "charge_disputed"
    won = v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert won.status == "won"
    told = [e.type for e in v1.events.list({"type": "charge.dispute.*"}).data]
    assert told == [
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.created",
    ]


def test_an_inquiry_moves_no_money(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session()
    simulated.control(f"sessions/{session.id}/pay", outcome="inquiry")
    dispute = v1.disputes.list({}).data[0]
    assert dispute.status == "warning_needs_response"
    assert dispute.balance_transactions == []
    assert v1.disputes.close(dispute.id).status == "warning_closed"


def test_a_payment_intent_can_be_confirmed_and_cancelled(v1: Any) -> None:
    given = {"amount": 500, "currency": "usd"}
    paid = v1.payment_intents.create({**given, "confirm": True, "payment_method": "pm_card_visa"})
    assert (paid.status, paid.amount_received) == ("succeeded", 500)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.cancel(paid.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    waiting = v1.payment_intents.create(given)
    with pytest.raises(stripe.CardError) as declined:
        v1.payment_intents.confirm(
            waiting.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"}
        )
    assert declined.value.code == "card_declined"
    assert v1.payment_intents.retrieve(waiting.id).last_payment_error.code == "card_declined"
    assert v1.payment_intents.cancel(waiting.id).status == "canceled"


def test_the_page_answers_to_the_client_secret_only(
    simulated: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session(100)
    url = f"{simulated.url}/_simulator/checkout/{session.id}"
    assert "no real money" in httpx.get(url).text
    for wrong in ("x", simulated.config.api_key, session.client_secret + "x"):
        answer = httpx.get(f"{url}/state", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
    headers = {"Authorization": f"Bearer {session.client_secret}"}
    foreign = httpx.get(f"{url}/state", headers={**headers, "X-Publishable-Key": "pk_test_other"})
    assert foreign.status_code == 401
    shown = httpx.get(f"{url}/state", headers=headers).json()
    assert (shown["summary"]["due"], shown["lines"][0]["quantity"]) == (1000, 100)
    typed = {"type": "card", "card": {"number": "4000002760003184", "exp_month": 12}}
    asked = httpx.post(f"{url}/pay", headers=headers, json=typed).json()
    assert asked["attempt"] == "requires_action"
    done = httpx.post(f"{url}/challenge", headers=headers, json={"accepted": True}).json()
    assert done["status"] == "complete"
    # The page may still say how it went, though the session has forgotten its secret.
    assert httpx.get(f"{url}/state", headers=headers).json()["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("path", "train"),
    [
        *(("/v3/", "v3"), ("/v3", "v3"), ("/clover/stripe.js", "clover")),
        *(("/dahlia/stripe.js", "dahlia"), ("/endive/stripe.js", "endive")),
    ],
)
def test_the_stand_in_for_stripe_js_knows_where_the_simulator_is_and_its_own_train(
    simulated: Any, path: str, train: str
) -> None:
    answer = httpx.get(simulated.url + path)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert f'"{simulated.url}"' in answer.text
    assert f'TRAIN = "{train}"' in answer.text
    assert "{{" not in answer.text
    assert "window.Stripe" in answer.text


@pytest.mark.parametrize("name", ["checkout.js", "checkout.css"])
def test_the_page_has_its_parts(simulated: Any, name: str) -> None:
    assert httpx.get(f"{simulated.url}/_simulator/assets/{name}").status_code == 200
    assert httpx.get(f"{simulated.url}/_simulator/assets/..%2fserver.py").status_code == 404


def test_a_paid_charge_has_a_receipt_that_says_whose_it_is(
    simulated: Any, v1: Any, open_session: Callable[..., Any]
) -> None:
    session = open_session(100)
    simulated.control(f"sessions/{session.id}/pay", card="4242 4242 4242 4242", email="a<b@x.test")
    (charge,) = v1.charges.list().data
    receipt = httpx.get(charge.receipt_url)
    assert receipt.status_code == 200
    for words in ("Stripe simulator", "no real money", "10.00 USD", "visa ending in 4242"):
        assert words in receipt.text
    assert "a&lt;b@x.test" in receipt.text
    assert httpx.get(f"{charge.receipt_url}x").status_code == 404
    assert httpx.get(charge.receipt_url.replace(charge.id, "ch_none")).status_code == 404


def test_what_was_not_paid_has_no_receipt(
    simulated: Any, v1: Any, wait_for: Any, open_session: Callable[..., Any]
) -> None:
    declined = {"card": "4000000000000002"}
    address = f"{simulated.url}/_simulator/sessions/{open_session(50).id}/pay"
    assert httpx.post(address, json=declined).status_code == 402
    assert [charge.receipt_url for charge in v1.charges.list().data] == [None]
    simulated.control(f"sessions/{open_session(100).id}/pay", outcome="delayed_succeeds")
    wait_for(lambda: v1.charges.list().data[0].receipt_url)
    assert "10.00 USD" in httpx.get(v1.charges.list().data[0].receipt_url).text


@pytest.mark.parametrize(
    ("currency", "amount", "spoken"), [("jpy", 500, "500 JPY"), ("kwd", 5000, "5.000 KWD")]
)
def test_a_receipt_counts_as_its_currency_does(
    simulated: Any, v1: Any, currency: str, amount: int, spoken: str
) -> None:
    del simulated
    method = {"payment_method": "pm_card_visa", "confirm": True}
    intent = v1.payment_intents.create({"amount": amount, "currency": currency, **method})
    charge = v1.charges.retrieve(intent.latest_charge)
    assert spoken in httpx.get(charge.receipt_url).text
