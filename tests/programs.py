"""Real processes for tests: the service and the demo as an operator starts them, and kills them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local_ports import free_port
from local_service import ISSUER, JWT_SECRET, RETURN_ORIGIN
from local_stripe import WEBHOOK_SECRET, LocalStripe, wait_for

PREPAID = Path(sys.executable).with_name("prepaid")

http = httpx.Client(timeout=20, limits=httpx.Limits(keepalive_expiry=1))
"""One for all: making a client costs as much as a hundred requests. No connection is idle for so
long that the service might close it just as it is used again."""


def environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of prepaid's, and these."""
    ours = ("DATALAYER_", "PREPAID_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | more


@dataclass
class Program:
    """One command of ours that serves, and can be killed and started again."""

    words: list[str]
    port: int
    settings: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Program":
        """Starts it, and returns when it answers."""
        with self.log.open("ab") as out:
            told = environment(PREPAID_PORT=str(self.port), **self.settings)
            self.process = subprocess.Popen(
                [str(PREPAID), *self.words], env=told, stdout=out, stderr=out
            )
        try:
            wait_for(self.answers)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def answers(self) -> bool:
        """Whether it is ready; fails if it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return http.get(f"{self.url}/readyz").is_success
        except httpx.TransportError:
            return False

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit code. It is a fault if it takes longer than five seconds."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(5)


@contextmanager
def ended(programs: list[Program]) -> Iterator[list[Program]]:
    """Whatever of them still runs at the end of the block is killed."""
    try:
        yield programs
    finally:
        for one in programs:
            if one.process is not None and one.process.poll() is None:
                one.process.kill()
                one.process.wait()


def service(stripe: LocalStripe, database_url: str, folder: Path, port: int = 0) -> Program:
    """`prepaid serve`, with the local Stripe behind it."""
    port = port or free_port()
    return Program(
        words=["serve"],
        port=port,
        settings={
            "DATALAYER_STRIPE_API_KEY": stripe.config.api_key,
            "DATALAYER_STRIPE_JS_API_KEY": stripe.config.publishable_key,
            "DATALAYER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "DATALAYER_STRIPE_PRODUCT_ID": stripe.product,
            "PREPAID_STRIPE_API_BASE": stripe.url,
            "DATALAYER_JWT_ISSUER": ISSUER,
            "DATALAYER_JWT_SECRET": JWT_SECRET,
            "PREPAID_RETURN_ORIGINS": RETURN_ORIGIN,
            "PREPAID_DATABASE_URL": database_url,
            "PREPAID_DATA": str(folder),
        },
        log=folder / f"service-{port}.log",
    )


def demo(folder: Path, port: int = 0) -> Program:
    """`prepaid demo`, with its data in the folder."""
    return Program(
        words=["demo"],
        port=port or free_port(),
        settings={"PREPAID_DATA": str(folder)},
        log=folder.with_suffix(".log"),
    )
