"""The finder of keys on real databases: in crowds, after an outage, and where the service stops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from conftest import sqlite_url
from prepaid.core.errors import LedgerUnavailable
from prepaid.core.identity import Scope
from prepaid.ids import new_id
from prepaid.storage import accounts, api_keys
from prepaid.storage.api_keys import ApiKey
from prepaid.storage.database import Database
from prepaid.storage.key_finder import AT_ONCE, KeyFinder

AT = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)

Found = ApiKey | BaseException | None


@pytest.fixture
async def finder(database: Database) -> AsyncIterator[KeyFinder]:
    async with KeyFinder(database).open() as opened:
        yield opened


def hash_of(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


async def made(database: Database, count: int) -> list[ApiKey]:
    """Keys of all scopes, under the hashes of their numbers."""
    async with database.writing() as connection:
        await accounts.add(connection, "ada", AT)
        listed = []
        for number in range(count):
            scope = [*Scope][number % len(Scope)]
            owner = "ada" if scope is Scope.USER else None
            listed.append(ApiKey(new_id(), f"key {number}", scope, owner, AT, None))
            await api_keys.add(connection, listed[-1], hash_of(number))
    return listed


async def ask(finder: KeyFinder, numbers: Sequence[int]) -> list[Found]:
    """What all are told who ask at the same moment."""
    asking = (finder.find(hash_of(number)) for number in numbers)
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_each_key_is_found_as_it_was_made(database: Database, finder: KeyFinder) -> None:
    keys = await made(database, 4)
    assert [await finder.find(hash_of(number)) for number in range(5)] == [*keys, None]


async def test_a_crowd_is_told_whose_key_each_has(database: Database, finder: KeyFinder) -> None:
    """Also where more ask than fit into one question, for keys that there are not, and twice."""
    keys, numbers = await made(database, 30), [*range(2 * AT_ONCE + 1), *range(9)]
    expected = [keys[number] if number < len(keys) else None for number in numbers]
    assert await ask(finder, numbers) == expected


async def test_a_key_that_was_revoked_is_not_found_from_then_on(
    database: Database, finder: KeyFinder
) -> None:
    first, second = await made(database, 2)
    assert await ask(finder, [0, 1]) == [first, second]
    async with database.writing() as connection:
        await api_keys.revoke(connection, first.id, None, AT)
    assert await ask(finder, [0, 1]) == [None, second]


async def test_who_hangs_up_disturbs_nobody(database: Database, finder: KeyFinder) -> None:
    (key,) = await made(database, 1)
    asking = [asyncio.create_task(finder.find(hash_of(0))) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert told[1:] == [key, key]


async def test_a_database_that_is_away_refuses_everybody(tmp_path: Path) -> None:
    nowhere = Database(sqlite_url(tmp_path / "none/none.db"))
    async with KeyFinder(nowhere).open() as opened:
        for _ in range(2):
            assert {type(one) for one in await ask(opened, range(3))} == {LedgerUnavailable}
    await nowhere.close()


async def test_who_waits_for_a_database_that_hangs_is_refused_when_the_service_stops(
    on_postgresql: str,
) -> None:
    """They too who had come too late for the question under way; and who comes afterwards."""
    database, other = Database(on_postgresql), Database(on_postgresql)
    async with other.writing() as connection:
        await connection.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        async with KeyFinder(database).open() as opened:
            asking = asyncio.create_task(ask(opened, range(AT_ONCE + 5)))
            while len(opened._asking) != 5:  # noqa: ASYNC110 - the finder tells nobody
                await asyncio.sleep(0)
        assert {type(one) for one in await asking} == {LedgerUnavailable}
        with pytest.raises(LedgerUnavailable, match="stopping"):
            await opened.find(hash_of(0))
    await other.close()
    await database.close()
