"""Reservations: what runs, and what ran."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import fields
from sqlalchemy import (
    ColumnElement,
    Row,
    String,
    bindparam,
    insert,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.filters import EVERY, Filter
from prepaid.core.reservations import OPEN, Reservation, State
from prepaid.storage.tables import keyed, reservations

COLUMNS = [reservations.c[one.name] for one in fields(Reservation)]
_CHANGING = (
    *("state", "burning_rate", "limit", "reserved", "burnt", "burnt_rest", "rated_at", "beat_at"),
    *("due_at", "warned", "ended_at", "spent", "why"),
)
IS_OPEN = reservations.c.state.in_(
    [literal(one, String, literal_execute=True) for one in sorted(OPEN)]
)
"""Written out, as in the partial indexes: SQLite takes them for no condition with parameters."""

OPEN_STATES = ", ".join(f"'{state}'" for state in sorted(OPEN))
"""The same states, for statements that no SQLAlchemy makes."""


async def owners(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Whose these reservations are. That never changes."""
    if not ids:
        return {}
    rows = await connection.execute(
        select(reservations.c.id, reservations.c.account_uid).where(reservations.c.id.in_(ids))
    )
    return {row.id: row.account_uid for row in rows}


async def named(
    connection: AsyncConnection, ids: Collection[UUID], keys: Collection[tuple[str, str]]
) -> list[Reservation]:
    """The reservations with these ids, and the last epoch of each of these keys (account, key).

    They are locked, in the order in which the express way locks them: a heartbeat that claims no
    more than before changes its reservation alone, and so doesn't wait for the account's row.
    """
    wanted = list[ColumnElement[bool]]()
    if ids:
        wanted.append(reservations.c.id.in_(ids))
    if keys:
        wanted.append(keyed(reservations, keys))
    if not wanted:
        return []
    query = select(*COLUMNS).where(or_(*wanted)).order_by(reservations.c.id).with_for_update()
    found = [reservation_of(row) for row in await connection.execute(query)]
    epochs = sorted(found, key=lambda one: one.epoch)
    last = {(one.account_uid, one.key): one.id for one in epochs}
    opened = {last[key] for key in keys if key in last}
    return [one for one in found if one.id in ids or one.id in opened]


async def add(connection: AsyncConnection, opened: Iterable[Reservation]) -> None:
    """Writes new reservations."""
    values = [{column.name: getattr(one, column.name) for column in COLUMNS} for one in opened]
    await connection.execute(insert(reservations), values)


async def save(connection: AsyncConnection, changed: Iterable[Reservation]) -> None:
    """Writes what has become of reservations."""
    await connection.execute(
        update(reservations)
        .where(reservations.c.account_uid == bindparam("u"), reservations.c.id == bindparam("i"))
        .values({name: bindparam(f"new_{name}") for name in _CHANGING}),
        [
            {"u": one.account_uid, "i": one.id}
            | {f"new_{name}": getattr(one, name) for name in _CHANGING}
            for one in changed
        ],
    )


async def due(
    connection: AsyncConnection, at: datetime, after: tuple[datetime, UUID] | None, limit: int
) -> list[tuple[datetime, UUID]]:
    """Open reservations to which time does something by an instant, the earliest first, each
    with its own instant; beginning after one."""
    when_and_id = (reservations.c.due_at, reservations.c.id)
    query = select(*when_and_id).where(IS_OPEN, reservations.c.due_at <= at)
    if after is not None:
        query = query.where(tuple_(*when_and_id) > after)
    rows = await connection.execute(query.order_by(*when_and_id).limit(limit))
    return [(row.due_at, row.id) for row in rows]


async def find(connection: AsyncConnection, id_: UUID) -> Reservation | None:
    """One reservation."""
    row = await connection.execute(select(*COLUMNS).where(reservations.c.id == id_))
    found = row.one_or_none()
    return None if found is None else reservation_of(found)


async def open_ones(
    connection: AsyncConnection, uids: Collection[str]
) -> dict[str, list[Reservation]]:
    """The open reservations of these accounts, each account's the oldest first.

    They are sorted here: SQLite, asked for an order, would go through all that the account ever
    had, for an index that has that order.
    """
    held: dict[str, list[Reservation]] = {uid: [] for uid in uids}
    query = select(*COLUMNS).where(IS_OPEN, reservations.c.account_uid.in_(uids))
    for one in sorted(map(reservation_of, await connection.execute(query)), key=lambda one: one.id):
        held[one.account_uid].append(one)
    return held


async def listed(
    connection: AsyncConnection,
    account_uid: str | None,
    before: UUID | None,
    limit: int,
    wanted: Filter = EVERY,
) -> list[Reservation]:
    """An account's reservations that are wanted, or everybody's, the newest first, beginning
    before one."""
    query = select(*COLUMNS).where(*_true_of(wanted))
    if account_uid is not None:
        query = query.where(reservations.c.account_uid == account_uid)
    if before is not None:
        query = query.where(reservations.c.id < before)
    rows = await connection.execute(query.order_by(reservations.c.id.desc()).limit(limit))
    return [reservation_of(row) for row in rows]


async def given_names(
    connection: AsyncConnection, account_uid: str, resources: Collection[str]
) -> dict[tuple[str, str], str]:
    """What an account's resources (type, resource) were last called by their users, where they
    were called anything."""
    if not resources:
        return {}
    one = reservations.c
    query = (
        select(one.resource_type, one.resource, one.given_name)
        .where(one.account_uid == account_uid, one.resource.in_(resources), one.given_name != "")
        .order_by(one.id)
    )
    return {(type_, name): given for type_, name, given in await connection.execute(query)}


def _true_of(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield reservations.c.started_at >= wanted.since
    if wanted.until is not None:
        yield reservations.c.started_at < wanted.until
    if wanted.resource is not None:
        yield reservations.c.resource == wanted.resource
    if wanted.resource_type is not None:
        yield reservations.c.resource_type == wanted.resource_type


def reservation_of(row: Row[Any]) -> Reservation:
    """A reservation from its row."""
    return Reservation(**(row._asdict() | {"state": State(row.state)}))
