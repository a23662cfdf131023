"""Rows as the drivers themselves give and take them, where no statement of SQLAlchemy's is in
between: the types of the tables' columns still say how each value is written."""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Dialect

_Turned = Callable[[Any], Any]


class Rows:
    """Rows of some columns of a table, in order, in one dialect."""

    def __init__(self, columns: Sequence[Any], dialect: Dialect) -> None:
        names = [one.name for one in columns]
        types = [one.type.dialect_impl(dialect) for one in columns]
        self._from = f"{', '.join(map(_quoted, names))} FROM {_quoted(columns[0].table.name)}"
        self._row: Any = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024 - see table
        self._read = [one.result_processor(dialect, None) or _same for one in types]

    def where(self, condition: str) -> str:
        """The statement that finds the rows of which this is true."""
        return f"SELECT {self._from} WHERE {condition}"

    def read(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """The rows, with values by name, as SQLAlchemy would give them."""
        turned = [[turn(one) for turn, one in zip(self._read, row, strict=True)] for row in rows]
        return [self._row(*row) for row in turned]


def _same(value: Any) -> Any:
    return value


def _quoted(name: str) -> str:
    return f'"{name}"'
