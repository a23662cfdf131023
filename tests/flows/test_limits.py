"""What one account may have: a browser that asks for ever gets a refusal."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from prepaid.core.errors import TooMany, UnknownKey
from prepaid.core.identity import Scope
from prepaid.flows import accounts, keys
from prepaid.flows.keys import MOST_KEYS
from prepaid.ids import new_id
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    await accounts.create(opened, "ada", AT)
    yield opened
    await opened.close()


async def test_an_account_has_so_many_live_keys_and_no_more(database: Database) -> None:
    made = [
        await keys.make(database, f"key {number}", Scope.USER, "ada", AT)
        for number in range(MOST_KEYS)
    ]
    with pytest.raises(TooMany, match="revoke one"):
        await keys.make(database, "one more", Scope.USER, "ada", AT)
    await keys.revoke(database, made[0].key.id, AT, "ada")
    await keys.make(database, "one more", Scope.USER, "ada", AT)


async def test_revoking_again_keeps_when_it_first_was(database: Database) -> None:
    made = await keys.make(database, "ci", Scope.USER, "ada", AT)
    await keys.revoke(database, made.key.id, AT)
    await keys.revoke(database, made.key.id, AT.replace(year=2027))
    (listed,) = await keys.listed(database, "ada")
    assert listed.revoked_at == AT
    with pytest.raises(UnknownKey):
        await keys.revoke(database, new_id(), AT)
