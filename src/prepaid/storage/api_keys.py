"""API keys made here. Only a hash of each is kept, by which `storage/key_finder.py` finds them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.identity import Scope
from prepaid.storage.tables import api_keys


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never the secret. `account_uid` is None unless it is a user's."""

    id: UUID
    name: str
    scope: Scope
    account_uid: str | None
    created_at: datetime
    revoked_at: datetime | None


async def add(connection: AsyncConnection, key: ApiKey, secret_hash: bytes) -> None:
    """Keeps a new key."""
    await connection.execute(
        insert(api_keys).values(
            id=key.id,
            name=key.name,
            scope=key.scope,
            account_uid=key.account_uid,
            hash=secret_hash,
            created_at=key.created_at,
        )
    )


async def listed(connection: AsyncConnection, account_uid: str | None) -> list[ApiKey]:
    """All keys, or an account's, oldest first."""
    query = select(api_keys).where(_owned(account_uid)).order_by(api_keys.c.id)
    return [api_key(row) for row in await connection.execute(query)]


async def live(connection: AsyncConnection, account_uid: str) -> int:
    """How many keys of an account are not revoked."""
    mine = (api_keys.c.account_uid == account_uid, api_keys.c.revoked_at.is_(None))
    counted = await connection.execute(select(func.count()).select_from(api_keys).where(*mine))
    return counted.scalar_one()


async def revoke(
    connection: AsyncConnection, key_id: UUID, account_uid: str | None, at: datetime
) -> bool:
    """Ends a key for good, and keeps when it first was; says whether there is such a key, among
    an account's if one is given."""
    ended = func.coalesce(api_keys.c.revoked_at, literal(at, api_keys.c.revoked_at.type))
    found = await connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, _owned(account_uid))
        .values(revoked_at=ended)
    )
    return found.rowcount > 0


def _owned(account_uid: str | None) -> ColumnElement[bool]:
    return true() if account_uid is None else api_keys.c.account_uid == account_uid


def api_key(row: Row[Any]) -> ApiKey:
    """A row of the table."""
    return ApiKey(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        account_uid=row.account_uid,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
