"""Every operation is walked once, and each of its answers holds the contract.

The simulator checks its own answers and events, and gives a 500 named ``simulator_contract`` for
one that doesn't hold; the SDK raises APIError for it, which fails these tests.
"""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from prepaid.simulator import SimulatorConfig, contract
from prepaid.simulator.handlers import HANDLERS
from prepaid.simulator.operations import OPERATIONS
from prepaid.simulator.sandbox import Call

Handler = Callable[[Call], dict[str, Any]]

EVERYTHING: dict[str, Any] = {
    "adaptive_pricing": {"enabled": False},
    "after_expiration": {"recovery": {"enabled": True, "allow_promotion_codes": True}},
    "allow_promotion_codes": True,
    "allowed_payment_method_types": ["card", "link"],
    "automatic_tax": {"enabled": True, "liability": {"type": "self"}},
    "billing_address_collection": "required",
    "branding_settings": {"background_color": "#ffffff", "display_name": "Shop"},
    "client_reference_id": "u1",
    "consent_collection": {
        "payment_method_reuse_agreement": {"position": "auto"},
        "promotions": "auto",
        "terms_of_service": "required",
    },
    "currency": "usd",
    "custom_fields": [
        {"key": "a", "label": {"custom": "A", "type": "custom"}, "type": "text"},
        {
            "key": "b",
            "label": {"custom": "B", "type": "custom"},
            "type": "dropdown",
            "optional": True,
            "dropdown": {"options": [{"label": "X", "value": "x"}]},
        },
        {
            "key": "c",
            "label": {"custom": "C", "type": "custom"},
            "type": "numeric",
            "numeric": {"maximum_length": 9},
        },
    ],
    "custom_text": {"submit": {"message": "Pay"}, "after_submit": {"message": "Thanks"}},
    "customer_creation": "always",
    "customer_email": "buyer@example.com",
    "integration_identifier": "prepaid",
    "invoice_creation": {
        "enabled": True,
        "invoice_data": {
            "description": "Credits",
            "footer": "Thanks",
            "metadata": {"a": "1"},
            "custom_fields": [{"name": "Order", "value": "1"}],
            "issuer": {"type": "self"},
            "rendering_options": {"amount_tax_display": "exclude_tax"},
        },
    },
    "locale": "fr",
    "managed_payments": {"enabled": False},
    "metadata": {"order": "1"},
    "name_collection": {
        "business": {"enabled": True, "optional": True},
        "individual": {"enabled": True},
    },
    "origin_context": "web",
    "payment_intent_data": {
        "description": "Credits",
        "metadata": {"order": "1"},
        "receipt_email": "buyer@example.com",
        "setup_future_usage": "off_session",
        "statement_descriptor": "CREDITS",
    },
    "payment_method_options": {
        "card": {"request_three_d_secure": "any", "setup_future_usage": "off_session"},
        "us_bank_account": {"verification_method": "instant"},
    },
    "permissions": {"update_shipping_details": "client_only"},
    "phone_number_collection": {"enabled": True},
    "saved_payment_method_options": {
        "payment_method_save": "enabled",
        "payment_method_remove": "enabled",
        "allow_redisplay_filters": ["always"],
    },
    "shipping_address_collection": {"allowed_countries": ["FR", "US"]},
    "submit_type": "pay",
    "tax_id_collection": {"enabled": True, "required": "if_supported"},
    "wallet_options": {"link": {"display": "never"}},
}


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Note which operations are asked for."""
    names: set[str] = set()

    def noting(name: str, handler: Handler) -> Handler:
        def noted(call: Call) -> dict[str, Any]:
            names.add(name)
            return handler(call)

        return noted

    for name, handler in list(HANDLERS.items()):
        monkeypatch.setitem(HANDLERS, name, noting(name, handler))
    return names


@pytest.mark.parametrize("config", [SimulatorConfig(delayed_seconds=3600)])
def test_every_operation_holds_the_contract(
    simulated: Any, v1: Any, walked: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "prepaid.simulator")
    _walk_the_catalog(v1)
    _walk_customers_and_methods(v1)
    _walk_sessions(simulated, v1)
    _walk_payments(v1)
    _walk_the_rest(v1)
    assert {operation.name for operation in OPERATIONS} - walked == set()
    assert not caplog.records
    for event in v1.events.list({"limit": 100}).auto_paging_iter():
        contract.check_object(json.loads(str(event)))


def _walk_the_catalog(v1: Any) -> None:
    product = v1.products.create(
        {
            "name": "Credits",
            "description": "For compute",
            "images": ["https://shop.test/a.png"],
            "marketing_features": [{"name": "Fast"}],
            "default_price_data": {"currency": "usd", "unit_amount": 500},
            "unit_label": "credit",
        }
    )
    assert product.default_price.startswith("price_")
    v1.products.update(product.id, {"description": "", "metadata": {"a": "1"}})
    assert v1.products.retrieve(product.id).description is None
    assert v1.products.list({"ids": [product.id], "active": True}).data[0].id == product.id
    v1.products.delete(v1.products.create({"name": "Bare"}).id)
    decimal = v1.prices.create(
        {"currency": "usd", "unit_amount_decimal": "0.5", "product": product.id}
    )
    assert (decimal.unit_amount, str(decimal.unit_amount_decimal)) == (None, "0.5")
    v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 900,
            "product": product.id,
            "recurring": {"interval": "month"},
        }
    )
    v1.prices.update(decimal.id, {"active": False, "metadata": {"a": "1"}})
    v1.prices.retrieve(decimal.id)
    assert [p.type for p in v1.prices.list({"type": "recurring"}).data] == ["recurring"]
    coupon = v1.coupons.create({"percent_off": 12.5, "duration": "once", "name": "Hello"})
    v1.coupons.retrieve(coupon.id)
    assert v1.coupons.list().data[0].percent_off == 12.5
    v1.coupons.delete(coupon.id)


def _walk_customers_and_methods(v1: Any) -> None:
    address = {"country": "FR", "city": "Paris"}
    customer = v1.customers.create({"email": "a@example.com", "address": address, "phone": "1"})
    v1.customers.update(customer.id, {"name": "A", "phone": "", "preferred_locales": ["fr"]})
    assert v1.customers.retrieve(customer.id).phone is None
    assert v1.customers.list({"email": "a@example.com"}).data[0].name == "A"
    card = {"number": "5555555555554444", "exp_month": 1, "exp_year": 2030, "cvc": "123"}
    method = v1.payment_methods.create({"type": "card", "card": card})
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
    for kind, facts in (
        ("sepa_debit", {"iban": "AT611904300234573201"}),
        ("us_bank_account", {"account_number": "000123456789", "routing_number": "110000000"}),
        ("bacs_debit", {"account_number": "00012345", "sort_code": "108800"}),
    ):
        v1.payment_methods.create({"type": kind, kind: facts})
    v1.payment_methods.attach(method.id, {"customer": customer.id})
    assert v1.payment_methods.list({"customer": customer.id}).data[0].id == method.id
    v1.payment_methods.detach(method.id)
    assert v1.payment_methods.retrieve(method.id).customer is None
    v1.customers.delete(customer.id)


def _walk_sessions(simulated: Any, v1: Any) -> None:
    price = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Credits"}}
    line: dict[str, Any] = {"price_data": price, "quantity": 1, "metadata": {"a": "1"}}
    adjustable = {"enabled": True, "maximum": 9}
    lines = [line, {**line, "adjustable_quantity": adjustable}]
    given = {"mode": "payment", "line_items": lines, **EVERYTHING}
    session = v1.checkout.sessions.create(given)
    v1.checkout.sessions.update(session.id, {"metadata": {"b": "2"}})
    v1.checkout.sessions.line_items.list(session.id)
    simulated.control(f"sessions/{session.id}/pay", address={"country": "FR"})
    paid = v1.checkout.sessions.retrieve(
        session.id, {"expand": ["line_items", "payment_intent", "customer"]}
    )
    assert (paid.amount_total, paid.metadata["b"]) == (1200, "2")
    assert v1.checkout.sessions.list({"customer": paid.customer.id}).data[0].id == session.id
    found = {"customer_details": {"email": "buyer@example.com"}, "status": "complete"}
    assert v1.checkout.sessions.list(found).data[0].id == session.id
    embedded = {"ui_mode": "embedded_page", "return_url": "https://shop.test/r"}
    other = v1.checkout.sessions.create({"mode": "payment", "line_items": [line], **embedded})
    v1.checkout.sessions.expire(other.id)


def _walk_payments(v1: Any) -> None:
    given = {"amount": 500, "currency": "usd", "confirm": True}
    paid = v1.payment_intents.create({**given, "payment_method": "pm_card_visa"})
    v1.payment_intents.update(paid.id, {"description": "x", "metadata": {"a": "1"}})
    v1.payment_intents.retrieve(paid.id, {"expand": ["latest_charge.balance_transaction"]})
    v1.payment_intents.list()
    charge = v1.charges.list({"payment_intent": paid.id}).data[0]
    v1.charges.update(charge.id, {"description": "x", "metadata": {"a": "1"}})
    v1.charges.retrieve(charge.id)
    refund = v1.refunds.create({"charge": charge.id, "amount": 1})
    v1.refunds.update(refund.id, {"metadata": {"a": "1"}})
    v1.refunds.retrieve(refund.id, {"expand": ["charge", "balance_transaction"]})
    assert len(v1.refunds.list({"charge": charge.id}).data) == 1
    slow = v1.payment_intents.create({**given, "payment_method": "pm_card_pendingRefund"})
    pending = v1.refunds.create({"payment_intent": slow.id})
    assert v1.refunds.cancel(pending.id).status == "canceled"
    waiting = v1.payment_intents.create({"amount": 500, "currency": "usd"})
    action = v1.payment_intents.confirm(
        waiting.id, {"payment_method": "pm_card_authenticationRequired"}
    )
    assert action.status == "requires_action"
    v1.payment_intents.cancel(waiting.id, {"cancellation_reason": "abandoned"})
    with pytest.raises(stripe.CardError):
        v1.payment_intents.create({**given, "payment_method": "pm_card_chargeDeclined"})


def _walk_the_rest(v1: Any) -> None:
    given = {"amount": 500, "currency": "usd", "confirm": True}
    for name in ("pm_card_createDispute", "pm_card_createDisputeInquiry"):
        v1.payment_intents.create({**given, "payment_method": name})
    inquiry, dispute = v1.disputes.list().data
    evidence = {"evidence": {"product_description": "Credits"}}
    v1.disputes.update(dispute.id, {**evidence, "submit": False})
    assert v1.disputes.update(dispute.id, evidence).status == "under_review"
    assert v1.disputes.close(inquiry.id).status == "warning_closed"
    assert v1.disputes.retrieve(dispute.id).evidence.product_description == "Credits"
    entry = v1.balance_transactions.list({"type": "adjustment"}).data[0]
    assert v1.balance_transactions.retrieve(entry.id).source == dispute.id
    assert v1.accounts.retrieve_current().object == "account"
    event = v1.events.list({"created": {"gte": 1}, "limit": 1}).data[0]
    v1.events.retrieve(event.id)
    hook = v1.webhook_endpoints.create(
        {"url": "https://shop.test", "enabled_events": ["*"], "description": "x"}
    )
    v1.webhook_endpoints.update(hook.id, {"metadata": {"a": "1"}, "disabled": True})
    assert v1.webhook_endpoints.retrieve(hook.id).status == "disabled"
    v1.webhook_endpoints.list()
    v1.webhook_endpoints.delete(hook.id)


def test_an_object_of_ours_that_breaks_the_contract_is_a_500(
    restartable: Callable[[], Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    simulated = restartable()
    customer = simulated.client().v1.customers.create({"name": "a"})
    simulated.stop()
    file = sqlite3.connect(tmp_path / "stripe.sqlite")
    file.execute(
        "UPDATE objects SET body = json_set(body, '$.livemode', 'no') WHERE id = ?", (customer.id,)
    )
    file.commit()
    file.close()
    again = restartable()
    answer = again.raw("GET", f"/v1/customers/{customer.id}")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (500, "simulator_contract")
    assert error["param"] == "livemode"
    assert "simulator_contract GET /v1/customers" in caplog.text


_PROGRAM = """
import asyncio, sys
from prepaid.simulator import SimulatorConfig, serve
config = SimulatorConfig(database=sys.argv[1])
asyncio.run(serve(config, port=0, on_ready=lambda url: print(url, flush=True)))
"""


def test_a_killed_simulator_keeps_what_it_acknowledged(
    restartable: Callable[[], Any], tmp_path: Path
) -> None:
    words = [sys.executable, "-c", _PROGRAM, str(tmp_path / "stripe.sqlite")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        client = stripe.StripeClient("sk_test_simulator000000000000", base_addresses={"api": url})
        made = [client.v1.customers.create({"name": str(n)}).id for n in range(20)]
        process.send_signal(signal.SIGKILL)
    listed = restartable().client().v1.customers.list({"limit": 100}).data
    assert [customer.id for customer in listed] == made[::-1]


def test_the_simulator_stands_alone() -> None:
    probe = (
        "import sys, prepaid.simulator\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'fastapi', 'sqlalchemy'}\n"
        "       or (m.startswith('prepaid.') and not m.startswith('prepaid.simulator'))]\n"
        "print(bad)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_page_loads_nothing_from_anywhere_else(simulated: Any) -> None:
    answer = httpx.get(f"{simulated.url}/_simulator/checkout/cs_test_1")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "http" not in answer.text.replace("http-equiv", "")
