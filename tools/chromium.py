"""Chromium, in which the page is tested: this machine's own, never one that Playwright brings."""

import os
import shutil
import subprocess

NOT_THERE = "Chromium is not on this machine: install it, or set CHROMIUM to it"


def found() -> str | None:
    """Where it is: what CHROMIUM names, or the one on the PATH."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def install() -> None:
    """Install Debian's, where there is none and we may; where that fails, its tests are not run."""
    apt = shutil.which("apt-get")
    if found() or apt is None or os.geteuid() != 0:
        return
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        subprocess.run((apt, *command), env=quietly, capture_output=True, check=False)
