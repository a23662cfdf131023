"""The rules of the house that no type checker knows: who imports whom, and who reads the clock."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = ROOT / "src" / "prepaid"
NEIGHBOURS = {
    "core": {"core"},
    "storage": {"core", "storage"},
    "payments": {"core", "payments"},
    "flows": {"core", "storage", "payments", "flows", "ids"},
    "simulator": {"simulator"},
}
EFFECTS = {"asyncio", "io", "logging", "os", "pathlib", "random", "secrets", "socket", "time"}
# The edges; and migrations, which nobody can pass a moment to.
MAY_READ_THE_CLOCK = re.compile(r"(web/|simulator/|cli|demo|clock\.py$|storage/migrations/)")
CLOCK = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|gmtime))$")
VAGUE = {"utils", "util", "helpers", "common", "managers", "base", "interfaces", "services"}
STRANGERS = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "/ro" + "ot/", "/wo" + "rk/"]


@pytest.mark.parametrize("room", NEIGHBOURS)
def test_a_room_imports_only_the_rooms_before_it(room: str) -> None:
    for file in files(room):
        ours = {name.split(".")[1] for name in imports(file) if name.startswith("prepaid.")}
        assert ours <= NEIGHBOURS[room], file


def test_the_core_imports_only_what_has_no_effect() -> None:
    pure = (sys.stdlib_module_names - EFFECTS) | {"prepaid", "msgspec"}
    for file in files("core"):
        assert packages(file) <= pure, file


def test_only_payments_and_the_simulator_know_stripe() -> None:
    assert importers({"stripe"}) <= {"payments", "simulator"}


def test_only_storage_knows_sql() -> None:
    assert importers({"sqlalchemy", "alembic", "asyncpg", "aiosqlite"}) <= {"storage"}


def test_only_the_edges_read_the_wall_clock() -> None:
    readers = {place(file) for file in files() if any(map(CLOCK.search, spoken(file)))}
    assert [reader for reader in readers if not MAY_READ_THE_CLOCK.match(reader)] == []


def test_imports_are_absolute() -> None:
    for file in files():
        assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes(file)), (
            file
        )


def test_every_module_is_named_for_what_it_holds() -> None:
    for file in files():
        assert not {file.stem, *file.relative_to(HOUSE).parts} & VAGUE, file


def test_no_file_names_a_registry_or_a_machine() -> None:
    for file in committed():
        text = file.read_text(errors="replace")
        assert [stranger for stranger in STRANGERS if stranger in text] == [], file


def test_no_python_lock_holds_an_address() -> None:
    locks = list((ROOT / "requirements").glob("*.txt"))
    assert locks != []
    for lock in locks:
        assert "://" not in lock.read_text(), lock


def test_no_node_lock_says_where_a_package_came_from() -> None:
    for lock in (file for file in committed() if file.name == "package-lock.json"):
        packages = json.loads(lock.read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == [], lock


def files(room: str = ".") -> Iterator[Path]:
    return (HOUSE / room).rglob("*.py")


def place(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def importers(wanted: Iterable[str]) -> set[str]:
    """The rooms in which something imports one of the packages."""
    return {file.relative_to(HOUSE).parts[0] for file in files() if packages(file) & {*wanted}}


def packages(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


def imports(file: Path) -> set[str]:
    """Every name that a file imports, in full: `from a import b` is `a.b`."""
    found = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def spoken(file: Path) -> set[str]:
    """Every dotted name in a file, and every name that it imports."""
    dotted = {ast.unparse(node) for node in nodes(file) if isinstance(node, ast.Attribute)}
    return dotted | imports(file)


@cache
def nodes(file: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(file.read_text())))


def committed() -> list[Path]:
    """The files that git tracks; whoever owns the checkout."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    names = subprocess.run(git, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [file for name in names.split("\0") if name and (file := ROOT / name).is_file()]
