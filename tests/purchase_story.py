"""One purchase from end to end, at Stripe's test mode or at the simulator: the same story.

No public address leads to a test, so Stripe's webhook can't come. The event is fetched from Stripe,
signed with the secret that the service has, and delivered by us.
"""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import httpx
import stripe

from local_service import CREDITS, SESSIONS, WEBHOOK, bearer, serving, token
from local_stripe import signed
from prepaid.clock import wall_clock
from prepaid.core.amounts import Money
from prepaid.flows import balances
from prepaid.flows.verification import Tally, verify
from prepaid.payments.gateway import Gateway
from prepaid.payments.setup import Offer, make_price
from prepaid.settings import Settings, read_settings
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database
from prepaid.storage.schema import migrate
from prepaid.web.app import create_app

DEADLINE_SECONDS = 60
PAUSE_SECONDS = 0.5
"""Between two looks: Stripe counts requests."""

BUYER = Profile(handle="Prepaid Test", email="buyer@example.com", first_name="", last_name="")
PAGE = "https://app.example.com"
JWT = {"DATALAYER_JWT_ISSUER": "https://id.example.com"}

Json = dict[str, Any]  # as it is on the wire


class Ending(Enum):
    """How a story ended: by a payment, or because Stripe let no program pay."""

    CREDITED = "credited"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Story:
    """Everybody in it: the service, Stripe, and the buyer."""

    service: httpx.Client
    stripe: stripe.StripeClient
    buyer: str
    secret: str

    def ask(self, method: str, path: str, **more: Any) -> Json:
        """What the service answers the buyer."""
        answer = self.service.request(method, path, headers=bearer(self.buyer), **more)
        assert answer.is_success, answer.text
        told: Json = answer.json()
        return told

    def balance(self) -> float:
        """What the buyer has."""
        credits_: float = self.ask("GET", CREDITS)["credits"]["credits"]
        return credits_

    def state(self, session: str) -> str:
        """Where the checkout stands."""
        return str(self.ask("GET", f"{SESSIONS}/{session}")["state"])

    def open(self) -> tuple[str, int]:
        """A checkout of what is on sale: its session, and what it costs."""
        (package,) = self.ask("GET", "/api/iam/stripe/v1/prices")["prices"]
        assert (package["credits"], package["amount"], package["currency"]) == (50, 500, "usd")
        asked = {"price_id": package["id"], "return_url": f"{PAGE}/settings"}
        opened = self.ask("POST", SESSIONS, json=asked)
        assert self.ask("POST", SESSIONS, json=asked)["session_id"] == opened["session_id"]
        return str(opened["session_id"]), int(package["amount"])

    def pay(self, session: str, amount: int) -> None:
        """Pays as Stripe's own command line does, by a route that Stripe doesn't document.

        Raises:
            stripe.StripeError: it is refused.
        """
        self.stripe.raw_request("get", f"/v1/payment_pages/{session}")
        described = {"email": BUYER.email, "name": BUYER.handle, "address": {"country": "US"}}
        method = self.stripe.raw_request(
            "post",
            "/v1/payment_methods",
            type="card",
            card={"token": "tok_visa"},
            billing_details=described,
        )
        self.stripe.raw_request(
            "post",
            f"/v1/payment_pages/{session}/confirm",
            payment_method=_told(method)["id"],
            expected_amount=amount,
        )

    def event(self, session: str, type_: str) -> Json:
        """What Stripe says of the session, once it says it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            page = _told(self.stripe.raw_request("get", "/v1/events", type=type_, limit=100))
            for event in page["data"]:
                if event["data"]["object"]["id"] == session:
                    found: Json = event
                    return found
            assert time.monotonic() < deadline, f"Stripe told of no {type_}"
            threading.Event().wait(PAUSE_SECONDS)

    def deliver(self, event: Json) -> str:
        """What the service does with an event."""
        body = json.dumps(event).encode()
        headers = {"Stripe-Signature": signed(body, self.secret)}
        answer = self.service.post(WEBHOOK, content=body, headers=headers)
        assert answer.is_success, answer.text
        return str(answer.json()["verdict"])


def tell(api_key: str, api_base: str, folder: Path) -> Ending:
    """Everything from an account at Stripe to credits in ours. `api_base` is empty for Stripe."""
    assert "_live_" not in api_key, "no story is told with real money"
    client = stripe.StripeClient(api_key, base_addresses={"api": api_base} if api_base else {})
    product = asyncio.run(_stocked(api_key, api_base))
    session = ""
    try:
        with _opened(client, _settings(api_key, api_base, product, folder)) as story:
            session, amount = story.open()
            assert (story.state(session), story.balance()) == ("open", 0)
            try:
                story.pay(session, amount)
            except stripe.StripeError:
                return _expired(story, session)
            return _credited(story, session)
    finally:
        _cleared(client, product, session)


def _credited(story: Story, session: str) -> Ending:
    paid = story.event(session, "checkout.session.completed")
    assert (story.state(session), story.balance()) == ("paid", 0)
    assert story.deliver(paid) == "applied"
    assert (story.state(session), story.balance()) == ("credited", 50)
    assert story.deliver(paid) == "applied"
    assert story.balance() == 50
    return Ending.CREDITED


def _expired(story: Story, session: str) -> Ending:
    story.stripe.v1.checkout.sessions.expire(session)
    expired = story.event(session, "checkout.session.expired")
    assert story.deliver(expired) == "applied"
    assert (story.state(session), story.balance()) == ("expired", 0)
    return Ending.EXPIRED


def _settings(api_key: str, api_base: str, product: str, folder: Path) -> Settings:
    given = JWT | {
        "DATALAYER_STRIPE_API_KEY": api_key,
        "DATALAYER_STRIPE_JS_API_KEY": "pk_test_of_no_use_here",
        "DATALAYER_STRIPE_PRODUCT_ID": product,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "DATALAYER_JWT_SECRET": secrets.token_hex(32),
        "PREPAID_STRIPE_API_BASE": api_base,
        "PREPAID_DATABASE_URL": f"sqlite:///{folder / 'prepaid.db'}",
        "PREPAID_RETURN_ORIGINS": PAGE,
    }
    return read_settings(**given)


async def _stocked(api_key: str, api_base: str) -> str:
    """A product of this story alone, with one package. It doesn't bear the mark of `prepaid stripe
    setup`, which would take it for the operator's; and theirs is not touched."""
    gateway = Gateway(api_key, "", api_base or None)
    try:
        async with gateway.asking() as asked:
            product = await asked.products.create_async({"name": "Prepaid live test"})
        await make_price(gateway, product.id, Offer(50, Money(500, "usd"), "exclusive"))
    finally:
        await gateway.close()
    return product.id


@contextmanager
def _opened(client: stripe.StripeClient, settings: Settings) -> Iterator[Story]:
    """The service, with a buyer; its books are verified at the end."""
    migrate(settings.database)
    (secret,) = settings.webhook_secrets
    buyer = token("buyer", settings.jwt_secret.get_secret_value(), email=BUYER.email)
    with serving(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60) as service:
        yield Story(service, client, buyer, secret)
    assert asyncio.run(_findings(settings.database)) == []


async def _findings(url: str) -> list[object]:
    database = Database(url)
    try:
        assert (await balances.balance(database, "buyer", wall_clock())).balance.micro >= 0
        return [finding async for finding in verify(database, Tally())]
    finally:
        await database.close()


def _cleared(client: stripe.StripeClient, product: str, session: str) -> None:
    """Archives what was made: Stripe deletes no product that has prices."""
    if session:
        customer = client.v1.checkout.sessions.retrieve(session).customer
        client.v1.customers.delete(str(customer))
    for price in client.v1.prices.list({"product": product, "active": True}).data:
        client.v1.prices.update(price.id, {"active": False})
    client.v1.products.update(product, {"active": False})


def _told(answer: stripe.StripeResponse) -> Json:
    told: Json = json.loads(answer.body)
    return told
