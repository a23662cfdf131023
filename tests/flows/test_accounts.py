"""Accounts and their keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from prepaid.core.amounts import Credits
from prepaid.core.commands import Give
from prepaid.core.entries import Kind
from prepaid.core.errors import Invalid, InvalidAccount, InvalidKey, UnknownAccount, UnknownKey
from prepaid.core.identity import Scope, idempotency_key
from prepaid.flows import accounts, balances, history, keys
from prepaid.ids import new_id
from prepaid.storage import grants
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database
from prepaid.storage.key_finder import KeyFinder
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, tzinfo=UTC)
ADA = Profile("ada", "ada@example.com", "Ada", "Lovelace")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


async def test_a_user_who_calls_has_an_account_under_their_name(database: Database) -> None:
    await accounts.enter(database, "u1", ADA, AT)
    await accounts.enter(database, "u1", Profile("ada", "new@example.com", "", ""), AT)
    found = await accounts.account(database, "u1")
    assert found.profile is not None
    assert found.profile.email == "new@example.com"
    assert found.balance == Credits(0)


async def test_an_account_is_made_once(database: Database) -> None:
    first = await accounts.create(database, "u1", AT)
    assert await accounts.create(database, "u1", AT) == first
    assert await accounts.listed(database) == [first]


@pytest.mark.parametrize("uid", ["", "a b", "é", "x" * 129, "a\n", "\0"])
async def test_what_cant_name_an_account_makes_none(database: Database, uid: str) -> None:
    with pytest.raises(InvalidAccount):
        await accounts.create(database, uid, AT)
    assert await accounts.listed(database) == []


@pytest.mark.parametrize("key", ["", "x" * 201, "é", "a\n"])
def test_what_cant_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidKey):
        idempotency_key(key)


async def test_a_grant_shows_in_balance_history_and_grants(database: Database) -> None:
    await accounts.create(database, "u1", AT)
    async with Ledger(database, lambda: AT).open() as ledger:
        for number in range(3):
            await accounts.give(
                ledger,
                Give(
                    new_id(),
                    "u1",
                    idempotency_key(f"k{number}"),
                    Credits.of(2),
                    Kind.PROMOTION,
                    "",
                    "grace",
                ),
            )
    assert (await balances.balance(database, "u1", AT)).balance == Credits.of(6)
    assert [one.number for one in (await history.page(database, "u1")).entries] == [3, 2, 1]
    async with database.reading() as connection:
        given = await grants.of_account(connection, "u1")
    assert [one.remaining for one in given] == [Credits.of(2)] * 3


async def test_a_key_is_found_by_its_secret_until_it_is_revoked(database: Database) -> None:
    made = await keys.make(database, "ci", Scope.SERVICE, None, AT)
    async with KeyFinder(database).open() as finder:
        assert await keys.found(finder, made.secret) == made.key
        await keys.revoke(database, made.key.id, AT)
        assert await keys.found(finder, made.secret) is None
    (listed,) = await keys.listed(database)
    assert listed.revoked_at == AT


async def test_an_account_rules_its_own_keys_alone(database: Database) -> None:
    await accounts.create(database, "u1", AT)
    theirs = await keys.make(database, "ci", Scope.ADMIN, None, AT)
    own = await keys.make(database, "laptop", Scope.USER, "u1", AT)
    assert await keys.listed(database, "u1") == [own.key]
    with pytest.raises(UnknownKey):
        await keys.revoke(database, theirs.key.id, AT, "u1")


@pytest.mark.parametrize(
    ("name", "scope", "account_uid", "refusal"),
    [
        ("", Scope.ADMIN, None, Invalid),
        ("x" * 101, Scope.ADMIN, None, Invalid),
        ("a\nb", Scope.ADMIN, None, Invalid),
        ("ci", Scope.USER, None, Invalid),
        ("ci", Scope.SERVICE, "u1", Invalid),
        ("ci", Scope.USER, "nobody", UnknownAccount),
    ],
)
async def test_a_key_that_makes_no_sense_is_not_made(
    database: Database, name: str, scope: Scope, account_uid: str | None, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await keys.make(database, name, scope, account_uid, AT)
    assert await keys.listed(database) == []
