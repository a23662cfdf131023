"""The large set: some ten million entries, built once and kept, against ten thousand.

It is made as years would make it: each account's entries stand among all others', and their keys
have no order. It is kept in a server of its own, and copied for each run, so that each begins with
the same. What it is made of stands in its name: another schema, or another number, makes another.
"""

import asyncio
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from bench import books
from bench.load import ACCOUNTS
from bench.postgres import Postgres, major_version
from bench.programs import ROOT, api_key, prepaid
from local_postgres import find_binaries
from prepaid.storage import tables

SLICE = 50
"""Entries of each account that are written in one statement."""

STATEMENT_SECONDS = 600
BYTES_OF_AN_ENTRY = 1_000
"""What one takes at most, with its indexes and in its copy."""

MIGRATIONS = ROOT / "src/prepaid/storage/migrations/versions"
SMALL = "small"


@dataclass(frozen=True, slots=True)
class Sized:
    """A database of one of the two sizes, and the platform's key in it."""

    url: str
    token: str


class Scale:
    """Both sizes, in a server whose folder is kept. Nothing is started before it is asked for."""

    def __init__(self, cache: Path, entries: int) -> None:
        self.entries = entries
        self._cache = cache
        self._server: Postgres | None = None
        self._sizes: dict[str, Sized] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._server is not None and self._server.is_running():
            for name in self._sizes:
                self._server.drop(f"run_{name}")
            self._server.stop()

    @property
    def server(self) -> Postgres:
        """The server, which is started now if it doesn't run."""
        if self._server is None:
            self._server = Postgres(_home(self._cache, self.entries))
            self._server.start()
        return self._server

    def small(self) -> Sized:
        """A copy for this run with an entry for each account."""
        return self._sized(SMALL, 1)

    def large(self) -> Sized:
        """A copy for this run of the large set, which is built if it isn't there."""
        return self._sized("large", self.entries // ACCOUNTS)

    def _sized(self, name: str, each: int) -> Sized:
        if name not in self._sizes:
            template = asyncio.run(_template(self.server, each))
            url = self.server.copy(template, f"run_{name}")
            self._sizes[name] = Sized(url, api_key(url, "service"))
        return self._sizes[name]


async def _template(server: Postgres, each: int) -> str:
    """The database with so many entries for each account, as it is kept: built if need be."""
    name = f"kept_{each}_{_fingerprint()}"
    if await _has(server, name):
        return name
    server.drop("building")
    server.execute('CREATE DATABASE "building"')
    url = server.url("building")
    prepaid(url, "migrate")
    await books.stock(url)
    if each > 1:
        await books.charge_each(url)
        await _multiply(url, each)
    server.execute(f'ALTER DATABASE "building" RENAME TO "{name}"')
    return name


async def _has(server: Postgres, name: str) -> bool:
    connection = await _connected(server.url("postgres"))
    try:
        return bool(await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name))
    finally:
        await connection.close()


async def _multiply(url: str, each: int) -> None:
    """Repeats each account's one charge until it has so many entries."""
    connection = await _connected(url)
    try:
        await connection.execute(
            "CREATE TEMPORARY TABLE charged AS SELECT * FROM entries WHERE number = 2"
        )
        for first in range(1, each - 1, SLICE):
            await connection.execute(_repeated(first, min(first + SLICE, each - 1) - 1))
        for statement in _BALANCED:
            await connection.execute(statement, timeout=STATEMENT_SECONDS)
        await connection.execute("VACUUM (FREEZE, ANALYZE)", timeout=STATEMENT_SECONDS)
    finally:
        await connection.close()


def _repeated(first: int, last: int) -> str:
    """Writes the charges from one number to another after each account's own (entry 2), one for
    each account before the next for any. A column that isn't named here stays as that has it."""
    changed = {
        "number": "one.number + n",
        "id": "gen_random_uuid()",
        "balance": "one.balance + n * one.credits",
        "at": "one.at + n",
        "key": "md5(random()::text || one.account_uid || n)",
    }
    columns = [column.name for column in tables.entries.columns]
    values = ", ".join(changed.get(name, f'one."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f"INSERT INTO entries ({names}) SELECT {values} "  # noqa: S608 - names of our own
        f"FROM generate_series({first}, {last}) AS n, charged AS one ORDER BY n"
    )


_BALANCED = (
    """
    UPDATE accounts SET balance = made.balance, last_entry = made.number FROM (
        SELECT account_uid, max(number) AS number, sum(credits) AS balance FROM entries GROUP BY 1
    ) AS made WHERE made.account_uid = accounts.uid
    """,
    "UPDATE grants SET remaining = accounts.balance FROM accounts WHERE uid = account_uid",
)
"""Each account has one grant."""


async def _connected(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(url.replace("+asyncpg", ""), command_timeout=STATEMENT_SECONDS)


def _fingerprint() -> str:
    """What the schema is made from, in eight digits."""
    content = hashlib.sha256()
    for file in sorted(MIGRATIONS.glob("*.py")):
        content.update(file.read_bytes())
    return content.hexdigest()[:8]


def default_cache() -> Path:
    """Where the large set is kept, unless somebody says where: where caches are, if PostgreSQL's
    user can get there (root's own folders are closed to it)."""
    usual = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "prepaid-bench"
    closed = os.geteuid() == 0 and not all(_is_open(step) for step in usual.parents)
    return Path("/var/cache/prepaid-bench") if closed else usual


def _is_open(folder: Path) -> bool:
    return not folder.exists() or bool(folder.stat().st_mode & 0o001)


def _home(cache: Path, entries: int) -> Path:
    """The server's folder, made if it isn't there. One that was begun and not finished is in the
    way of another."""
    home = cache / f"postgres-{major_version(find_binaries())}"
    if home.exists() and not (home / "url").exists():
        shutil.rmtree(home)
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    if shutil.disk_usage(home).free < entries * BYTES_OF_AN_ENTRY:
        raise OSError(f"{cache} has no room for {entries} entries and a copy: name another --cache")
    return home
