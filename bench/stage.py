"""What all parts measure on: the server, the databases that are copied, services on the copies."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import psutil

from bench import books
from bench.effort import Effort
from bench.gates import DISK, Gates
from bench.load import ACCOUNTS
from bench.measuring import Served
from bench.pgbench import Pgbench
from bench.postgres import Postgres
from bench.programs import api_key, prepaid, service
from bench.scale import Scale
from prepaid.core.amounts import Credits

STOCK = "stock"
"""The database with accounts and grants that is copied for each part."""

STOCKED = "stocked.db"
EMPTY = "empty.db"
"""The same in SQLite; and a database that has only its tables."""

IN_MEMORY = {"tmpfs", "ramfs"}


@dataclass
class Stage:
    """Everything that a part of a round may need. The tokens are the platform's keys in what is
    copied, and so in each copy."""

    effort: Effort
    gates: Gates
    random: Random
    folder: Path
    server: Postgres
    pgbench: Pgbench
    scale: Scale
    token: str
    sqlite_token: str

    @contextmanager
    def database(self, name: str = "run") -> Iterator[str]:
        """A fresh copy of the stocked database; its address."""
        yield self.server.copy(STOCK, name)
        self.server.drop(name)

    @contextmanager
    def served(self) -> Iterator[Served]:
        """A service on a fresh copy of the stocked database."""
        with self.database() as url, self.serving(url, self.token, self.server) as served:
            yield served

    @contextmanager
    def served_by_sqlite(self) -> Iterator[Served]:
        """A service on a fresh copy of the stocked SQLite file."""
        with self.file(STOCKED) as url, self.serving(url, self.sqlite_token, None) as served:
            yield served

    @contextmanager
    def file(self, name: str) -> Iterator[str]:
        """A fresh copy of a SQLite file of the folder; its address."""
        with TemporaryDirectory(dir=self.folder) as folder:
            copied = shutil.copy(self.folder / name, Path(folder) / "prepaid.db")
            yield sqlite_url(Path(copied))

    @contextmanager
    def serving(self, url: str, token: str, server: Postgres | None) -> Iterator[Served]:
        """A service on a database; its books are looked at when it has ended."""
        before = asyncio.run(books.count(url))
        with service(url, self.folder) as program:
            served = Served(url, program, token, server, self.gates)
            yield served
        after = asyncio.run(books.tally(url))
        where = url.rpartition("/")[2]
        rows = after.entries - before
        self.gates.look_at_rows(where, rows, served.acknowledged, served.in_flight)
        self.gates.look_at_books(where, after.wrong)


@contextmanager
def open_stage(effort: Effort, random: Random, cache: Path, entries: int) -> Iterator[Stage]:
    """A stage with everything in a private folder, which is gone at the end."""
    with ExitStack() as exits:
        folder = Path(exits.enter_context(TemporaryDirectory(prefix="prepaid-bench-")))
        server = exits.enter_context(Postgres())
        gates = Gates()
        filesystem = filesystem_of(server.home)
        gates.look(DISK, holds=filesystem not in IN_MEMORY, said=f"it is on {filesystem}")
        tokens = _stock(server, folder)
        pgbench = Pgbench(server, folder)
        asyncio.run(pgbench.prepare())
        scale = exits.enter_context(Scale(cache, entries))
        yield Stage(effort, gates, random, folder, server, pgbench, scale, *tokens)


def filesystem_of(folder: Path) -> str:
    """The kind of filesystem that a folder is on."""
    mounts = [one for one in psutil.disk_partitions(all=True) if _holds(one.mountpoint, folder)]
    return str(max(mounts, key=lambda one: len(one.mountpoint)).fstype) if mounts else "unknown"


def sqlite_url(file: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite+aiosqlite:///{file}"


def _holds(mountpoint: str, folder: Path) -> bool:
    return folder.resolve().is_relative_to(mountpoint)


def _stock(server: Postgres, folder: Path) -> tuple[str, str]:
    """Makes what is copied: accounts with grants, in PostgreSQL and in SQLite, and an empty SQLite
    file. The platform's keys in the first two."""
    server.execute(f'CREATE DATABASE "{STOCK}"')
    prepaid(sqlite_url(folder / EMPTY), "migrate")
    shutil.copy(folder / EMPTY, folder / STOCKED)
    return stocked(server.url(STOCK)), stocked(sqlite_url(folder / STOCKED))


def stocked(url: str, accounts: int = ACCOUNTS, credits_: Credits = books.GRANTED) -> str:
    """Makes accounts with grants in an empty database, and a key of the platform's: its secret."""
    prepaid(url, "migrate")
    asyncio.run(books.stock(url, accounts, credits_))
    return api_key(url, "service")
