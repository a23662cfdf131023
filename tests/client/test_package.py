"""The package by itself: what it leans on, what it is built into, and who leans on it."""

import ast
import subprocess
import sys
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import prepaid_client
from prepaid_client.sending import USER_AGENT

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "packages/prepaid-client"
MODULES = sorted((PACKAGE / "src/prepaid_client").glob("*.py"))
EFFECTS = {"httpx", "asyncio", "socket", "os", "http.client"}
PURE = {
    "amounts",
    "answers",
    "asking",
    "calls",
    "documents",
    "errors",
    "holding",
    "life",
    "records",
}


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_it_leans_on_httpx_alone() -> None:
    allowed = sys.stdlib_module_names | {"httpx", "prepaid_client"}
    for module in MODULES:
        assert {name.split(".")[0] for name in imports(module)} <= allowed, module


def test_what_decides_has_no_effects() -> None:
    assert {module.stem for module in MODULES} >= PURE
    for module in MODULES:
        if module.stem in PURE:
            assert not imports(module) & EFFECTS, module


def test_the_service_does_not_lean_on_it() -> None:
    for module in (ROOT / "src").rglob("*.py"):
        assert not any(name.startswith("prepaid_client") for name in imports(module)), module


def test_its_wheel_is_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=PACKAGE, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        told = message_from_bytes(archive.read(metadata))
    wanted = {f"prepaid_client/{module.name}" for module in MODULES} | {"prepaid_client/py.typed"}
    assert wanted <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert told.get_all("Requires-Dist") == ["httpx<1,>=0.28"]
    assert told["License-Expression"] == "BSD-3-Clause"
    assert told["Requires-Python"] == ">=3.11"
    assert told["Version"] == prepaid_client.__version__
    assert f"prepaid-client/{told['Version']}" == USER_AGENT


def test_its_licence_is_the_houses() -> None:
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_everything_it_offers_is_there() -> None:
    assert sorted(prepaid_client.__all__) == prepaid_client.__all__
    assert all(hasattr(prepaid_client, name) for name in prepaid_client.__all__)
