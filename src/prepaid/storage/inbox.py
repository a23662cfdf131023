"""The inbox: every event about a checkout of ours, once, with what became of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite's dialect reads its ON CONFLICT too
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.commands import Tell, Told, Verdict
from prepaid.storage.tables import inbox


@dataclass(frozen=True, slots=True)
class Letter:
    """An event in the inbox, as an operator reads it."""

    event_id: str
    type: str
    verdict: Verdict
    why: str
    session_id: str
    at: datetime


async def verdicts(connection: AsyncConnection, event_ids: Collection[str]) -> dict[str, Verdict]:
    """What became of those of these events that came before."""
    if not event_ids:
        return {}
    rows = await connection.execute(
        select(inbox.c.event_id, inbox.c.verdict).where(inbox.c.event_id.in_(event_ids))
    )
    return {row.event_id: Verdict(row.verdict) for row in rows}


async def keep(
    connection: AsyncConnection, letters: Iterable[tuple[Tell, Told]], at: datetime
) -> None:
    """Writes events down; one that was quarantined before gets its new verdict."""
    fresh = insert(inbox)
    await connection.execute(
        fresh.on_conflict_do_update(
            index_elements=["event_id"],
            set_={name: fresh.excluded[name] for name in ("verdict", "why", "account_uid", "at")},
            where=inbox.c.verdict == Verdict.QUARANTINED,
        ),
        [_values(tell, told, at) for tell, told in sorted(letters, key=_event_id)],
    )


async def quarantined(connection: AsyncConnection, limit: int) -> list[Letter]:
    """The newest events that are signed and didn't fit."""
    rows = await connection.execute(
        select(inbox)
        .where(inbox.c.verdict == Verdict.QUARANTINED)
        .order_by(inbox.c.at.desc())
        .limit(limit)
    )
    return [
        Letter(row.event_id, row.type, Verdict(row.verdict), row.why, row.session_id, row.at)
        for row in rows
    ]


async def last_at(connection: AsyncConnection) -> datetime | None:
    """When the newest event came; None if none ever did."""
    at: datetime | None = (await connection.execute(select(func.max(inbox.c.at)))).scalar_one()
    return at


def _event_id(letter: tuple[Tell, Told]) -> str:
    """Rows are written in one order everywhere: two processes must not wait for each other's."""
    return letter[0].event_id


def _values(tell: Tell, told: Told, at: datetime) -> dict[str, object]:
    return {
        "event_id": tell.event_id,
        "type": tell.type,
        "verdict": told.verdict,
        "why": told.why,
        "session_id": tell.claim.session_id,
        "account_uid": tell.account_uid,
        "payload": tell.payload,
        "at": at,
    }
