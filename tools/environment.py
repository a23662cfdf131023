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

import chromium
import page

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
    """A part of the environment, the files that decide it, how it is made, and what then exists."""

    name: str
    inputs: tuple[Path, ...]
    make: Callable[[], None]
    product: Path = VENV


def for_running() -> None:
    """Have the service installed and its page built: quick when they are."""
    _ensure(PACKAGES, PROJECT)
    _build_page()


def for_testing() -> None:
    """Have the service and everything that checks it installed: quick when it is."""
    _ensure(PACKAGES, PROJECT, CHECKS)
    _build_page()
    chromium.install()


def page_path() -> str | None:
    """The PATH with which the page's own tools run; None where they couldn't be installed."""
    node = _node()
    return page.path_with(node) if node and _is_whole(PAGE_PACKAGES) else None


def _build_page() -> None:
    """Without its page the service does all the rest: one that can't be built stops nobody."""
    try:
        _ensure(PAGE_PACKAGES, PAGE, what="the page")
    except (NotReadyError, page.NotBuiltError) as problem:
        _say(f"The page could not be built, and everything else works: {problem}")


def _ensure(*layers: Layer, what: str = ".venv") -> None:
    with _alone():
        if all(_is_whole(layer) for layer in layers):
            return
        started = time.monotonic()
        _say(f"Preparing {what} (the first time takes about a minute) ...")
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


def _make_page_packages() -> None:
    if _node() is None:
        _install(LOCKS / "node.txt")
    page.install(_needed_node())


def _make_page() -> None:
    page.build(_needed_node())


def _node() -> Path | None:
    """Where Node is: the machine's own, or the one from the Python package index."""
    return page.system_node() or (BIN if (BIN / "npm").exists() else None)


def _needed_node() -> Path:
    if (node := _node()) is None:
        raise NotReadyError(
            "Node 20.19 or newer is neither on this machine nor could be installed."
        )
    return node


PACKAGES = Layer(
    "packages", (LOCKS / "bootstrap.txt", LOCKS / "build.txt", LOCKS / "run.txt"), _make_packages
)
PROJECT = Layer("project", (ROOT / "pyproject.toml",), _make_project)
CHECKS = Layer("checks", (LOCKS / "dev.txt",), _make_checks)
PAGE_PACKAGES = Layer(
    "page-packages", (*page.PACKAGES, LOCKS / "node.txt"), _make_page_packages, page.MODULES
)
PAGE = Layer("page", (*page.PACKAGES, *page.sources()), _make_page, page.BUILT)


def _install(*locks: Path) -> None:
    """Installs and compiles: else every start would, where Python may not write beside them."""
    chosen = [part for lock in locks for part in ("--requirement", lock)]
    try:
        _attempt(
            "the packages",
            *(BIN / "uv", "pip", "install", "--python", BIN / "python", "--require-hashes"),
            *("--compile-bytecode", *chosen),
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
    made = marker.exists() and layer.product.exists()
    return made and marker.read_text() == _fingerprint(layer)


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
