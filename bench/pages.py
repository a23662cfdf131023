"""The page that tells a run: its table is written by the bench, never by hand."""

from pathlib import Path

BEGIN = "<!-- bench: from here on written by python -m bench -->"
END = "<!-- bench: until here -->"


def fill(page: Path, table: str) -> None:
    """Writes the table between the page's two marks.

    Raises:
        ValueError: the page has no such marks.
    """
    page.write_text(filled(page.read_text(), table))


def filled(text: str, table: str) -> str:
    """The text of a page with the table between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"The page has no lines {BEGIN!r} and {END!r}, in this order.")
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
