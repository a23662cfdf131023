"""The PostgreSQL that tests run on is private, lasting and ours."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from local_postgres import LocalPostgres, RunningPostgres, places


@pytest.fixture(scope="module")
def server() -> Iterator[LocalPostgres]:
    with LocalPostgres() as server:
        yield server


def ask(url: str, statement: str) -> object:
    async def asking() -> object:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(asking())


@pytest.mark.parametrize("binaries", list(places()), ids=str)
def test_every_postgres_of_this_machine_starts(binaries: Path) -> None:
    with LocalPostgres(binaries=binaries) as server:
        assert "PostgreSQL" in str(ask(server.url("postgres"), "SELECT version()"))


def test_a_row_outlives_a_crash_of_the_server(server: LocalPostgres) -> None:
    url = server.create_database()
    ask(url, "CREATE TABLE kept AS SELECT 7 AS value")
    server.kill()
    assert not server.is_running()
    server.start()
    assert ask(url, "SELECT value FROM kept") == 7


def test_a_restart_keeps_address_and_databases(server: LocalPostgres) -> None:
    url = server.create_database()
    server.restart()
    assert ask(url, "SELECT 1") == 1


def test_durability_is_on_unless_refused(server: LocalPostgres) -> None:
    assert ask(server.url("postgres"), "SHOW fsync") == "on"


def test_nobody_enters_without_the_password(server: LocalPostgres) -> None:
    stranger = re.sub(r":[^:@]+@", ":guess@", server.url("postgres"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(stranger, "SELECT 1")


def test_two_that_name_one_home_share_one_server(server: LocalPostgres) -> None:
    second = LocalPostgres(server.home)
    second.start()
    assert second.url("postgres") == server.url("postgres")


def test_a_copy_of_a_template_has_its_rows(postgres: RunningPostgres) -> None:
    template = postgres.create_database()
    ask(template, "CREATE TABLE kept AS SELECT 7 AS value")
    copy = postgres.create_database(template=template.rsplit("/", 1)[1])
    assert ask(copy, "SELECT value FROM kept") == 7
    postgres.drop_database(copy)
    postgres.drop_database(template)


def test_removing_leaves_nothing() -> None:
    server = LocalPostgres()
    with server:
        assert server.is_running()
    assert not server.home.exists()


def test_an_empty_database_is_fresh_and_empty(empty_database_url: str) -> None:
    if empty_database_url.startswith("sqlite"):
        assert not Path(empty_database_url.removeprefix("sqlite+aiosqlite:///")).exists()
    else:
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert ask(empty_database_url, tables) == 0
