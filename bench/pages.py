"""The page that tells a run: its table is written by the bench, never by hand."""

from pathlib import Path

from bench.charts import CHARTS

BEGIN = "<!-- bench: from here on written by python -m bench -->"
END = "<!-- bench: until here -->"


def fill(page: Path, tables: str, drawn: Path | None = None) -> None:
    """Writes the tables between the page's two marks, and the charts of a folder before them.

    Raises:
        ValueError: the page has no such marks.
    """
    shown = [_shown(page, drawn / name, title) for name, title in CHARTS] if drawn else []
    page.write_text(filled(page.read_text(), "\n".join([*shown, tables])))


def filled(text: str, table: str) -> str:
    """The text of a page with the table between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"The page has no lines {BEGIN!r} and {END!r}, in this order.")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _shown(page: Path, chart: Path, title: str) -> str:
    place = chart.resolve().relative_to(page.resolve().parent).as_posix()
    return f"![{title}]({place})\n"
