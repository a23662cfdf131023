"""What is open is found without going through what has ended: there is ever more of that."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.ids import new_id
from prepaid.storage import burning, reservations
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("uid", [None, "ada"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda connection, _: reservations.due(connection, AT, (AT, new_id()), 5),
        lambda connection, uid: reservations.open_ones(connection, [uid]),
        burning.in_all,
        lambda connection, uid: burning.of_accounts(connection, uid, 5),
        lambda connection, uid: burning.busiest(connection, uid, 5),
        lambda connection, uid: burning.first_out(connection, [uid]),
        lambda connection, uid: burning.newest(connection, uid, None, 5),
        lambda connection, uid: burning.newest(connection, uid, new_id(), 5),
    ],
    ids=[
        *("due", "open_ones", "in_all", "of_accounts", "busiest", "first_out"),
        *("newest", "newest_before"),
    ],
)
async def test_sqlite_asks_an_index_that_has_open_reservations_alone(
    ask: Callable[[AsyncConnection, str | None], Awaitable[object]],
    uid: str | None,
    migrated_sqlite: Path,
) -> None:
    database = Database(f"sqlite+aiosqlite:///{migrated_sqlite}")
    said: list[tuple[str, Any]] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", _keep(said))
    async with database.reading() as connection:
        await ask(connection, uid)
        statement, parameters = said[-1]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [str(row.detail) for row in plan]
    await database.close()
    (look,) = [step for step in steps if " reservations" in step]
    assert re.search(r" USING (COVERING )?INDEX ix_reservations_(open|due)\b", look), steps


def _keep(said: list[tuple[str, Any]]) -> Callable[..., None]:
    def keep(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        said.append((statement, parameters))

    return keep
