"""What is open, has something left, or has a key, is found without going through all that has
ended: there is ever more of that. And what changes with each charge is in no index."""

import re
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.amounts import Credits
from prepaid.core.books import Account
from prepaid.core.checkouts import State
from prepaid.core.commands import Verdict
from prepaid.core.entries import Kind
from prepaid.core.filters import CheckoutFilter
from prepaid.core.grants import PRIORITY, Grant
from prepaid.core.reservations import Reservation
from prepaid.ids import new_id
from prepaid.storage import (
    accounts,
    burning,
    checkouts,
    entries,
    grants,
    inbox,
    reservations,
    totals,
)
from prepaid.storage.database import Database
from prepaid.storage.express_sqlite import CHANGE_ACCOUNT, DRAW
from prepaid.storage.inbox import Place

AT = datetime(2026, 11, 23, tzinfo=UTC)
FIVE = Credits.of(5)
GRANT = Grant("ada", new_id(), Kind.PROMOTION, PRIORITY[Kind.PROMOTION], FIVE, FIVE, None, AT, AT)


def _last_opened(
    connection: AsyncConnection, keys: set[tuple[str, str]]
) -> Awaitable[list[Reservation]]:
    return reservations.named(connection, [], keys)


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
    steps = await planned(migrated_sqlite, lambda connection: ask(connection, uid))
    (look,) = [step for step in steps if " reservations" in step]
    assert re.search(r" USING (COVERING )?INDEX ix_reservations_(open|due)\b", look), steps


@pytest.mark.parametrize("ask", [entries.recorded, _last_opened], ids=["entries", "reservations"])
async def test_sqlite_asks_an_index_for_many_keys_too(
    ask: Callable[[AsyncConnection, set[tuple[str, str]]], Awaitable[object]],
    migrated_sqlite: Path,
) -> None:
    keys = {("ada", "1"), ("ada", "2"), ("bob", "1")}
    steps = await planned(migrated_sqlite, lambda connection: ask(connection, keys))
    assert not [step for step in steps if step.startswith("SCAN")], steps


async def test_sqlite_asks_an_index_that_has_unspent_grants_alone(migrated_sqlite: Path) -> None:
    steps = await planned(migrated_sqlite, lambda connection: grants.spendable(connection, ["ada"]))
    assert steps == ["SEARCH grants USING INDEX ix_grants_spendable (account_uid=?)"]


async def test_sqlite_finds_what_is_due_by_its_time(migrated_sqlite: Path) -> None:
    steps = await planned(migrated_sqlite, lambda connection: grants.due(connection, AT, "", 5))
    assert [step for step in steps if " grants" in step and " USING " not in step] == []


CREDITED = CheckoutFilter(frozenset([State.CREDITED]))
PLACE = Place(AT, "evt_1")


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda connection: accounts.listed(connection, "", 5), "autoindex_accounts"),
        (lambda connection: accounts.listed(connection, "", 5, "ada"), "autoindex_names"),
        (lambda connection: checkouts.listed(connection, None, None, 5), "autoindex_checkouts"),
        (lambda connection: checkouts.listed(connection, "ada", None, 5), "checkouts_account"),
        (
            lambda connection: checkouts.listed(connection, None, new_id(), 5, CREDITED),
            "checkouts_state",
        ),
        (lambda connection: inbox.listed(connection, None, 5), "inbox_at"),
        (lambda connection: inbox.listed(connection, PLACE, 5), "inbox_at"),
        (
            lambda connection: inbox.listed(connection, PLACE, 5, Verdict.QUARANTINED),
            "inbox_verdict",
        ),
        (totals.taken, "entries_taken"),
    ],
    ids=[
        *("accounts", "accounts by name", "checkouts", "checkouts of an account"),
        *("checkouts in a state", "events", "older events", "events in quarantine"),
        "what was taken back",
    ],
)
async def test_what_an_operator_lists_is_read_in_the_order_of_an_index(
    ask: Callable[[AsyncConnection], Awaitable[object]], index: str, migrated_sqlite: Path
) -> None:
    """Nothing is sorted but the names that are found."""
    steps = await planned(migrated_sqlite, ask)
    assert [step for step in steps if index in step], steps
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    assert sorts == [] or index == "autoindex_names", steps


async def test_a_charge_makes_postgresql_touch_no_index_of_accounts_and_grants(
    on_postgresql: str,
) -> None:
    database = Database(on_postgresql)
    async with database.writing() as connection:
        await accounts.add(connection, "ada", AT)
        await grants.add(connection, [GRANT])
    async with database.writing() as connection:
        await accounts.save(connection, [Account("ada", Credits.of(4), 1)])
        await grants.save(connection, [GRANT.left_with(Credits.of(4))])
        updates = text("SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables")
        told = {row.relname: (row[1], row[2]) for row in await connection.execute(updates)}
    await database.close()
    assert told["accounts"] == told["grants"] == (1, 1)


@pytest.mark.parametrize("statement", [CHANGE_ACCOUNT, DRAW])
def test_a_charge_makes_sqlite_touch_no_index_of_accounts_and_grants(
    migrated_sqlite: Path, statement: str
) -> None:
    with closing(sqlite3.connect(migrated_sqlite)) as connection:
        values = [1] * statement.count("?")
        steps = connection.execute(f"EXPLAIN {statement}", values).fetchall()
    assert {step[1] for step in steps} & {"Insert", "IdxInsert", "IdxDelete"} == {"Insert"}


async def planned(file: Path, ask: Callable[[AsyncConnection], Awaitable[object]]) -> list[str]:
    """How SQLite goes about the last statement of what is asked."""
    database = Database(f"sqlite+aiosqlite:///{file}")
    said: list[tuple[str, Any]] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", _keep(said))
    async with database.reading() as connection:
        await ask(connection)
        statement, parameters = said[-1]
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [str(row.detail) for row in plan]
    await database.close()
    return steps


def _keep(said: list[tuple[str, Any]]) -> Callable[..., None]:
    def keep(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        said.append((statement, parameters))

    return keep
