"""Builds the page, with Node: what `./run`, `./test` and the making of a wheel have in common."""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "ui"
MODULES = UI / "node_modules"
BUILT = ROOT / "src" / "prepaid" / "ui" / "embed.js"  # the last thing that a build makes
OLDEST_NODE = (20, 19)

PACKAGES = (UI / "package.json", UI / "package-lock.json")
"""What decides which packages the page is made of."""


class NotBuiltError(Exception):
    """The page can't be built; the message says why, in a sentence."""


def sources() -> tuple[Path, ...]:
    """What decides how the page is built, beside its packages."""
    named = (UI / name for name in ("index.html", "vite.config.ts", "vite.embed.config.ts"))
    return (*named, *sorted(file for file in (UI / "src").rglob("*") if file.is_file()))


def system_node() -> Path | None:
    """The folder of this machine's Node and npm, if there are any and they are new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    told = subprocess.run((node, "--version"), capture_output=True, text=True, check=False).stdout
    version = tuple(map(int, re.findall(r"\d+", told)[:2]))
    return Path(node).parent if version >= OLDEST_NODE else None


def install(node: Path) -> None:
    """Install the packages that the lock names."""
    _npm(node, "ci", "--no-audit", "--no-fund", "--fetch-retries=1")


def build(node: Path) -> None:
    """Build the page into the Python package."""
    _npm(node, "run", "build")


def path_with(node: Path) -> str:
    """The PATH on which this Node is the first."""
    return f"{node}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def _npm(node: Path, *command: str) -> None:
    path = path_with(node)
    npm = shutil.which("npm", path=path) or "npm"
    variables = {**os.environ, "PATH": path}
    done = subprocess.run(
        (npm, *command), cwd=UI, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        told = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        reasons = [line for line in told if "error" in line.lower()] or told
        raise NotBuiltError(f"`npm {command[0]}` failed: {reasons[0].strip()}")
