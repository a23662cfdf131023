"""API keys made here. Only a hash of each is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
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


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> ApiKey | None:
    """The key with this hash, unless it was revoked."""
    query = select(api_keys).where(api_keys.c.hash == secret_hash, api_keys.c.revoked_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _api_key(row)


async def listed(connection: AsyncConnection) -> list[ApiKey]:
    """All keys, oldest first."""
    rows = await connection.execute(select(api_keys).order_by(api_keys.c.id))
    return [_api_key(row) for row in rows]


async def revoke(connection: AsyncConnection, key_id: UUID, at: datetime) -> None:
    """Ends a key for good, and keeps when it first was."""
    await connection.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        account_uid=row.account_uid,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
