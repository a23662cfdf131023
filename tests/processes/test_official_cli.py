"""The main job on real input: Stripe's own program sets the shop up and pays, credits rise once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from local_ports import free_port
from local_service import CREDITS, RETURN_URL, SESSIONS, WEBHOOK, bearer, exact, token
from local_stripe import LocalStripe, local_stripe, wait_for
from programs import Program, ended, http, service
from stripe_command import StripeCommand

PRICES = "/api/iam/stripe/v1/prices"


@pytest.fixture
def stripe_account() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture
def cli(stripe_account: LocalStripe, tmp_path: Path) -> StripeCommand:
    return StripeCommand(stripe_account.config.api_key, stripe_account.url, tmp_path)


@pytest.fixture
def program(
    cli: StripeCommand, stripe_account: LocalStripe, database_url: str, tmp_path: Path
) -> Iterator[Program]:
    """A service that sells what Stripe's program set up from a file."""
    port = free_port()
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(shop(f"http://127.0.0.1:{port}{WEBHOOK}")))
    cli("fixtures", str(file))
    products = json.loads(cli("products", "list"))["data"]
    product = next(one["id"] for one in products if one["name"] == "Compute credits")
    sold = service(replace(stripe_account, product=product), database_url, tmp_path, port)
    with ended([sold.start()]):
        yield sold


def shop(webhook_url: str) -> object:
    """A fixtures file: a product, two packages and a webhook endpoint."""

    def step(name: str, path: str, /, **params: object) -> object:
        return {"name": name, "path": path, "method": "post", "params": params}

    def package(size: int, amount: int) -> object:
        return step(
            f"package_{size}",
            "/v1/prices",
            product="${product:id}",
            currency="usd",
            unit_amount=amount,
            nickname=f"{size} credits",
            transform_quantity={"divide_by": size, "round": "up"},
        )

    types = ["completed", "async_payment_succeeded", "async_payment_failed", "expired"]
    endpoint = step(
        "endpoint",
        "/v1/webhook_endpoints",
        url=webhook_url,
        enabled_events=[f"checkout.session.{type_}" for type_ in types],
    )
    product = step("product", "/v1/products", name="Compute credits")
    return {
        "_meta": {"template_version": 0},
        "fixtures": [product, package(120, 1_000), package(50, 500), endpoint],
    }


def open_session(program: Program, price_id: str) -> str:
    asked = {"price_id": price_id, "return_url": RETURN_URL}
    answer = http.post(program.url + SESSIONS, headers=bearer(token("ada")), json=asked)
    assert answer.is_success, answer.text
    return str(answer.json()["session_id"])


def pay(cli: StripeCommand, session: str, amount: int) -> None:
    card = ("-d", "type=card", "-d", "card[token]=tok_visa")
    method = json.loads(cli("post", "/v1/payment_methods", *card))["id"]
    paying = ("-d", f"payment_method={method}", "-d", f"expected_amount={amount}")
    cli("post", f"/v1/payment_pages/{session}/confirm", *paying)


def balance(program: Program) -> Decimal:
    answer = http.get(program.url + CREDITS, headers=bearer(token("ada")))
    return Decimal(exact(answer)["credits"]["credits"])


def delivered(stripe_account: LocalStripe, event_id: str) -> int:
    """How often an event was delivered and acknowledged."""
    deliveries = stripe_account.ask("GET", "/_simulator/state")["deliveries"]
    tries = [one["tries"] for one in deliveries if one["event"] == event_id]
    return sum(attempt["status"] == 200 for found in tries for attempt in found)


def test_stripes_own_program_sets_up_pays_and_the_balance_rises_once(
    program: Program, cli: StripeCommand, stripe_account: LocalStripe
) -> None:
    prices = http.get(program.url + PRICES).json()["prices"]
    assert [(one["name"], one["amount"], one["credits"]) for one in prices] == [
        ("50 credits", 500, 50),
        ("120 credits", 1000, 120),
    ]
    session = open_session(program, prices[1]["id"])
    pay(cli, session, 1_000)
    wait_for(lambda: balance(program) == 120)
    event = stripe_account.event(session)["id"]
    endpoint = json.loads(cli("webhook_endpoints", "list"))["data"][0]["id"]
    cli("events", "resend", event, "--webhook-endpoint", endpoint)
    wait_for(lambda: delivered(stripe_account, event) == 2)
    assert balance(program) == 120


def test_what_stripes_program_triggers_of_others_changes_nothing(
    program: Program, cli: StripeCommand, stripe_account: LocalStripe
) -> None:
    """A session that is not ours is none of our business, and Stripe is told that it was taken."""
    http.get(program.url + CREDITS, headers=bearer(token("ada")))
    assert "Trigger succeeded" in cli("trigger", "checkout.session.completed")
    events = stripe_account.ask("GET", "/v1/events", type="checkout.session.completed")["data"]
    wait_for(lambda: delivered(stripe_account, events[0]["id"]) == 1)
    assert balance(program) == 0


@contextmanager
def listening(program: Program, cli: StripeCommand, stripe_account: LocalStripe) -> Iterator[None]:
    """Stripe's program forwards events to us, as it does for a developer behind a firewall."""
    words = ("--all-snapshot", "-s", "--no-wss", "--forward-to", program.url + WEBHOOK)
    process = cli.start("listen", *words)
    try:
        wait_for(lambda: stripe_account.ask("GET", "/_simulator/state")["listeners"])
        yield
    finally:
        process.terminate()
        process.wait(20)


def test_what_stripes_program_forwards_is_credited(
    program: Program, cli: StripeCommand, stripe_account: LocalStripe
) -> None:
    """The listener signs with a secret of its own: the service takes several."""
    secret = cli("listen", "--print-secret", "--all-snapshot").strip()
    program.end()
    program.settings["DATALAYER_STRIPE_WEBHOOK_SECRET"] += f",{secret}"
    program.start()
    for endpoint in json.loads(cli("webhook_endpoints", "list"))["data"]:
        cli("webhook_endpoints", "delete", endpoint["id"], "--confirm")
    with listening(program, cli, stripe_account):
        price = http.get(program.url + PRICES).json()["prices"][0]["id"]
        pay(cli, open_session(program, price), 500)
        wait_for(lambda: balance(program) == 50)
