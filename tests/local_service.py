"""The service over real HTTP for tests: uvicorn on a loopback port, a local Stripe behind it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey
from starlette.types import ASGIApp

from local_stripe import DEADLINE_SECONDS, WEBHOOK_SECRET, Json, LocalStripe, in_thread, signed
from prepaid.cli import servers
from prepaid.clock import Clock, wall_clock
from prepaid.core.identity import Scope
from prepaid.flows import accounts, keys
from prepaid.flows.keys import NewKey
from prepaid.settings import read_settings
from prepaid.storage.database import Database
from prepaid.web.app import create_app

ISSUER = "https://id.example.com"
JWT_SECRET = "a-shared-secret-of-32-characters"
RETURN_ORIGIN = "https://app.example.com"
RETURN_URL = f"{RETURN_ORIGIN}/app/settings"
SESSIONS = "/api/iam/stripe/v1/checkout/session"
WEBHOOK = "/api/iam/stripe/v1/webhook"
CREDITS = "/api/iam/v1/usage/credits"


def token(uid: object = "user-1", secret: str = JWT_SECRET, **other: object) -> str:
    """A token of the platform, good for an hour; a claim that is None is left out."""
    usual: Json = {"iss": ISSUER, "sub": uid, "exp": int(time.time()) + 3600}
    claims = {name: value for name, value in (usual | other).items() if value is not None}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def key(
    database_url: str, scope: Scope, account_uid: str | None = None, name: str = "test"
) -> NewKey:
    """An API key, made at a shell."""

    async def make() -> NewKey:
        database, now = Database(database_url), wall_clock()
        try:
            if account_uid is not None:
                await accounts.create(database, account_uid, now)
            return await keys.make(database, name, scope, account_uid, now)
        finally:
            await database.close()

    return asyncio.run(make())


@dataclass
class House:
    """A running service, and the hands of everybody who uses it. A shop has an operator's token
    from the start, since nobody can wait for a key while a browser runs."""

    url: str
    database_url: str
    stripe: LocalStripe
    operator: str = ""
    _http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        limits = httpx.Limits(keepalive_expiry=1)  # sooner than the service closes what is idle
        self._http = httpx.Client(base_url=self.url, timeout=DEADLINE_SECONDS, limits=limits)

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, secret: str | None = None, **more: Any) -> httpx.Response:
        """A request, with a token if there is one."""
        headers = (bearer(secret) if secret else {}) | more.pop("headers", {})
        return self._http.request(method, path, headers=headers, **more)

    def get(self, path: str, secret: str | None = None, **more: Any) -> Json:
        """What a request that must succeed says."""
        answer = self.ask("GET", path, secret, **more)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def post(self, path: str, secret: str | None, told: object, status: int = 200) -> Json:
        """What a request that must end so says."""
        answer = self.ask("POST", path, secret, json=told)
        assert answer.status_code == status, answer.text
        return exact(answer)

    def key(self, scope: Scope, account_uid: str | None = None, name: str = "test") -> NewKey:
        """An API key, made as an operator does."""
        return key(self.database_url, scope, account_uid, name)

    def admin(self) -> str:
        """An operator's token."""
        return self.key(Scope.ADMIN, name="operator").secret

    def credits(self, secret: str) -> object:
        """What the token's user has."""
        return self.get(CREDITS, secret)["credits"]["credits"]

    def credits_of(self, uid: str, secret: str) -> object:
        """What an account has, as the platform sees it."""
        return self.get(f"{CREDITS}/users/{uid}", secret)["credits"]["credits"]

    def open(self, secret: str, price_id: str, return_url: str = RETURN_URL) -> Json:
        """A checkout that is open."""
        return self.post(SESSIONS, secret, {"price_id": price_id, "return_url": return_url})

    def paid(self, secret: str, price_id: str) -> Json:
        """The event of a checkout that was paid, and of which nobody has told us yet."""
        opened = self.open(secret, price_id)
        self.stripe.pay(opened["session_id"])
        return self.stripe.event(opened["session_id"])

    def deliver(self, event: Json | bytes, header: str | None = None) -> httpx.Response:
        """Stripe tells of an event, with a signature that holds unless another is given."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        header = signed(body) if header is None else header
        return self.ask("POST", WEBHOOK, content=body, headers={"Stripe-Signature": header})

    def verdict(self, event: Json) -> str:
        """What becomes of an event."""
        answer = self.deliver(event)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["verdict"])


def exact(answer: httpx.Response) -> Json:
    """An answer with its fractions as the text that they are on the wire."""
    told: Json = json.loads(answer.content, parse_float=str)
    return told


def refused(answer: httpx.Response, status: int, code: str | None = None) -> Json:
    """The problem document that every refusal is."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: Json = answer.json()
    assert told["status"] == status
    assert told["success"] is False
    assert told["detail"] == told["message"]
    assert told["message"]
    assert told["errors"]
    assert all(isinstance(error, str) for error in told["errors"])
    assert told["error_code"] == told["code"]
    assert told["type"] == f"urn:prepaid:problem:{told['code']}"
    assert told["title"]
    assert code in {None, told["code"]}, told
    assert answer.headers["x-request-id"]
    if status == 401:
        assert answer.headers["www-authenticate"] == "Bearer"
    if status == 503:
        assert int(answer.headers["retry-after"]) > 0
    return told


def running(database_url: str, stripe: LocalStripe, **chosen: str) -> AbstractContextManager[House]:
    """A service with these settings, until the block ends."""
    return running_by(None, database_url, stripe, **chosen)


@contextmanager
def running_by(
    clock: Clock | None, database_url: str, stripe: LocalStripe, **chosen: str
) -> Iterator[House]:
    """The same, by a clock of the test's."""
    usual = {
        "DATALAYER_STRIPE_API_KEY": stripe.config.api_key,
        "DATALAYER_STRIPE_JS_API_KEY": stripe.config.publishable_key,
        "DATALAYER_STRIPE_PRODUCT_ID": stripe.product,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DATALAYER_JWT_ISSUER": ISSUER,
        "DATALAYER_JWT_SECRET": JWT_SECRET,
        "PREPAID_STRIPE_API_BASE": stripe.url,
        "PREPAID_DATABASE_URL": database_url,
        "PREPAID_PUBLIC_URL": "https://credits.example.com",
        "PREPAID_RETURN_ORIGINS": RETURN_ORIGIN,
    }
    settings = read_settings(**(usual | chosen))
    with serving(create_app(settings, clock)) as url:
        house = House(url, settings.database, stripe)
        yield house
        house.close()


def serving(app: ASGIApp) -> AbstractContextManager[str]:
    """An ASGI app on a loopback port, in a thread of its own; the address."""

    async def serve(ready: Callable[[str], None]) -> None:
        listening = servers.listen("127.0.0.1", 0)
        async with servers.serving(app, listening):
            ready(servers.address_of(listening))
            await asyncio.Event().wait()  # until it is cancelled

    return in_thread(serve)
