"""Makes and keeps `.venv`: the locked packages and this project, with nothing but python3.

The virtual environment has layers. Each leaves a marker when it is whole, holding a fingerprint
of what it was made from; a layer without its marker, or with another fingerprint, is made anew.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LOCKS = ROOT / "requirements"
STRIPE_SETTINGS = (
    "DATALAYER_STRIPE_PRODUCT_ID",
    "DATALAYER_STRIPE_WEBHOOK_SECRET",
    "DATALAYER_STRIPE_JS_API_KEY",
    "DATALAYER_STRIPE_API_KEY",
)


class NotReadyError(Exception):
    """The environment can't be made; the message is one sentence for a person."""


class Layer(NamedTuple):
    """A part of the environment, the files that decide it, and how it is made."""

    name: str
    inputs: tuple[Path, ...]
    make: Callable[[], None]


def for_running() -> None:
    """Have the service installed: quick when it is."""
    _ensure(PACKAGES, PROJECT)


def for_testing() -> None:
    """Have the service and everything that checks it installed: quick when it is."""
    _ensure(PACKAGES, PROJECT, CHECKS)


def _ensure(*layers: Layer) -> None:
    with _alone():
        if all(_is_whole(layer) for layer in layers):
            return
        started = time.monotonic()
        _say("Preparing .venv (the first time takes about a minute) ...")
        for layer in layers:
            if not _is_whole(layer):
                layer.make()
                _marker(layer).write_text(_fingerprint(layer))
        _say(f"Ready in {time.monotonic() - started:.0f} s.")


def _make_packages() -> None:
    try:
        # Clearing takes the markers of all layers along.
        venv.create(VENV, clear=True, symlinks=True, with_pip=True)
    except (subprocess.CalledProcessError, ImportError) as missing:
        sentence = "This Python can't make virtual environments: install its venv package"
        raise NotReadyError(f"{sentence} (on Debian and Ubuntu: python3-venv).") from missing
    _pip(LOCKS / "bootstrap.txt")
    _install(LOCKS / "build.txt", LOCKS / "run.txt")


def _make_project() -> None:
    _attempt(
        "this project",
        *(BIN / "uv", "pip", "install", "--python", BIN / "python"),
        *("--no-deps", "--no-build-isolation", "--editable", ROOT),
    )


def _make_checks() -> None:
    _install(LOCKS / "dev.txt")


PACKAGES = Layer(
    "packages", (LOCKS / "bootstrap.txt", LOCKS / "build.txt", LOCKS / "run.txt"), _make_packages
)
PROJECT = Layer("project", (ROOT / "pyproject.toml",), _make_project)
CHECKS = Layer("checks", (LOCKS / "dev.txt",), _make_checks)


def _install(*locks: Path) -> None:
    chosen = [part for lock in locks for part in ("--requirement", lock)]
    try:
        _attempt(
            "the packages",
            *(BIN / "uv", "pip", "install", "--python", BIN / "python", "--require-hashes"),
            *chosen,
        )
    except NotReadyError:
        # uv reads none of pip's settings: where a mirror is configured for pip alone, pip installs.
        _pip(*locks)


def _pip(*locks: Path) -> None:
    chosen = [part for lock in locks for part in ("--requirement", lock)]
    names = ", ".join(lock.stem for lock in locks)
    command = (BIN / "python", "-m", "pip", "install", "--retries", "2", "--require-hashes")
    _attempt(f"the packages of {names}", *command, *chosen)


def _attempt(what: str, *command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise NotReadyError(
            f"Could not install {what} ({last.strip()}): "
            "is a Python package index within reach of this machine?"
        )


def _is_whole(layer: Layer) -> bool:
    marker = _marker(layer)
    return marker.exists() and marker.read_text() == _fingerprint(layer)


def _marker(layer: Layer) -> Path:
    return VENV / f"{layer.name}.whole"


def _fingerprint(layer: Layer) -> str:
    """What the layer is made from; also where, since scripts in it name their folder."""
    content = hashlib.sha256(f"{sys.version} {VENV}".encode())
    for file in layer.inputs:
        content.update(file.read_bytes())
    return content.hexdigest()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the checkout's lock: of two commands started together one installs, one waits."""
    folder = os.open(LOCKS, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
