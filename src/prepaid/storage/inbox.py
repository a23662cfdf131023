"""The inbox: every event about a checkout of ours, once, with what became of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, tuple_
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
    account_uid: str | None
    at: datetime

    @property
    def place(self) -> "Place":
        """Where it stands among all, newest first."""
        return Place(self.at, self.event_id)


class Place(NamedTuple):
    """A place in the inbox. What was judged again stands where it was then."""

    at: datetime
    event_id: str


async def verdicts(connection: AsyncConnection, event_ids: Collection[str]) -> dict[str, Verdict]:
    """What became of those of these events that came before."""
    if not event_ids:
        return {}
    rows = await connection.execute(
        select(inbox.c.event_id, inbox.c.verdict).where(inbox.c.event_id.in_(event_ids))
    )
    return {row.event_id: Verdict(row.verdict) for row in rows}


async def keep(
    connection: AsyncConnection, letters: Iterable[tuple[Tell, Told, str | None]], at: datetime
) -> None:
    """Writes events down; one that was quarantined before gets its new verdict."""
    fresh = insert(inbox)
    await connection.execute(
        fresh.on_conflict_do_update(
            index_elements=["event_id"],
            set_={name: fresh.excluded[name] for name in ("verdict", "why", "account_uid", "at")},
            where=inbox.c.verdict == Verdict.QUARANTINED,
        ),
        [values_of(*letter, at) for letter in sorted(letters, key=_event_id)],
    )


async def quarantined(connection: AsyncConnection, limit: int) -> list[Letter]:
    """The newest events that are signed and didn't fit."""
    return await listed(connection, None, limit, Verdict.QUARANTINED)


async def listed(
    connection: AsyncConnection, before: Place | None, limit: int, verdict: Verdict | None = None
) -> list[Letter]:
    """Events, the newest first, beginning before one; of them, those with a verdict."""
    query = select(*_LISTED)
    if verdict is not None:
        query = query.where(inbox.c.verdict == verdict)
    if before is not None:
        query = query.where(tuple_(inbox.c.at, inbox.c.event_id) < before)
    query = query.order_by(inbox.c.at.desc(), inbox.c.event_id.desc()).limit(limit)
    return [_letter(row) for row in await connection.execute(query)]


async def find(connection: AsyncConnection, event_id: str) -> tuple[Letter, str] | None:
    """One event, and its payload as it came."""
    query = select(*_LISTED, inbox.c.payload).where(inbox.c.event_id == event_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (_letter(row), row.payload)


async def last_at(connection: AsyncConnection) -> datetime | None:
    """When the newest event came; None if none ever did."""
    at: datetime | None = (await connection.execute(select(func.max(inbox.c.at)))).scalar_one()
    return at


_LISTED = [inbox.c[one.name] for one in fields(Letter)]


def _letter(row: Any) -> Letter:  # a row, whatever else is in it
    said = {one.name: getattr(row, one.name) for one in fields(Letter)}
    return Letter(**said | {"verdict": Verdict(row.verdict)})


def _event_id(letter: tuple[Tell, Told, str | None]) -> str:
    """Rows are written in one order everywhere: two processes must not wait for each other's."""
    return letter[0].event_id


def values_of(tell: Tell, told: Told, account_uid: str | None, at: datetime) -> dict[str, object]:
    """An event as its row has it, with what became of it and whose checkout it is about."""
    return {
        "event_id": tell.event_id,
        "type": tell.type,
        "verdict": told.verdict,
        "why": told.why,
        "session_id": tell.claim.session_id,
        "account_uid": account_uid,
        "payload": tell.payload,
        "at": at,
    }
