"""Stripe's own command line, pointed at a local Stripe."""

import os
import subprocess
from pathlib import Path

import pytest

INSTALLED = Path(__file__).parent / "stripe_cli/node_modules/@stripe/cli-linux-x64/bin/stripe"


class StripeCommand:
    """The program, with a key and an address; its home is a folder of the test's."""

    def __init__(self, api_key: str, api_base: str, home: Path) -> None:
        program = Path(os.environ.get("PREPAID_STRIPE_CLI", INSTALLED))
        if not program.is_file():
            pytest.skip("Stripe's CLI is not installed: npm ci --prefix tests/stripe_cli")
        self._program = program
        self._account = ("--api-key", api_key, "--api-base", api_base)
        self._environment = {
            "HOME": str(home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "PATH": os.environ["PATH"],
        }

    def __call__(self, *words: str) -> str:
        """What it prints, once it is done; it must succeed."""
        done = subprocess.run(
            [self._program, *words, *self._account],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """The program running; whoever starts it ends it."""
        return subprocess.Popen(
            [self._program, *words, *self._account],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
