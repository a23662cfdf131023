"""Fresh databases for tests: SQLite and PostgreSQL, empty or migrated."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

from local_postgres import LocalPostgres, RunningPostgres, database_name, make_home

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

BACKENDS = ["sqlite", "postgresql"]
MEASURED = {Path(__file__).with_name(room) for room in ("core", "flows")}
SIMULATIONS = {"test_histories.py", "test_schedules.py"}
"""They live by chance, and find faults: they need not be what reaches a branch."""
HOME = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of the run's one PostgreSQL; the controller tells its workers. No example of
    a property has a deadline: a machine that is busy fails nothing, and each test has its own."""
    settings.register_profile("house", deadline=None)
    settings.load_profile("house")
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),  # nobody reads thousands of lines
    )
    told = getattr(config, "workerinput", {}).get("postgres_home")
    config.stash[HOME] = Path(told) if told else make_home(in_memory=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is measured: the tests of the rooms that have to be covered, but for simulations.
    Put first what takes longest: whoever is left with it at the end keeps the other worker waiting.
    """
    for item in items:
        if item.path.name not in SIMULATIONS and not MEASURED.isdisjoint(item.path.parents):
            item.add_marker("measured")
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell an xdist worker the folder."""
    node.workerinput["postgres_home"] = str(node.config.stash[HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove PostgreSQL, if any test started it, when the last worker is gone."""
    if hasattr(config, "workerinput"):
        return
    home = config.stash[HOME]
    if (home / "url").exists():
        LocalPostgres(home).remove()
    else:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> RunningPostgres:
    """The run's one PostgreSQL, started by the first test that asks.

    A test that stops or kills a server makes its own: `with LocalPostgres() as server`.
    """
    if os.environ.get("PREPAID_TEST_WITHOUT_POSTGRES") == "1":
        pytest.skip("PREPAID_TEST_WITHOUT_POSTGRES=1: nothing is tested on PostgreSQL")
    if running := os.environ.get("PREPAID_TEST_POSTGRES_URL"):
        return RunningPostgres(running)
    server = LocalPostgres(pytestconfig.stash[HOME], fsync=False)
    server.start()
    return server


@pytest.fixture(params=BACKENDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables: on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "empty.sqlite")
    else:
        yield from fresh_database(request.getfixturevalue("postgres"), "template0")


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database without rows: on SQLite, then on PostgreSQL."""
    if request.param == "sqlite":
        migrated = request.getfixturevalue("migrated_sqlite")
        yield sqlite_url(Path(shutil.copy(migrated, tmp_path / "migrated.sqlite")))
    else:
        migrated = request.getfixturevalue("migrated_postgres")
        yield from fresh_database(request.getfixturevalue("postgres"), migrated)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that each migrated SQLite database is a copy of."""
    from prepaid.storage.schema import migrate  # noqa: PLC0415 (half a second that few tests need)

    file = tmp_path_factory.mktemp("template") / "migrated.sqlite"
    migrate(sqlite_url(file))
    assert not file.with_name("migrated.sqlite-wal").exists(), "migrate left a connection open"
    return file


@pytest.fixture(scope="session")
def migrated_postgres(postgres: RunningPostgres) -> Iterator[str]:
    """The name of the database that each migrated PostgreSQL database is a copy of."""
    from prepaid.storage.schema import migrate  # noqa: PLC0415 (half a second that few tests need)

    for url in fresh_database(postgres, "template0"):
        migrate(url)
        yield database_name(url)


def sqlite_url(file: Path) -> str:
    """SQLAlchemy's address of a SQLite file."""
    return f"sqlite+aiosqlite:///{file}"


def fresh_database(server: RunningPostgres, template: str) -> Iterator[str]:
    """A database that lives as long as one fixture."""
    url = server.create_database(template)
    yield url
    server.drop_database(url)
