"""The pulse: which process sweeps, and since when the service has been there."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.pulses import Pulse
from prepaid.storage.dues import PULSE
from prepaid.storage.tables import pulse


async def read(connection: AsyncConnection) -> Pulse:
    """The service's last sign of life."""
    return Pulse(*(await connection.execute(_PULSE)).one())


async def lock(connection: AsyncConnection) -> Pulse:
    """The same, for who is about to write it."""
    return Pulse(*(await connection.execute(_PULSE.with_for_update())).one())


async def save(connection: AsyncConnection, beat: Pulse) -> None:
    """A sign of life."""
    await connection.execute(
        update(pulse).values(at=beat.at, holder=beat.holder, renewed_at=beat.renewed_at)
    )


_PULSE = select(*PULSE)
