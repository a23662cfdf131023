"""The database refuses what the ledger would never do, whatever program asks."""

from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from prepaid.core.amounts import Credits
from prepaid.core.entries import Kind
from prepaid.core.reservations import Reservation
from prepaid.ids import new_id
from prepaid.storage import accounts, guards, reservations
from prepaid.storage.database import Database
from prepaid.storage.tables import EPOCH, entries
from samples import RUNNING


@pytest.fixture
async def one_entry(database: Database) -> None:
    async with database.writing() as connection:
        await accounts.add(connection, "ada", EPOCH)
        await connection.execute(
            insert(entries).values(
                account_uid="ada",
                number=1,
                id=new_id(),
                kind=Kind.PROMOTION,
                credits=Credits.of(5),
                balance=Credits.of(5),
                at=EPOCH,
                key="k",
                fingerprint=b"0" * 16,
                source="",
                reason="",
                actor="",
            )
        )


async def refused(database: Database, sql: str) -> str:
    with pytest.raises(IntegrityError) as refusal:
        async with database.writing() as connection:
            await connection.execute(text(sql))
    return str(refusal.value)


@pytest.mark.usefixtures("one_entry")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET credits = 1",
        "UPDATE entries SET reason = 'nothing to see here'",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE account_uid = 'ada'",
    ],
)
async def test_an_entry_is_for_good(database: Database, sql: str) -> None:
    assert "append-only" in await refused(database, sql)


@pytest.mark.usefixtures("one_entry")
async def test_postgresql_refuses_to_truncate_too(database: Database) -> None:
    sql = "DELETE FROM entries" if database.sqlite else "TRUNCATE entries"
    assert "append-only" in await refused(database, sql)


@pytest.mark.usefixtures("one_entry")
@pytest.mark.parametrize(
    "changed",
    [
        *("balance = -1", "balance = 1000000000000000", "last_entry = -1"),
        *("reserved = -1", "reserved = balance + 1", "balance = 4, reserved = 5"),
        *("shared_rate = -1", "open = -1", "last_notice = -1"),
    ],
)
async def test_an_impossible_balance_is_refused(database: Database, changed: str) -> None:
    await refused(database, f"UPDATE accounts SET {changed}")  # noqa: S608 - our own text


@pytest.mark.usefixtures("one_entry")
@pytest.mark.parametrize(
    "row",
    [
        "1, id, kind, credits, balance, at, 'other'",
        "2, id, kind, credits, balance, at, key",
        "2, id, kind, 0, balance, at, 'other'",
        "2, id, kind, credits, -1, at, 'other'",
        "0, id, kind, credits, balance, at, 'other'",
    ],
)
async def test_an_impossible_entry_is_refused(database: Database, row: str) -> None:
    copied = f"SELECT account_uid, {row}, fingerprint, source, reason, actor FROM entries"  # noqa: S608 - our own text
    await refused(database, f"INSERT INTO entries {copied}")


@pytest.fixture
async def one_reservation(database: Database) -> None:
    """It has reserved 15 credits of a limit of 20, of which an epoch before has cost 5."""
    async with database.writing() as connection:
        await accounts.add(connection, "ada", EPOCH)
        limited = replace(RUNNING, limit=Credits.of(20), spent_before=Credits.of(5), epoch=2)
        await reservations.add(connection, [limited])


@pytest.mark.usefixtures("one_reservation")
@pytest.mark.parametrize(
    "changed",
    [
        *("burning_rate = -1", "reserved = -1", "burnt = -1"),
        *("spent = -1", "spent = reserved + 1"),
        *("reserved = 15000001", "spent_before = 5000001"),
        *("state = 'settled'", "ended_at = 0"),
        "account_uid = 'nobody'",
    ],
)
async def test_an_impossible_reservation_is_refused(database: Database, changed: str) -> None:
    await refused(database, f"UPDATE reservations SET {changed}")  # noqa: S608 - our own text


@pytest.mark.usefixtures("one_reservation")
@pytest.mark.parametrize(
    "other",
    [replace(RUNNING, key="another"), replace(RUNNING, id=UUID(int=7), epoch=2)],
    ids=["id", "epoch"],
)
async def test_an_id_and_an_epoch_are_one_reservations(
    database: Database, other: Reservation
) -> None:
    with pytest.raises(IntegrityError):
        async with database.writing() as connection:
            await reservations.add(connection, [other])


async def test_the_service_has_one_pulse(database: Database) -> None:
    await refused(database, "UPDATE pulse SET id = 2")


async def test_the_guards_stand_after_the_migration(database: Database) -> None:
    assert await guards.missing(database) == set()


async def test_a_guard_that_is_gone_is_missed(database: Database) -> None:
    on = "" if database.sqlite else " ON entries"
    async with database.writing() as connection:
        await connection.execute(text(f"DROP TRIGGER entries_refuse_update{on}"))
    assert await guards.missing(database) == {"entries_refuse_update"}


async def test_a_guard_that_is_switched_off_is_missed(database: Database) -> None:
    if database.sqlite:
        return  # SQLite has no such switch
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE entries DISABLE TRIGGER entries_refuse_delete"))
    assert await guards.missing(database) == {"entries_refuse_delete"}
