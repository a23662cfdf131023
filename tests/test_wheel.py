"""The wheel: whoever installs it has the page, and needs no Node."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import page
import pytest

ROOT = page.ROOT


def test_a_wheel_has_the_page(tmp_path: Path) -> None:
    if not page.BUILT.exists():
        pytest.skip("the page's place in the wheel: the page is not built on this machine")
    copied = tmp_path / "sources"
    kept_out = shutil.ignore_patterns(".*", "node_modules", "data", "tests", "__pycache__")
    shutil.copytree(ROOT, copied, ignore=kept_out)
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    done = subprocess.run(build, cwd=copied, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"prepaid/ui/index.html", "prepaid/ui/embed.js"} <= {*names}
    assert {Path(name).suffix for name in names if "/ui/assets/" in name} == {".js", ".css", ".svg"}
    assert not [name for name in names if not name.startswith(("prepaid/", "prepaid-"))]


def test_the_page_is_built_from_what_git_has() -> None:
    """Else a fresh clone would lack what the fingerprint of the page is made from."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z", "ui"]
    told = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {ROOT / name for name in told.split("\0")}
    assert {*page.sources(), *page.PACKAGES} <= tracked
