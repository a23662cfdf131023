"""Tables that fit: with less room they have fewer columns, and lose nothing of what stays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from prepaid.cli.reports import plain

NARROWEST = 8
"""Characters of the first column that are left wherever possible."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """A column: what it is called, and what it says of a row.

    It is shown on terminals of `least` columns or more. `words` begin at its left, numbers end at
    its right. What is `whole` is never broken: somebody will want to copy it.
    """

    name: str
    cell: Callable[[T], object]
    least: int = 0
    words: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """A table. If it is to be `cut`, each row is one line, and the first column takes the room
    that the others leave."""

    rows: Sequence[T]
    columns: Sequence[Column[T]]
    cut: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draws it."""
        del console
        shown = [one for one in self.columns if one.least <= options.max_width]
        made = Table(box=None, header_style="bold", padding=(0, 2, 0, 0), expand=self.cut)
        for place, one in enumerate(shown):
            made.add_column(
                one.name,
                justify="left" if one.words else "right",
                overflow="ellipsis" if self.cut else "fold",
                no_wrap=self.cut or one.whole,
                ratio=1 if self.cut and place == 0 else None,
                min_width=NARROWEST if place == 0 else None,
            )
        for row in self.rows:
            made.add_row(*(self._text(one.cell(row)) for one in shown))
        yield made

    def _text(self, cell: object) -> Text:
        if isinstance(cell, Text):
            return cell
        text = plain(cell)
        text.overflow = "ellipsis" if self.cut else "fold"
        return text
