"""Processes of ours that answer on loopback, and what they cost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

import msgspec
import psutil

from local_ports import free_port

ROOT = Path(__file__).resolve().parent.parent
PREPAID = Path(sys.executable).with_name("prepaid")
"""The console script, as it is installed."""

START_SECONDS = 30
STOP_SECONDS = 15
COMMAND_SECONDS = 300
LOOK_SECONDS = 0.002
"""How often a process that starts is asked whether it answers."""

WEBHOOK_SECRET = "whsec_bench_0000000000000000"  # noqa: S105 - of no account anywhere
NOBODY = "http://127.0.0.1:9"
"""Where no Stripe answers: nothing that is measured asks it."""


@dataclass
class Program:
    """A process that answers on a port of loopback. `with` starts and ends it."""

    command: list[str]
    port: int
    settings: dict[str, str]
    log: Path
    probe: str = "/readyz"
    started_in: float = 0.0
    _process: subprocess.Popen[bytes] | None = field(default=None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Starts it, and returns when it answers; `started_in` is how many seconds that took."""
        began = time.perf_counter()
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env=environment(**self.settings),
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us, who end it
            )
        try:
            until(self._answers, START_SECONDS, f"{self.command} did not answer: see {self.log}")
        except BaseException:
            self.kill()
            raise
        self.started_in = time.perf_counter() - began
        return self

    def stop(self) -> None:
        """Ends it as an operator does; kills it if that takes too long."""
        process = self._running
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it as a crash does."""
        self._running.kill()
        self._running.wait(STOP_SECONDS)

    def cpu_seconds(self) -> float:
        """The processor time it has used."""
        times = psutil.Process(self._running.pid).cpu_times()
        return float(times.user + times.system)

    def megabytes(self) -> float:
        """The memory it holds (RSS), in millions of bytes."""
        return float(psutil.Process(self._running.pid).memory_info().rss) / 1e6

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it was never started"
        return self._process

    def _answers(self) -> bool:
        if self._running.poll() is not None:
            raise RuntimeError(f"{self.command} ended:\n{self.log.read_text()[-3000:]}")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            connection.request("GET", self.probe)
            return connection.getresponse().status < 400  # noqa: PLR2004 - HTTP's line
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def service(database_url: str, folder: Path) -> Program:
    """`prepaid serve` on a database, by the console script."""
    port = free_port()
    told = settings(database_url) | {"PREPAID_PORT": str(port), "PREPAID_DATA": str(folder)}
    return Program([str(PREPAID), "serve"], port, told, folder / f"service-{port}.log")


def empty_route(folder: Path) -> Program:
    """The server whose route does nothing."""
    port = free_port()
    command = [sys.executable, "-m", "bench.empty", str(port)]
    return Program(command, port, {}, folder / f"empty-{port}.log", probe="/")


def prepaid(database_url: str, *words: str) -> str:
    """What a command of ours prints; it has to succeed."""
    done = subprocess.run(
        [PREPAID, *words],
        env=environment(**settings(database_url)),
        check=False,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"prepaid {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def api_key(database_url: str, scope: str) -> str:
    """The secret of a new key, made by the command line."""
    made = msgspec.json.decode(
        prepaid(database_url, "keys", "create", "bench", "--scope", scope, "--json"), type=_NewKey
    )
    return made.secret


class _NewKey(msgspec.Struct):
    secret: str


def settings(database_url: str) -> dict[str, str]:
    """What the service needs to start: a Stripe that isn't there, and this database."""
    return {
        "DATALAYER_STRIPE_API_KEY": "sk_test_bench",
        "DATALAYER_STRIPE_JS_API_KEY": "pk_test_bench",
        "DATALAYER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "DATALAYER_STRIPE_PRODUCT_ID": "prod_bench",
        "PREPAID_STRIPE_API_BASE": NOBODY,
        "PREPAID_DATABASE_URL": database_url,
    }


def environment(**more: str) -> dict[str, str]:
    """This process's environment without any setting of prepaid's, and these."""
    ours = ("DATALAYER_", "PREPAID_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | more


def until(fact: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Returns once the fact is true.

    Raises:
        TimeoutError: it isn't in time.
    """
    deadline = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(LOOK_SECONDS)


@contextmanager
def killed_at_end(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that doesn't outlive the block."""
    try:
        yield process
    finally:
        process.kill()
        process.wait(STOP_SECONDS)
