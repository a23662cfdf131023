"""Rows as the drivers themselves give and take them, where no statement of SQLAlchemy's is in
between: the types of the tables' columns still say how each value is written."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect

_Turned = Callable[[Any], Any]


class Rows:
    """Rows of some columns of a table, in order, in one dialect."""

    def __init__(self, columns: Sequence[Any], dialect: Dialect) -> None:
        self._names = names = [one.name for one in columns]
        types = [one.type.dialect_impl(dialect) for one in columns]
        self._table, self._named = columns[0].table.name, ", ".join(map(_quoted, names))
        self._from = f"{self._named} FROM {_quoted(self._table)}"
        self._row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - see table
        self._read = [one.result_processor(dialect, None) or _same for one in types]
        self._write = [one.bind_processor(dialect) or _same for one in types]
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
        turns = [*zip(self._names, self._write, strict=True)]
        return [[turn(row[name]) for name, turn in turns] for row in rows]

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows, with values by name, as SQLAlchemy would give them."""
        turned = [[turn(one) for turn, one in zip(self._read, row, strict=True)] for row in rows]
        return [self._row(*row) for row in turned]


def _same(value: Any) -> Any:
    return value


def _quoted(name: str) -> str:
    return f'"{name}"'
