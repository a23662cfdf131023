"""A run told: as text, on a page, as charts, in a file."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from bench import charts, pages, results, table
from bench.gates import BOOKS, Gate
from bench.results import Machine, Run

SVG = "{http://www.w3.org/2000/svg}"

RUN = Run(
    began=datetime(2026, 11, 24, 5, 0, tzinfo=UTC),
    seconds=600.0,
    seed=7,
    quick=False,
    entries=10_000_000,
    machine=Machine(2, "3.11.7", "Linux", "PostgreSQL 15.18, the system's", "wrk", "ext4", {}),
    rounds=[
        {f"pgbench_{clients}.rate": clients * 250.0 for clients in (1, 8, 32, 64)}
        | {"charges_128.rate": rate, "batches_1000.rate": 40_000.0, "charges_128.p50": 6_000.0}
        for rate in (24_000.0, 16_000.0, 20_000.0)
    ],
    gates=[Gate(BOOKS, 3, "")],
)
VOID = msgspec.structs.replace(RUN, gates=[Gate(BOOKS, 3, "run: 1 accounts don't add up")])


def test_the_table_has_median_least_and_most_and_whether_the_goal_is_met() -> None:
    rows = [re.split(" {2,}", line) for line in table.text(RUN).splitlines()]
    assert next(row for row in rows if row[0].startswith("single"))[1:] == [
        *("≥ 1.2", "1.25", "1.00", "1.50", "yes")
    ]
    assert "not measured" in table.text(RUN)


def test_a_page_has_the_same_in_tables() -> None:
    lines = table.markdown(RUN).splitlines()
    assert "| what | goal | median | least | most | met |" in lines
    assert "| charges_128.rate | 20,000/s |" in lines
    assert {line.count("|") for line in lines if line.startswith("| single")} == {7}


def test_a_run_whose_books_are_wrong_is_void() -> None:
    assert table.verdict(RUN).startswith("1 of 2 goals met; 12 not")
    assert table.verdict(VOID).startswith("VOID")
    assert "FAILED: every balance" in table.text(VOID)


def test_what_is_kept_of_a_run_is_the_run(tmp_path: Path) -> None:
    file = tmp_path / "runs" / "run.json"
    results.keep(RUN, file)
    assert results.kept(file) == RUN


def test_a_page_is_filled_between_its_marks_however_often() -> None:
    page = f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n"
    once = pages.filled(page, "new")
    assert once == f"before\n{pages.BEGIN}\n\nnew\n\n{pages.END}\nafter\n"
    assert pages.filled(once, "new") == once


def test_a_page_shows_the_charts_that_were_drawn(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{pages.BEGIN}{pages.END}")
    charts.draw(RUN, tmp_path / "drawn")
    pages.fill(page, table.markdown(RUN), tmp_path / "drawn")
    shown = re.findall(r"^!\[.*?\]\((.*?)\)$", page.read_text(), re.MULTILINE)
    assert len(shown) == 2
    assert all((tmp_path / name).exists() for name in shown)


@pytest.mark.parametrize("page", ["", pages.BEGIN, pages.END, f"{pages.END}{pages.BEGIN}"])
def test_a_page_without_its_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="has no lines"):
        pages.filled(page, "new")


def test_a_chart_has_a_bar_as_long_as_its_figure_and_a_line_over_its_rounds(
    tmp_path: Path,
) -> None:
    charts.draw(RUN, tmp_path)
    drawn = ET.fromstring((tmp_path / "throughput.svg").read_text())  # noqa: S314 - we drew it
    widths = [float(bar.get("width", "")) for bar in drawn.iter(f"{SVG}rect")]
    full = charts.WIDTH - charts.LEFT - charts.RIGHT
    assert widths[-1] == full  # the batches, at 40,000
    assert widths[-2] == full / 2  # the charges, at 20,000 in the middle
    line = [*drawn.iter(f"{SVG}line")][-2]
    ends = [float(line.get(end, "")) - charts.LEFT for end in ("x1", "x2")]
    assert ends == [full * 0.4, full * 0.6]
    assert "20,000/s" in [text.text for text in drawn.iter(f"{SVG}text")]


def test_a_chart_of_nothing_is_still_one(tmp_path: Path) -> None:
    charts.draw(msgspec.structs.replace(RUN, rounds=[{}]), tmp_path)
    drawn = ET.fromstring((tmp_path / "latency.svg").read_text())  # noqa: S314 - we drew it
    assert [*drawn.iter(f"{SVG}rect")] == []
