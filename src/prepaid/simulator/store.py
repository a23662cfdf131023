"""The account's memory: one SQLite file, written before any answer is given.

Stripe's objects are kept as the JSON they are. What Stripe knows of an object and doesn't tell (a
session's line items, the card behind a payment method) is kept beside it as ``hidden``.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prepaid.simulator.shapes import Json

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    kept_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pending', 'held', 'waiting', 'delivered', 'failed', 'lost')),
    due REAL NOT NULL,
    copies INTEGER NOT NULL DEFAULT 1,
    tries TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, due);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS later (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    due REAL NOT NULL,
    job TEXT NOT NULL,
    object TEXT NOT NULL
);
"""


class Store:
    """One account's objects. It is used by one thread, one transaction at a time."""

    def __init__(self, path: str) -> None:
        self.sql = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = NORMAL")
        self.sql.executescript(_TABLES)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is done inside, or nothing of it."""
        self.sql.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.sql.execute("ROLLBACK")
            raise
        self.sql.execute("COMMIT")

    def add(self, thing: Json, hidden: Json | None = None) -> Json:
        """Keep a new object under its id."""
        self.sql.execute(
            "INSERT INTO objects (id, kind, body, hidden) VALUES (?, ?, ?, ?)",
            (thing["id"], thing["object"], json.dumps(thing), json.dumps(hidden or {})),
        )
        return thing

    def get(self, key: str, kind: str | None = None) -> Json | None:
        """Give the object with this id, if it is of this kind."""
        row = self.sql.execute("SELECT body, kind FROM objects WHERE id = ?", (key,)).fetchone()
        return json.loads(row[0]) if row and kind in {None, row[1]} else None

    def hidden(self, key: str) -> Json:
        """Give what is kept beside an object."""
        row = self.sql.execute("SELECT hidden FROM objects WHERE id = ?", (key,)).fetchone()
        return json.loads(row[0]) if row else {}

    def put(self, thing: Json, hidden: Json | None = None) -> Json:
        """Replace an object that is there already, and what is beside it if that is given."""
        self.sql.execute(
            "UPDATE objects SET body = ?, hidden = coalesce(?, hidden) WHERE id = ?",
            (json.dumps(thing), None if hidden is None else json.dumps(hidden), thing["id"]),
        )
        return thing

    def newest_first(
        self, kind: str, where: str = "1", values: Sequence[object] = ()
    ) -> list[Json]:
        """Give the objects of a kind that fit, the newest first. ``where`` is our own SQL."""
        found = self.sql.execute(
            f"SELECT body FROM objects WHERE kind = ? AND ({where}) ORDER BY seq DESC",  # noqa: S608
            (kind, *values),
        )
        return [json.loads(row[0]) for row in found]

    def page(  # noqa: PLR0913 - what a page of a list is made of
        self,
        kind: str,
        where: str,
        values: Sequence[object],
        *,
        limit: int,
        after: str | None,
        before: str | None,
    ) -> tuple[list[Json], bool]:
        """Give one page, the newest first, and whether there is more in the direction of travel."""
        edge, order = ("seq > ?", "ASC") if before else ("seq < ?", "DESC")
        cursor = before or after
        at = [self._seq(cursor)] if cursor else []
        found = self.sql.execute(
            f"SELECT body FROM objects WHERE kind = ? AND ({where})"  # noqa: S608 - our own SQL
            f" AND {edge if at else '1'} ORDER BY seq {order} LIMIT ?",
            (kind, *values, *at, limit + 1),
        ).fetchall()
        things = [json.loads(row[0]) for row in found[:limit]]
        return things[::-1] if before else things, len(found) > limit

    def clear(self) -> None:
        """Forget everything."""
        for table in ("objects", "idempotency", "deliveries", "later"):
            self.sql.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own

    def close(self) -> None:
        """Close the file."""
        self.sql.close()

    def _seq(self, key: str) -> int:
        row = self.sql.execute("SELECT seq FROM objects WHERE id = ?", (key,)).fetchone()
        return row[0] if row else 0
