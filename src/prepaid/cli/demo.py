"""The demo: a service, a simulated Stripe beside it, a user and an operator."""

import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from prepaid import log
from prepaid.cli.servers import Server, address_of, listen, serving
from prepaid.core.identity import Scope
from prepaid.flows import accounts, keys
from prepaid.clock import wall_clock
from prepaid.settings import Settings, SettingsFault, read_settings
from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.server import create_app as create_simulator
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database, migrate
from prepaid.web.app import create_app

WEBHOOK = "/api/iam/stripe/v1/webhook"

USER = Profile(
    handle="demo", email="demo@example.com", first_name="Demo", last_name="User"
)

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


@asynccontextmanager
async def open_demo() -> AsyncIterator[Demo]:
    """The demo, running until the block ends.

    Raises:
        SettingsFault: its port or its folder is in use.
    """
    base = Settings()
    log.configure(base.log_level)
    base.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(base.data):
        file = base.data / "demo.json"
        facts = _remembered(file)
        async with _simulator(base, facts) as simulator:
            facts.url = f"http://{LOOPBACK}:{base.port}"
            settings = await _settings(base, facts)
            await _people(settings, facts)
            listening = listen(LOOPBACK, base.port)
            async with serving(create_app(settings), listening) as server:
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
