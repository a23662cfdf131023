"""The schema gets there whole, once, and from wherever it was."""

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from older_schemas import bring_to
from prepaid.core.amounts import Credits
from prepaid.core.errors import LedgerUnavailable
from prepaid.storage import accounts, grants, schema, tables
from prepaid.storage.database import Database, InvalidDatabaseUrl, set_pragmas, with_driver
from prepaid.storage.tables import metadata

AT = datetime(2026, 11, 23, tzinfo=UTC)
GRANT = {
    "account_uid": "ada",
    "kind": "purchase",
    "priority": 1,
    "credits": Credits(9),
    "at": AT,
}

MIGRATE = "import sys; from prepaid.storage.schema import migrate; migrate(sys.argv[1])"


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, empty_database_url]
    racing = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    for process in racing:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    assert asyncio.run(state_of(empty_database_url)) == (schema.NEWEST, 1)


def test_a_file_whose_log_another_process_is_about_to_make_is_waited_for(tmp_path: Path) -> None:
    """SQLite gives up at once here, however long it may wait: the other begins to write in the
    journal that this one wants to be a log."""

    class Cursor(sqlite3.Cursor):
        """Whoever asks to write has to wait; the other comes to its end now."""

        def execute(self, sql: str, parameters: Any = ()) -> Self:
            asked.append(sql)
            if sql == "BEGIN IMMEDIATE":
                other.execute("COMMIT")
            return super().execute(sql, parameters)

    asked: list[str] = []
    file = tmp_path / "prepaid.db"
    with (
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        closing(sqlite3.connect(file, isolation_level=None)) as connection,
    ):
        other.execute("BEGIN IMMEDIATE")
        set_pragmas(connection.cursor(Cursor))
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert asked.count("PRAGMA journal_mode = WAL") == 2


async def state_of(url: str) -> tuple[str | None, int]:
    database = Database(url)
    async with database.reading() as connection:
        made = await connection.execute(text("SELECT count(*) FROM deployment"))
        deployments = made.scalar_one()
        revision = await schema.revision(connection)
    await database.close()
    return revision, deployments


def test_the_newest_migration_is_the_one_that_the_code_needs() -> None:
    versions = Path(schema.__file__).parent / "migrations" / "versions"
    assert max(file.name for file in versions.glob("*.py")).startswith(f"{schema.NEWEST}_")


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    database = Database(database_url)
    async with database.reading() as connection:
        before = (await connection.execute(text("SELECT id FROM deployment"))).scalar_one()
    schema.migrate(database_url)
    async with database.reading() as connection:
        after = (await connection.execute(text("SELECT id FROM deployment"))).scalar_one()
    assert before == after
    await database.close()


async def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [one for one in compare_metadata(context, metadata) if "comment" not in str(one[0])]

    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_what_is_left_of_grants_is_kept_when_its_column_is_made_plain(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    async with database.writing() as connection:
        await connection.run_sync(bring_to, "0005")
        await accounts.add(connection, "ada", AT)
        for number, left in ((1, 0), (2, 7), (3, 5)):
            row = {"id": UUID(int=number), "remaining": Credits(left)}
            await connection.execute(insert(tables.grants).values(GRANT | row))
    schema.migrate(empty_database_url)
    async with database.reading() as connection:
        held = await grants.spendable(connection, ["ada"])
        everything = await grants.of_account(connection, "ada")
    assert {one.id.int: one.remaining.micro for one in held["ada"].values()} == {2: 7, 3: 5}
    assert sorted(one.id.int for one in everything) == [1, 2, 3]
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await connection.execute(text("UPDATE grants SET remaining = 0"))
    await database.close()


async def test_a_database_before_the_first_migration_says_so(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.reading() as connection:
        assert await schema.revision(connection) is None
    await database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+asyncpg://nobody:wrong@127.0.0.1:9/nothing",
        "sqlite+aiosqlite:////nowhere/at/all.db",
    ],
)
async def test_a_database_that_is_away_is_a_refusal(url: str) -> None:
    database = Database(url)
    with pytest.raises(LedgerUnavailable):
        await database.answers()
    await database.close()


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("postgresql://u:p@db/prepaid", "postgresql+asyncpg://u:p@db/prepaid"),
        ("postgresql+psycopg://u:p@db/prepaid", "postgresql+asyncpg://u:p@db/prepaid"),
        ("postgresql://u@db/p?sslmode=require", "postgresql+asyncpg://u@db/p?ssl=require"),
        ("sqlite:////data/prepaid.db", "sqlite+aiosqlite:////data/prepaid.db"),
    ],
)
def test_a_url_gets_our_driver(written: str, url: str) -> None:
    assert with_driver(written) == url


@pytest.mark.parametrize(
    "written",
    ["prepaid.db", "mysql://u:p@db/prepaid", "postgresql", "postgresql://u@db/p?channel_binding=x"],
)
def test_a_url_of_no_database_of_ours_is_refused(written: str) -> None:
    with pytest.raises(InvalidDatabaseUrl):
        with_driver(written)
