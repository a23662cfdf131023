"""What a service loads to start, and what not: its start and its memory, told without a clock."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_service import CREDITS, ISSUER, JWT_SECRET, WEBHOOK, bearer, token
from local_stripe import WEBHOOK_SECRET, LocalStripe, signed
from prepaid.flows.keys import PREFIX
from prepaid.storage.schema import migrate
from programs import environment, http

FOR_STRIPE = {"stripe", "requests"}
FOR_TOKENS = {"joserfc", "cryptography"}
NEVER = {"alembic", "mako", "prepaid.simulator", "prepaid.payments.setup", "prepaid.flows.doctor"}

SERVE = """
import atexit, gc, json, sys

def tell():
    print(json.dumps([sorted(sys.modules), gc.isenabled(), gc.get_freeze_count()]))

atexit.register(tell)
sys.argv = ["prepaid", "serve", "--port", "0"]
from prepaid.cli import main
main()
"""


@dataclass
class Seen:
    """A service, and once it has ended: what it had loaded, and how its garbage was collected."""

    url: str
    loaded: set[str] = field(default_factory=set)
    collects: bool = False
    frozen: int = 0


@pytest.fixture
def settings(tmp_path: Path, quiet_stripe: LocalStripe) -> dict[str, str]:
    """Those of a service whose database is at this version's schema."""
    migrate(f"sqlite+aiosqlite:///{tmp_path / 'prepaid.db'}")
    return {
        "DATALAYER_STRIPE_API_KEY": quiet_stripe.config.api_key,
        "DATALAYER_STRIPE_JS_API_KEY": quiet_stripe.config.publishable_key,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DATALAYER_STRIPE_PRODUCT_ID": quiet_stripe.product,
        "PREPAID_STRIPE_API_BASE": quiet_stripe.url,
        "DATALAYER_JWT_ISSUER": ISSUER,
        "DATALAYER_JWT_SECRET": JWT_SECRET,
        "PREPAID_DATA": str(tmp_path),
    }


@contextmanager
def serving(settings: dict[str, str]) -> Iterator[Seen]:
    """`prepaid serve`, until the block ends; then it has told what it had loaded."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        seen = Seen(process.stdout.readline().split()[-1])
        yield seen
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=20)
        loaded, seen.collects, seen.frozen = json.loads(told)
        seen.loaded = set(loaded)
    finally:
        process.kill()
        process.wait()


def test_a_service_that_starts_loads_nothing_for_stripe_tokens_or_migrations(
    settings: dict[str, str],
) -> None:
    with serving(settings) as seen:
        assert http.get(f"{seen.url}/readyz").is_success
        told = http.get(f"{seen.url}{CREDITS}", headers=bearer(f"{PREFIX}unknown"))
        assert told.status_code == 401
        event = b"{}"
        taken = http.post(f"{seen.url}{WEBHOOK}", content=event, headers=by_stripe(event))
        assert "not an event" in taken.json()["detail"]
    assert "sqlalchemy" in seen.loaded
    assert seen.loaded & (FOR_STRIPE | FOR_TOKENS | NEVER | {"httpx"}) == set()


def test_stripe_and_tokens_are_loaded_when_they_are_first_needed(settings: dict[str, str]) -> None:
    with serving(settings) as seen:
        assert http.get(f"{seen.url}{CREDITS}", headers=bearer(token())).is_success
        assert http.get(f"{seen.url}/api/iam/stripe/v1/prices").is_success
    assert seen.loaded >= FOR_STRIPE | FOR_TOKENS
    assert seen.loaded & NEVER == set()


def test_garbage_is_collected_among_what_was_made_since_the_start(
    settings: dict[str, str],
) -> None:
    with serving(settings) as seen:
        assert http.get(f"{seen.url}/readyz").is_success
    assert seen.collects
    assert seen.frozen > 50_000


def test_the_app_is_imported_without_what_it_puts_off() -> None:
    program = "import sys, prepaid.web.app; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    put_off = FOR_STRIPE | FOR_TOKENS | NEVER | {"httpx", "prepaid.web.jwts"}
    assert {*loaded.stdout.split()} & put_off == set()


def by_stripe(body: bytes) -> dict[str, str]:
    return {"Stripe-Signature": signed(body)}
