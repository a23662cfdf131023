"""A purchase at Stripe itself, in test mode: `./test --live`. It can't be run without keys."""

import os
from pathlib import Path

import pytest

from purchase_story import Ending, tell

KEY = os.environ.get("DATALAYER_STRIPE_API_KEY", "").strip()
BASE = os.environ.get("PREPAID_STRIPE_API_BASE", "").strip()


@pytest.mark.skipif(
    not KEY.startswith(("sk_test_", "rk_test_")), reason="no Stripe test keys in the environment"
)
def test_a_purchase_at_stripe_raises_the_balance_once(tmp_path: Path) -> None:
    if tell(KEY, BASE, tmp_path) is Ending.EXPIRED:
        pytest.skip("Stripe let no program pay: the session was opened, expired and closed instead")
