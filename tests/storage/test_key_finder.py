"""The finder of keys on real databases: in crowds, after an outage, and where the service stops."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from conftest import sqlite_url
from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.core.identity import Scope
from prepaid.ids import new_id
from prepaid.storage import accounts, api_keys
from prepaid.storage.api_keys import ApiKey
from prepaid.storage.database import Database
from prepaid.storage.gathering import QUEUE
from prepaid.storage.key_finder import AT_ONCE, KeyFinder

AT = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'api_keys'::regclass"

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
    asking = [asyncio.create_task(finder.find(hash_of(0))) for _ in range(3 * AT_ONCE)]
    await asyncio.sleep(0)
    for one in asking[1:]:
        one.cancel()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert told[0] == key
    assert {type(one) for one in told[1:]} == {asyncio.CancelledError}
    assert await finder.find(hash_of(0)) == key


async def test_a_key_that_can_not_be_read_hurts_only_who_has_it(
    database: Database, finder: KeyFinder
) -> None:
    """A newer version may know of a scope that this one doesn't."""
    first, second = await made(database, 2)
    async with database.writing() as connection:
        odd = {"name": first.name}
        await connection.execute(
            text("UPDATE api_keys SET scope = 'odd', account_uid = NULL WHERE name = :name"), odd
        )
    told = await ask(finder, [0, 1, 2])
    assert isinstance(told[0], ValueError)
    assert told[1:] == [second, None]


async def test_who_is_one_too_many_is_told_to_come_back(
    database: Database, finder: KeyFinder
) -> None:
    (key,) = await made(database, 1)
    told = await ask(finder, [0] * (QUEUE + 3))
    assert told[:QUEUE] == [key] * QUEUE
    assert {type(one) for one in told[QUEUE:]} == {LedgerBusy}


async def test_a_database_that_is_away_refuses_everybody(tmp_path: Path) -> None:
    """Once: who waits for a later question isn't kept waiting for another refusal."""
    nowhere = Database(sqlite_url(tmp_path / "none/none.db"))
    async with KeyFinder(nowhere).open() as opened:
        for _ in range(2):
            told = await ask(opened, range(3 * AT_ONCE))
            assert {type(one) for one in told} == {LedgerUnavailable}
            assert len({id(one) for one in told}) == 1
    await nowhere.close()


async def test_who_asks_as_the_service_stops_is_refused(database: Database) -> None:
    finder = KeyFinder(database)
    async with finder.open():
        asking = asyncio.create_task(finder.find(hash_of(0)))
        await asyncio.sleep(0)  # it asks; what would answer has not begun
    with pytest.raises(LedgerUnavailable, match="stopping"):
        await asking
    with pytest.raises(LedgerUnavailable, match="stopping"):
        await finder.find(hash_of(0))


async def test_who_waits_for_a_database_that_hangs_is_refused_when_the_service_stops(
    on_postgresql: str,
) -> None:
    """They too who had come too late for the question under way. Somebody hangs up meanwhile."""
    database, other = Database(on_postgresql), Database(on_postgresql)
    async with other.writing() as connection, KeyFinder(database).open() as opened:
        await opened.find(hash_of(0))  # so that it has connected
        await connection.execute(text("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE"))
        hashes = map(hash_of, range(AT_ONCE + 5))
        asking = [asyncio.create_task(opened.find(one)) for one in hashes]
        while not (await connection.execute(text(WAITING))).scalar_one():
            pass
        assert len(opened._gathering._asking) == 5
        asking[0].cancel()
    gone, *others = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(gone, asyncio.CancelledError)
    assert {type(one) for one in others} == {LedgerUnavailable}
    await other.close()
    await database.close()
