"""Stripe's official command line against the simulator."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from stripe_command import StripeCommand

Wait = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def cli(simulated: Any, tmp_path: Path) -> StripeCommand:
    return StripeCommand(simulated.config.api_key, simulated.url, tmp_path)


@pytest.mark.parametrize(
    "event",
    [
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "charge.refunded",
        "charge.dispute.created",
        "charge.dispute.closed",
        "payment_intent.payment_failed",
        "payment_method.attached",
        "customer.deleted",
    ],
)
def test_the_cli_triggers_an_event(v1: Any, cli: StripeCommand, wait_for: Wait, event: str) -> None:
    assert "Trigger succeeded" in cli("trigger", event)
    assert wait_for(lambda: v1.events.list({"type": event}).data)


def test_the_cli_pays_an_embedded_session(
    v1: Any, cli: StripeCommand, open_session: Callable[..., Any]
) -> None:
    session = open_session(100)
    card = ("-d", "type=card", "-d", "card[token]=tok_visa")
    method = json.loads(cli("post", "/v1/payment_methods", *card))["id"]
    paying = ("-d", f"payment_method={method}", "-d", "expected_amount=1000")
    cli("post", f"/v1/payment_pages/{session.id}/confirm", *paying)
    shown = json.loads(cli("checkout", "sessions", "retrieve", session.id))
    assert shown["payment_status"] == "paid"
    assert v1.events.list({"type": "checkout.session.completed"}).data


def test_the_cli_sets_up_a_shop_from_a_file(v1: Any, cli: StripeCommand, tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    package = {
        "product": "${product:id}",
        "currency": "usd",
        "unit_amount": 500,
        "nickname": "50 credits",
        "transform_quantity": {"divide_by": 50, "round": "up"},
    }
    endpoint = {
        "url": "http://127.0.0.1:9/webhook",
        "enabled_events": ["checkout.session.completed"],
    }
    fixtures = [
        {
            "name": "product",
            "path": "/v1/products",
            "method": "post",
            "params": {"name": "Credits"},
        },
        {"name": "price", "path": "/v1/prices", "method": "post", "params": package},
        {"name": "hook", "path": "/v1/webhook_endpoints", "method": "post", "params": endpoint},
    ]
    file.write_text(json.dumps({"_meta": {"template_version": 0}, "fixtures": fixtures}))
    cli("fixtures", str(file))
    price = v1.prices.list({"expand": ["data.product"]}).data[0]
    assert (price.product.name, price.transform_quantity.divide_by) == ("Credits", 50)
    assert v1.webhook_endpoints.list().data[0].enabled_events == ["checkout.session.completed"]
    assert json.loads(cli("prices", "list"))["data"][0]["id"] == price.id


def test_the_cli_resends_an_event(
    v1: Any, cli: StripeCommand, receiver: Any, wait_for: Wait
) -> None:
    customer = v1.customers.create({"name": "a"})
    endpoint = v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["product.created"]}
    )
    event = v1.events.list({"type": "customer.created"}).data[0]
    cli("events", "resend", event.id, "--webhook-endpoint", endpoint.id)
    wait_for(lambda: receiver.heard)
    (told,) = receiver.signed(endpoint.secret)
    assert (told.id, told.data.object["id"]) == (event.id, customer.id)


@pytest.fixture
def listening(
    simulated: Any,
    cli: StripeCommand,
    receiver: Any,
    wait_for: Wait,
) -> Iterator[None]:
    words = ("listen", "--all-snapshot", "-s", "--no-wss", "--forward-to", receiver.url)
    process = cli.start(*words)
    try:
        wait_for(lambda: simulated.control("state", "GET")["listeners"])
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.usefixtures("listening")
def test_the_cli_listens_and_forwards(
    simulated: Any,
    v1: Any,
    cli: StripeCommand,
    receiver: Any,
    wait_for: Wait,
) -> None:
    secret = cli("listen", "--print-secret", "--all-snapshot").strip()
    customer = v1.customers.create({"name": "a"})
    wait_for(lambda: receiver.heard)
    headers, body = receiver.heard[0]
    event = stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
    assert event.data.object["id"] == customer.id
    forwarded = wait_for(lambda: simulated.control("state", "GET")["forwarded"])
    assert forwarded[0]["status"] == 200
