"""Whatever the SDK's types allow is answered or refused: the simulator never stumbles."""

import random
from collections.abc import Iterator
from types import NoneType
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from stripe._encode import _api_encode

from prepaid.simulator.annotations import (
    Choice,
    ListOf,
    MapOf,
    OneOf,
    PageOf,
    Record,
    Scalar,
    Shape,
    fields,
)
from prepaid.simulator.forms import decode
from prepaid.simulator.operations import OPERATIONS, Operation

BRIEF, LONG = 8, 120  # requests to each operation
# Parameters of a session that others forbid, or of which few values are sound.
QUARRELSOME = frozenset(
    {
        "currency",
        "customer",
        "customer_creation",
        "customer_update",
        "discounts",
        "expires_at",
        "payment_method_data",
        "redirect_on_completion",
        "return_url",
        "setup_intent_data",
        "shipping_options",
        "subscription_data",
    }
)
KNOWN = ["usd", "eur", "jpy", "", "x", "pm_card_visa", "2026-10-28.endive", "https://shop.test"]


class Guess:
    """Values of a shape, made by chance, now and then of ids that exist."""

    def __init__(self, seed: str, ids: list[str]) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - not for secrets
        self.words = [*KNOWN, *ids]

    def of(self, shape: Shape, depth: int = 0) -> Any:
        chance = self.chance
        match shape:
            case Scalar(kind):
                return self._scalar(kind)
            case OneOf(values):
                return chance.choice(values)
            case ListOf(item) | PageOf(item):
                return [self.of(item, depth + 1) for _ in range(chance.randint(1, 3))]
            case MapOf(value):
                return {f"k{n}": self.of(value, depth + 1) for n in range(chance.randint(1, 3))}
            case Choice(options):
                return self.of(chance.choice([o for o in options if o != Scalar(NoneType)]), depth)
            case Record(cls):
                return self.record(cls, depth + 1)

    def record(self, cls: type, depth: int = 0) -> dict[str, Any]:
        often = 0.35 / (depth + 1)
        return {
            name: self.of(field.shape, depth)
            for name, field in fields(cls).items()
            if name != "expand" and (field.required or self.chance.random() < often)
        }

    def _scalar(self, kind: type) -> Any:
        chance = self.chance
        if kind is bool:
            return chance.random() < 0.5
        if kind is int:
            return chance.choice([0, 1, 50, 500, 2030, -1, 10**12])
        if kind is float:
            return chance.choice([0, 12.5, 100])
        if kind is str:
            return chance.choice(self.words)
        return "12.5"


@pytest.fixture
def ids(simulated: Any, v1: Any, package: Any) -> list[str]:
    """One of each kind of thing."""
    customer = v1.customers.create({"email": "a@example.com"})
    lines = [{"price": package.id, "quantity": 50}]
    given = {"mode": "payment", "line_items": lines, "customer": customer.id}
    session = v1.checkout.sessions.create(given)
    simulated.control(f"sessions/{session.id}/pay", outcome="disputed")
    hook = {"url": "http://127.0.0.1:9/", "enabled_events": ["charge.updated"]}
    made = [
        package.product,
        package.id,
        customer.id,
        session.id,
        v1.checkout.sessions.create(given).id,
        v1.coupons.create({"percent_off": 10, "duration": "once"}).id,
        v1.webhook_endpoints.create(hook).id,
        v1.payment_intents.create({"amount": 500, "currency": "usd"}).id,
    ]
    lists = (v1.payment_intents, v1.charges, v1.disputes, v1.balance_transactions, v1.events)
    made += [thing.id for room in lists for thing in room.list({"limit": 2}).data]
    charge = v1.charges.list().data[0]
    return [*made, charge.payment_method]


@pytest.mark.parametrize("times", [BRIEF, pytest.param(LONG, marks=pytest.mark.long)])
def test_any_request_is_answered_or_refused(simulated: Any, ids: list[str], times: int) -> None:
    with httpx.Client(base_url=simulated.url, headers=_headers(simulated)) as client:
        for operation in OPERATIONS:
            guess = Guess(f"{operation.name} {times}", ids)
            for path, text in _requests(operation, guess, ids, times):
                answer = _send(client, operation.method, path, text)
                assert answer.status_code in {200, 400, 402, 404}, (decode(text), answer.text)


def _headers(simulated: Any) -> dict[str, str]:
    key = simulated.config.api_key
    return {"Authorization": f"Bearer {key}", "Stripe-Version": "2026-10-28.endive"}


def _send(client: httpx.Client, method: str, path: str, text: str) -> httpx.Response:
    if method != "POST":
        return client.request(method, f"{path}?{text}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.post(path, content=text, headers=form)


def _requests(
    operation: Operation, guess: Guess, ids: list[str], times: int
) -> Iterator[tuple[str, str]]:
    price = next(word for word in ids if word.startswith("price_"))
    for _ in range(times):
        path = operation.path.replace("{id}", guess.chance.choice(ids))
        params = guess.record(operation.params)
        if guess.chance.random() < 0.8:  # mostly what gets past the first refusals
            sound = _sound(price).get(operation.name, {})
            params = {k: v for k, v in params.items() if not sound or k not in QUARRELSOME} | sound
        pairs = [(key, str(value)) for key, value in _api_encode(params)]
        yield path, "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs)


def _sound(price: str) -> dict[str, dict[str, Any]]:
    lines = [{"price": price, "quantity": 50}]
    return {
        "sessions.create": {"mode": "payment", "line_items": lines, "ui_mode": "hosted_page"},
        "prices.create": {"currency": "usd", "unit_amount": 500},
        "payment_intents.create": {"amount": 500, "currency": "usd"},
        "payment_methods.create": {"type": "card", "card": {"token": "tok_visa"}},
    }


def _quoted(text: str) -> str:
    return quote(text.lower() if text in {"True", "False"} else text, safe="[]")
