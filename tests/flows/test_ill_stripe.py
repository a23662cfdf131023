"""Stripe as its documents say it can be: a failure that is kept, an address that is refused."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local_service import serving
from local_stripe import LocalStripe, local_stripe
from prepaid.core.errors import StripeUnavailable
from prepaid.flows import accounts
from prepaid.flows.catalog import Catalog
from prepaid.flows.checkout import open_checkout
from prepaid.flows.customers import Buyer
from prepaid.flows.shop import Shop
from prepaid.ids import new_id
from prepaid.payments.gateway import Gateway
from prepaid.storage import checkouts, deployments
from prepaid.storage.database import Database

BACK = "https://app.example.com/credits"
SESSIONS = "/v1/checkout/sessions"
CUSTOMERS = "/v1/customers"
PRICES = "/v1/prices"
FAULT = {"error": {"type": "api_error", "message": "Something went wrong on Stripe's end."}}
REFUSAL = {
    "error": {
        "type": "invalid_request_error",
        "code": "email_invalid",
        "param": "email",
        "message": "Invalid email address: ada@localhost",
    }
}


@dataclass
class IllStripe:
    """A Stripe that passes requests on to a healthy one, but for those that it spoils.

    The next POST to a path in `failing` fails, and its idempotency key fails for good: Stripe
    keeps "the resulting status code and body, including 500 errors".
    """

    url: str = ""
    healthy: LocalStripe | None = None
    failing: list[str] = field(default_factory=list)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    _spent: set[str] = field(default_factory=set)

    async def answer(self, request: Request) -> Response:
        body, key = await request.body(), request.headers.get("idempotency-key", "")
        self.asked.append(request.url.path)
        if key in self._spent:
            return JSONResponse(FAULT, 500, {"Idempotent-Replayed": "true"})
        if self.down:
            return JSONResponse(FAULT, 500)
        if request.method == "POST" and request.url.path in self.failing:
            self.failing.remove(request.url.path)
            self._spent.add(key)
            return JSONResponse(FAULT, 500)
        if request.url.path == CUSTOMERS and b"localhost" in body:
            return JSONResponse(REFUSAL, 400)
        return await self._pass_on(request, body)

    async def _pass_on(self, request: Request, body: bytes) -> Response:
        assert self.healthy is not None
        told = {name: text for name, text in request.headers.items() if name != "host"}
        async with httpx.AsyncClient(base_url=self.healthy.url, timeout=20) as client:
            answer = await client.request(
                request.method,
                request.url.path,
                params=request.url.query,
                content=body,
                headers=told,
            )
        return Response(answer.content, answer.status_code, {"content-type": "application/json"})


@dataclass
class Store:
    """A shop at an ill Stripe."""

    shop: Shop
    stripe: IllStripe
    price_id: str
    uid: str

    async def open(self, email: str = "ada@example.com") -> str:
        """The session that a buyer is given."""
        buyer = Buyer(self.uid, "Ada", email)
        opened = await open_checkout(self.shop, buyer, self.price_id, BACK, datetime.now(UTC))
        assert opened.client_secret
        return str(opened.checkout.session_id)


@pytest.fixture(scope="module")
def healthy() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture
def stripe_account(healthy: LocalStripe) -> Iterator[IllStripe]:
    ill = IllStripe(healthy=healthy)
    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/{path:path}", ill.answer, methods=methods)])
    with serving(app) as url:
        ill.url = url
        yield ill


@pytest.fixture
async def store(
    database_url: str, stripe_account: IllStripe, healthy: LocalStripe
) -> AsyncIterator[Store]:
    database = Database(database_url)
    gateway = Gateway(healthy.config.api_key, healthy.product, stripe_account.url)
    async with database.reading() as connection:
        deployment = await deployments.own(connection)
    uid = f"ada-{new_id()}"
    await accounts.create(database, uid, datetime.now(UTC))
    origins = frozenset({"https://app.example.com"})
    shop = Shop(database, gateway, Catalog(gateway), deployment, origins, automatic_tax=False)
    yield Store(shop, stripe_account, healthy.package(), uid)
    await gateway.close()
    await database.close()


@pytest.mark.parametrize("path", [SESSIONS, CUSTOMERS])
async def test_a_failure_that_stripe_keeps_does_not_keep_the_buyer(store: Store, path: str) -> None:
    store.stripe.failing.append(path)
    session = await store.open()
    assert await store.open() == session


async def test_failures_without_end_are_not_answered_without_end(store: Store) -> None:
    store.stripe.failing += [CUSTOMERS] * 3
    with pytest.raises(StripeUnavailable):
        await store.open()
    await store.open()


async def test_a_buyer_with_an_address_that_stripe_refuses_can_buy(store: Store) -> None:
    session = await store.open("ada@localhost")
    assert await store.open("ada@localhost") == session


async def test_a_session_that_stripe_has_lost_is_made_anew(store: Store) -> None:
    """As after a test account was emptied, or the keys of another were set."""
    lost = await store.open()
    async with store.shop.database.writing() as connection:
        found = await checkouts.by_session(connection, lost)
        assert found is not None
        gone = replace(found, session_id=f"cs_test_gone_{found.id.hex}")
        await checkouts.save(connection, [gone])
    assert await store.open() != lost


async def test_visitors_who_come_together_ask_a_stripe_that_is_down_once(store: Store) -> None:
    """Each would wait for all before it otherwise, and Stripe's answer can take a minute."""
    store.stripe.down = True
    visits = [store.shop.catalog.packages() for _ in range(5)]
    answers = await asyncio.gather(*visits, return_exceptions=True)
    assert all(isinstance(answer, StripeUnavailable) for answer in answers)
    assert store.stripe.asked.count(PRICES) == 3, "one question, and the SDK's two retries"
    store.stripe.down = False
    assert await store.shop.catalog.packages()
