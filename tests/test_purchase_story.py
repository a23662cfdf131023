"""The story that `./test --live` tells at Stripe, told at the simulator."""

import subprocess
import sys
from pathlib import Path

from local_stripe import LocalStripe, local_stripe
from programs import environment
from purchase_story import Ending, tell

LIVE = Path(__file__).with_name("live")
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:schemathesis")  # the latter loads for seconds


def live(key: str, base: str) -> str:
    """What `./test --live` runs, with these in the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *WITHOUT, LIVE],
        env=environment(DATALAYER_STRIPE_API_KEY=key, PREPAID_STRIPE_API_BASE=base),
        cwd=LIVE.parent.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def active(stripe: LocalStripe, kind: str) -> list[str]:
    found = stripe.ask("GET", f"/v1/{kind}", active="true", limit=100)["data"]
    return [one["name"] if kind == "products" else one["id"] for one in found]


def test_the_live_test_pays_is_credited_once_and_archives_what_it_made() -> None:
    with local_stripe() as stripe:
        stripe.ask("POST", "/v1/products", name="Kept", **{"metadata[prepaid]": "credits"})
        assert "1 passed" in live(stripe.config.api_key, stripe.url)
        assert stripe.count("product") == 3
        assert active(stripe, "products") == ["Kept", "Credits"]
        assert active(stripe, "prices") == []
        assert stripe.ask("GET", "/v1/customers")["data"] == []


def test_where_no_program_may_pay_the_session_is_expired_and_nothing_credited(
    tmp_path: Path,
) -> None:
    with local_stripe() as stripe:
        stripe.fault("server_error", path="/v1/payment_pages/*", count=9)
        assert tell(stripe.config.api_key, stripe.url, tmp_path) is Ending.EXPIRED
        assert active(stripe, "products") == ["Credits"]


def test_with_a_live_key_the_live_test_is_not_run() -> None:
    assert "1 skipped" in live("sk_live_1", "")
