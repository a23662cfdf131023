"""API keys: made, told once, found again, ended."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from prepaid.core.errors import Invalid, TooMany, UnknownAccount, UnknownKey
from prepaid.core.identity import Scope
from prepaid.ids import new_id
from prepaid.storage import accounts, api_keys
from prepaid.storage.api_keys import ApiKey
from prepaid.storage.database import Database
from prepaid.storage.key_finder import KeyFinder

PREFIX = "prepaid_"
"""How a key begins, so that people and secret scanners know one when they see it."""

LONGEST_NAME = 100

MOST_KEYS = 100
"""Live keys of one account: more are no use to a person."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is told now and never again."""

    key: ApiKey
    secret: str


async def make(
    database: Database, name: str, scope: Scope, account_uid: str | None, at: datetime
) -> NewKey:
    """A new key. One of scope user acts for an account, the others for the platform.

    Raises:
        Invalid: it has no name, or an account where there should be none, or the reverse.
        UnknownAccount: there is no such account.
    """
    _check(name, scope, account_uid)
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(new_id(), name, scope, account_uid, at, None)
    async with database.writing() as connection:
        if account_uid is not None:
            if not await accounts.lock(connection, [account_uid]):
                raise UnknownAccount(account_uid)
            if await api_keys.live(connection, account_uid) >= MOST_KEYS:
                raise TooMany(f"The account has {MOST_KEYS} keys already: revoke one first.")
        await api_keys.add(connection, key, hash_of(secret))
    return NewKey(key, secret)


async def found(finder: KeyFinder, secret: str) -> ApiKey | None:
    """The key with this secret; None if there is none, or it was revoked."""
    return await finder.find(hash_of(secret))


async def listed(database: Database, account_uid: str | None = None) -> list[ApiKey]:
    """All keys, or an account's."""
    async with database.reading() as connection:
        return await api_keys.listed(connection, account_uid)


async def revoke(
    database: Database, key_id: UUID, at: datetime, account_uid: str | None = None
) -> None:
    """Ends a key at once. With an account, only if the key is that account's.

    Raises:
        UnknownKey: there is none.
    """
    async with database.writing() as connection:
        known = await api_keys.revoke(connection, key_id, account_uid, at)
    if not known:
        raise UnknownKey(f"There is no API key {key_id}.")


def hash_of(secret: str) -> bytes:
    """What is stored of a key. A fast hash will do: the secret has 256 random bits."""
    return sha256(secret.encode()).digest()


def _check(name: str, scope: Scope, account_uid: str | None) -> None:
    if not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A key's name is 1 to {LONGEST_NAME} printable characters.")
    if (scope is Scope.USER) != (account_uid is not None):
        raise Invalid("A key of scope user needs an account_uid, and no other has one.")
