"""Faults of the database that nobody foresaw: the writer outlives them, and tells no secrets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from conftest import fresh_database
from local_postgres import RunningPostgres
from prepaid.core.amounts import Credits
from prepaid.core.commands import Give
from prepaid.core.entries import Kind
from prepaid.ids import new_id
from prepaid.storage import accounts
from prepaid.storage.database import Database, with_driver
from prepaid.storage.schema import NEWEST
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)

FIRST_A_CONSTRAINT_THEN_WORSE = (
    "CREATE SEQUENCE attempts",
    (
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "CASE nextval('attempts') "
        "WHEN 1 THEN RAISE EXCEPTION 'first' USING ERRCODE = 'integrity_constraint_violation'; "
        "WHEN 2 THEN RAISE EXCEPTION 'then worse' USING ERRCODE = 'data_exception'; "
        "ELSE RETURN NEW; END CASE; END $$"
    ),
    "CREATE TRIGGER spoil BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION spoil()",
)


@pytest.fixture
async def on_postgres(postgres: RunningPostgres, migrated_postgres: str) -> AsyncIterator[Database]:
    for url in fresh_database(postgres, migrated_postgres):
        opened = Database(url)
        yield opened
        await opened.close()


def give() -> Give:
    return Give(new_id(), "ada", "k", Credits.of(5), Kind.PROMOTION, "", "grace")


async def test_the_writer_outlives_a_fault_of_the_second_attempt(on_postgres: Database) -> None:
    """It would take every later command into a queue that nobody empties otherwise."""
    async with on_postgres.writing() as connection:
        await accounts.add(connection, "ada", AT)
        for statement in FIRST_A_CONSTRAINT_THEN_WORSE:
            await connection.execute(text(statement))
    async with Ledger(on_postgres, lambda: AT).open() as ledger:
        with pytest.raises(DBAPIError, match="then worse"):
            await ledger.post(give())
        assert (await ledger.post(give())).entry.balance == Credits.of(5)


async def test_an_error_does_not_tell_what_was_to_be_stored(database: Database) -> None:
    again = text("INSERT INTO alembic_version VALUES (:told)")
    async with database.writing() as connection:
        with pytest.raises(IntegrityError) as error:
            await connection.execute(again, {"told": NEWEST})
        await connection.rollback()
    assert "hidden" in str(error.value)


def test_libpqs_other_name_for_postgresql_is_understood() -> None:
    url = with_driver("postgres://ada:word@db.example.com/prepaid?sslmode=require")
    assert url == "postgresql+asyncpg://ada:word@db.example.com/prepaid?ssl=require"
