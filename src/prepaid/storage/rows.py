"""Rows as the drivers themselves give and take them, where no statement of SQLAlchemy's is in
between: the types of the tables' columns still say how each value is written."""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect

from prepaid.storage.tables import Instant, Micro


class Rows:
    """Rows of some columns of a table, in order, in one dialect."""

    def __init__(self, columns: Sequence[Any], dialect: Dialect) -> None:
        self._names = names = [one.name for one in columns]
        types = [one.type.dialect_impl(dialect) for one in columns]
        ours = [one.type if isinstance(one.type, Instant | Micro) else None for one in columns]
        self._table, self._named = columns[0].table.name, ", ".join(map(_quoted, names))
        self._from = f"{self._named} FROM {_quoted(self._table)}"
        self._row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - see table
        self._read = [
            (place, turn)
            for place, (own, one) in enumerate(zip(ours, types, strict=True))
            if (turn := own.meant if own else one.result_processor(dialect, None))
        ]
        self._write = [
            (name, own.kept if own else one.bind_processor(dialect))
            for name, own, one in zip(names, ours, types, strict=True)
        ]
        # Without its length: a cast to VARCHAR(20) would cut off what is longer, and say nothing.
        self._kinds = [one.compile(dialect).partition("(")[0] for one in types]

    @property
    def columns(self) -> str:
        """What a statement selects to find them, where it speaks of other tables too."""
        return ", ".join(f"{_quoted(self._table)}.{_quoted(name)}" for name in self._names)

    def where(self, condition: str) -> str:
        """The statement that finds the rows of which this is true."""
        return f"SELECT {self._from} WHERE {condition}"

    def into(self, source: str) -> str:
        """The statement that writes the rows of a source, whose columns are these."""
        return f"INSERT INTO {_quoted(self._table)} ({self._named}) {source}"

    @property
    def width(self) -> int:
        """How many values a row has."""
        return len(self._names)

    def listed(self, first: int) -> str:
        """Rows that PostgreSQL is given column by column, in parameters from this one on."""
        lists = [f"${place}::{kind}[]" for place, kind in enumerate(self._kinds, first)]
        return f"SELECT * FROM unnest({', '.join(lists)}) AS listed"  # noqa: S608 - types of our own

    @property
    def marks(self) -> str:
        """A question mark for each value of a row, as SQLite has them."""
        return ", ".join("?" for _ in self._names)

    def written(self, rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        """Rows as the driver takes them, from their values by name."""
        return [
            [row[name] if turn is None else turn(row[name]) for name, turn in self._write]
            for row in rows
        ]

    def columns_written(self, rows: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        """The same, column by column."""
        rows = [*rows]
        return [
            [row[name] for row in rows] if turn is None else [turn(row[name]) for row in rows]
            for name, turn in self._write
        ]

    def read(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """The rows, with values by name, as SQLAlchemy would give them."""
        return [self._row(*self._turned(row)) for row in rows]

    def _turned(self, row: Sequence[Any]) -> list[Any]:
        values = [*row]
        for place, turn in self._read:
            values[place] = turn(values[place])
        return values


def _quoted(name: str) -> str:
    return f'"{name}"'
