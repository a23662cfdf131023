"""The deployment: which installation of prepaid this database belongs to."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.storage.tables import deployment


async def own(connection: AsyncConnection) -> UUID:
    """This installation's id, made with the database."""
    own_id: UUID = (await connection.execute(select(deployment.c.id))).scalar_one()
    return own_id
