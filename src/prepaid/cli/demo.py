"""The demo: a service, a simulated Stripe beside it, a user and an operator."""

import fcntl
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from prepaid import log
from prepaid.cli.servers import Server, address_of, listen, run, serving, until_stopped
from prepaid.clock import wall_clock
from prepaid.core.amounts import Money
from prepaid.core.identity import Scope
from prepaid.flows import accounts, keys
from prepaid.flows.setup import Wanted, set_up
from prepaid.payments import setup
from prepaid.payments.gateway import Gateway
from prepaid.payments.setup import Offer
from prepaid.settings import Settings, SettingsFault, read_settings, read_unchecked
from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.server import create_app as create_simulator
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database
from prepaid.storage.key_finder import KeyFinder
from prepaid.storage.schema import make_folder, migrate
from prepaid.web.app import create_app

WEBHOOK = "/api/iam/stripe/v1/webhook"

PACKAGES = [
    Offer(50, Money(500, "usd"), "exclusive"),
    Offer(120, Money(1_000, "usd"), "exclusive"),
    Offer(650, Money(5_000, "usd"), "exclusive"),
]
"""What the demo sells: the usual ten cents a credit, and less for more."""

USER = Profile(handle="demo", email="demo@example.com", first_name="Demo", last_name="User")

ISSUER = "https://prepaid-demo.example.com"
"""Who the demo's user tokens say they are from."""

LOOPBACK = "127.0.0.1"
"""The demo listens nowhere else: its tokens stand in a file."""


class Facts(msgspec.Struct, kw_only=True):
    """What a script needs to use the demo; kept in `demo.json`, for its owner's eyes only.

    The keys and tokens stay the same from start to start; the addresses may change.
    """

    url: str = ""
    account_uid: str
    user_token: str = ""
    service_token: str = ""
    admin_token: str = ""
    stripe_api_base: str = ""
    stripe_api_key: str
    stripe_js_api_key: str
    webhook_secret: str
    jwt_secret: str


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    facts: Facts
    file: Path
    servers: list[Server]


def demo() -> None:
    """Serves with a simulated Stripe and a demo user until it is told to stop.

    Raises:
        SettingsFault: it can't, and why.
    """
    run(_demo())


async def _demo() -> None:
    async with open_demo() as running:
        print(_told(running), flush=True)
        await until_stopped(running.servers)


@asynccontextmanager
async def open_demo() -> AsyncIterator[Demo]:
    """The demo, running until the block ends.

    Raises:
        SettingsFault: its port or its folder is in use.
    """
    base = read_unchecked()
    log.configure(base.log_level)
    make_folder(base.data)
    with _alone(base.data), closing(listen(LOOPBACK, base.port)) as listening:
        file = base.data / "demo.json"
        facts = _remembered(file)
        facts.url = address_of(listening)
        async with _simulator(base, facts) as simulator:
            settings = await _settings(facts)
            await _people(settings, facts)
            app = create_app(
                settings,
                demo_token=facts.user_token,
                demo_operator_token=facts.admin_token,
            )
            async with serving(app, listening) as server:
                _remember(file, facts)
                yield Demo(facts, file, [server, simulator])


@asynccontextmanager
async def _simulator(base: Settings, facts: Facts) -> AsyncIterator[Server]:
    config = SimulatorConfig(
        api_key=facts.stripe_api_key,
        publishable_key=facts.stripe_js_api_key,
        database=str(base.data / "simulator.db"),
        webhook_secret=facts.webhook_secret,
    )
    listening = listen(LOOPBACK, 0)
    facts.stripe_api_base = address_of(listening)
    async with serving(create_simulator(config), listening) as server:
        yield server


async def _settings(facts: Facts) -> Settings:
    """The service's settings, once the simulated Stripe has something to sell."""
    given = {
        "DATALAYER_STRIPE_API_KEY": facts.stripe_api_key,
        "DATALAYER_STRIPE_JS_API_KEY": facts.stripe_js_api_key,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": facts.webhook_secret,
        "DATALAYER_STRIPE_PRODUCT_ID": await _stock(facts),
        "DATALAYER_JWT_ISSUER": ISSUER,
        "DATALAYER_JWT_ALGORITHM": "HS256",
        "DATALAYER_JWT_SECRET": facts.jwt_secret,
        "PREPAID_STRIPE_API_BASE": facts.stripe_api_base,
        "PREPAID_PUBLIC_URL": facts.url,
        "PREPAID_RETURN_ORIGINS": facts.url.replace(LOOPBACK, "localhost"),
    }
    return read_settings(**given)


async def _stock(facts: Facts) -> str:
    """The product that is sold, made at the first start; its events come to where we are now."""
    gateway = Gateway(facts.stripe_api_key, "", facts.stripe_api_base)
    webhook_url = facts.url + WEBHOOK
    try:
        for endpoint in await setup.endpoints(gateway):
            if endpoint.url != webhook_url:
                await setup.move_endpoint(gateway, endpoint, webhook_url)
        stocked = await set_up(gateway, Wanted("", "Compute credits", PACKAGES, webhook_url))
    finally:
        await gateway.close()
    return stocked.product_id


async def _people(settings: Settings, facts: Facts) -> None:
    """The demo user's account, and tokens that work: those from last time where they still do."""
    migrate(settings.database)
    database = Database(settings.database)
    try:
        await accounts.enter(database, facts.account_uid, USER, wall_clock())
        facts.user_token = facts.user_token or _user_token(facts)
        facts.service_token = await _key(database, facts.service_token, Scope.SERVICE)
        facts.admin_token = await _key(database, facts.admin_token, Scope.ADMIN)
    finally:
        await database.close()


def _user_token(facts: Facts) -> str:
    """Good for ten years: it opens nothing but this demo."""
    claims = {
        "iss": ISSUER,
        "sub": facts.account_uid,
        "exp": int((wall_clock() + timedelta(days=3650)).timestamp()),
        "handle": USER.handle,
        "email": USER.email,
        "first_name_t": USER.first_name,
        "last_name_t": USER.last_name,
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(facts.jwt_secret))


async def _key(database: Database, secret: str, scope: Scope) -> str:
    async with KeyFinder(database).open() as finder:
        known = await keys.found(finder, secret)
    if known is not None and known.scope is scope:
        return secret
    return (await keys.make(database, f"demo {scope}", scope, None, wall_clock())).secret


def _remembered(file: Path) -> Facts:
    if file.exists():
        return msgspec.json.decode(file.read_bytes(), type=Facts)
    return Facts(
        account_uid="demo-user",
        stripe_api_key=f"sk_test_{secrets.token_hex(16)}",
        stripe_js_api_key=f"pk_test_{secrets.token_hex(16)}",
        webhook_secret=f"whsec_{secrets.token_hex(16)}",
        jwt_secret=secrets.token_urlsafe(48),
    )


def _remember(file: Path, facts: Facts) -> None:
    """Whole or not at all, and never readable by others, not even for an instant."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(0o600, exist_ok=False)
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n")
    fresh.replace(file)


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Two demos would write over each other's tokens."""
    with (data / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsFault(
                f"A demo already runs on the folder {data}: set PREPAID_DATA to another."
            ) from None
        yield


def _told(running: Demo) -> str:
    facts = running.facts
    return f"""
  prepaid is running, with a simulated Stripe: no real money moves.

    page            {facts.url}/credits
    service         {facts.url}
    stripe          {facts.stripe_api_base} (simulator)
    user token      {facts.user_token}
    operator token  {facts.admin_token}

  Try it:
    export TOKEN={facts.user_token}
    curl {facts.url}/api/iam/stripe/v1/prices
    curl -H "Authorization: Bearer $TOKEN" {facts.url}/api/iam/v1/usage/credits

  Everything a script needs is in {running.file}.
  Ctrl-C stops it; started again, it finds its data again.
"""
