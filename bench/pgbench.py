"""PostgreSQL by itself: a durable debit as one statement, put on by pgbench.

It is the best that a program could do that asks the database for each debit: no HTTP, no identity,
no grants; a balance that can't go below zero, an entry, and a key that is there once.
"""

import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bench.load import ACCOUNTS
from bench.postgres import Postgres, program

DATABASE = "pgbench"
PATIENCE_SECONDS = 60

TABLES = f"""
CREATE TABLE accounts (
    id integer PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
) WITH (fillfactor = 50);
CREATE TABLE entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL,
    key uuid NOT NULL UNIQUE,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO accounts SELECT number, 1000000000 FROM generate_series(1, {ACCOUNTS}) AS number;
"""  # noqa: S608 - a number of our own

DEBIT = r"""\set id random(1, {accounts})
WITH debit AS (
    UPDATE accounts SET balance = balance - 1 WHERE id = :id AND balance >= 1 RETURNING id, balance
)
INSERT INTO entries (account_id, key, amount, balance)
SELECT id, gen_random_uuid(), -1, balance FROM debit;
"""


@dataclass(frozen=True, slots=True)
class Debits:
    """How a run of pgbench went. `p50` is in microseconds, where each debit was timed."""

    done: int
    rate: float
    p50: float | None = None


class Pgbench:
    """pgbench beside a server, in a database of its own; its files stand in `folder`."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._program = program(server, "pgbench")

    @property
    def is_here(self) -> bool:
        """Whether the server came with it."""
        return self._program is not None

    async def prepare(self) -> None:
        """Makes the tables, in a new database."""
        self._server.drop(DATABASE)
        self._server.execute(f'CREATE DATABASE "{DATABASE}"')
        async with self._connected() as connection:
            await connection.execute(TABLES)

    async def reset(self) -> None:
        """Leaves the tables as before the first debit, and nothing dirty behind."""
        async with self._connected() as connection:
            for statement in ("TRUNCATE entries", "VACUUM accounts", "CHECKPOINT"):
                await connection.execute(statement)

    async def entries(self) -> int:
        """How many debits are written down."""
        async with self._connected() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM entries"))

    def run(self, clients: int, seconds: int, *, accounts: int = ACCOUNTS) -> Debits:
        """Debits by so many clients. Those of one client alone are timed one by one."""
        script = self._folder / "debit.sql"
        script.write_text(DEBIT.format(accounts=accounts))
        timed = ("--log", f"--log-prefix={self._folder / 'timed'}") if clients == 1 else ()
        told = (
            *(str(self._program), "--no-vacuum", "--protocol=prepared", f"--file={script}"),
            *(f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={seconds}", *timed),
        )
        patience = seconds + PATIENCE_SECONDS
        done = subprocess.run(
            told,
            env=self._environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=patience,
        )
        return read(done.stdout, self._taken())

    def _taken(self) -> list[float]:
        """The microseconds of each debit that was timed; its file is used up."""
        taken = []
        for file in self._folder.glob("timed.*"):
            taken += [float(line.split()[2]) for line in file.read_text().splitlines()]
            file.unlink()
        return taken

    def _environment(self) -> dict[str, str]:
        parts = urlsplit(self._server.url(DATABASE))
        return os.environ | {
            "PGHOST": str(parts.hostname),
            "PGPORT": str(parts.port),
            "PGUSER": str(parts.username),
            "PGPASSWORD": str(parts.password),
            "PGDATABASE": DATABASE,
        }

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        url = self._server.url(DATABASE).replace("+asyncpg", "")
        connection = await asyncpg.connect(url, timeout=PATIENCE_SECONDS)
        try:
            yield connection
        finally:
            await connection.close()


def read(printed: str, taken: list[float]) -> Debits:
    """What pgbench printed, and the microseconds of each debit, if they were taken."""
    done = re.search(r"transactions actually processed: (\d+)", printed)
    rate = re.search(r"tps = ([\d.]+)", printed)
    if done is None or rate is None:
        raise ValueError(f"This is not what pgbench prints:\n{printed}")
    return Debits(int(done[1]), float(rate[1]), sorted(taken)[len(taken) // 2] if taken else None)
