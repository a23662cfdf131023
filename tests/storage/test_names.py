"""Accounts are found by what they are called, also those that were there before names were kept."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from older_schemas import bring_to
from prepaid.storage import accounts, schema
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, tzinfo=UTC)
PEOPLE = {
    "u-1": Profile("ada", "ada@example.com", "Ada", "Lovelace"),
    "u-2": Profile("GRACE", "grace@example.com", "Grace", "Hopper"),
    "u-3": Profile("zoe", None, "Zoé", "Ångström"),
    "Ada-4": Profile("x%_", "x@example.com", "", ""),
}


async def found(database: Database, begins: str, after: str = "", limit: int = 100) -> list[str]:
    async with database.reading() as connection:
        return [row.uid for row in await accounts.listed(connection, after, limit, begins)]


async def enter(database: Database, uid: str, profile: Profile) -> None:
    async with database.writing() as connection:
        await accounts.add(connection, uid, AT)
        await accounts.describe(connection, uid, profile, AT)


@pytest.mark.parametrize(
    ("begins", "uids"),
    [
        ("ad", ["Ada-4", "u-1"]),
        ("ADA@", ["u-1"]),
        ("lovel", ["u-1"]),
        ("ada love", ["u-1"]),
        (" grace ", ["u-2"]),
        ("u-", ["u-1", "u-2", "u-3"]),
        ("zoé å", ["u-3"]),
        ("ÅNG", ["u-3"]),
        ("x%_", ["Ada-4"]),
        ("%", []),
        ("_", []),
        ("example", []),
        ("g" * 200, []),
    ],
)
async def test_an_account_is_found_by_how_any_of_its_names_begins(
    database: Database, begins: str, uids: list[str]
) -> None:
    for uid, profile in PEOPLE.items():
        await enter(database, uid, profile)
    assert await found(database, begins) == uids


async def test_what_is_found_comes_in_pages(database: Database) -> None:
    for number in range(7):
        await enter(database, f"u-{number}", Profile("same", None, "Same", "Same"))
    seen: list[str] = []
    while page := await found(database, "same", seen[-1] if seen else "", limit=3):
        seen += page
    assert seen == [f"u-{number}" for number in range(7)]


async def test_a_new_name_takes_the_place_of_the_old_one(database: Database) -> None:
    await enter(database, "u-1", PEOPLE["u-1"])
    await enter(database, "u-1", Profile("ada", "ada@example.org", "Ada", "King"))
    assert await found(database, "lovelace") == []
    assert await found(database, "ada@example.com") == []
    assert await found(database, "king") == ["u-1"]
    assert await found(database, "u-1") == ["u-1"]


async def test_a_name_as_long_as_a_page_is_kept_in_part(database: Database) -> None:
    long = "é" * 5_000
    await enter(database, "u-1", Profile(long, long, long, long))
    assert await found(database, long) == ["u-1"]
    assert await found(database, "éé") == ["u-1"]


async def test_who_was_there_before_names_were_kept_is_found_too(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    async with database.writing() as connection:
        await connection.run_sync(bring_to, "0003")
        for written in (
            "INSERT INTO accounts (uid, balance, last_entry, created_at) VALUES ('U-1', 0, 0, 0)",
            "INSERT INTO accounts (uid, balance, last_entry, created_at) VALUES ('u-2', 0, 0, 0)",
            "INSERT INTO profiles VALUES ('U-1', 'Ada', NULL, 'Ada', 'Lovelace', 0)",
        ):
            await connection.execute(text(written))
    schema.migrate(empty_database_url)
    assert await found(database, "u-") == ["U-1", "u-2"]
    assert await found(database, "ada l") == ["U-1"]
    assert await found(database, "lovelace") == ["U-1"]
    await database.close()
