"""What is open is found without going through what has ended: there is ever more of that."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.storage import reservations
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (lambda connection: reservations.due(connection, AT, 5), "ix_reservations_due"),
        (lambda connection: reservations.open_ones(connection, ["ada"]), "ix_reservations_open"),
    ],
    ids=["due", "open_ones"],
)
async def test_sqlite_looks_for_open_reservations_in_an_index_that_has_only_those(
    asked: Callable[[AsyncConnection], Awaitable[object]], index: str, migrated_sqlite: Path
) -> None:
    database = Database(f"sqlite+aiosqlite:///{migrated_sqlite}")
    said: list[tuple[str, Any]] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", _keep(said))
    async with database.reading() as connection:
        await asked(connection)
        statement, parameters = said[-1]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [str(row.detail) for row in plan]
    await database.close()
    assert len(steps) == 1
    assert steps[0].startswith(f"SEARCH reservations USING INDEX {index} ")


def _keep(said: list[tuple[str, Any]]) -> Callable[..., None]:
    def keep(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        said.append((statement, parameters))

    return keep
