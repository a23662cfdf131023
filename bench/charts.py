"""Charts of a run, as SVG that reads well on light pages and on dark ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from bench.figures import Figures, medians, written
from bench.results import Run

WIDTH = 760
LEFT = 300
RIGHT = 110
TOP = 58
STEP = 26
THICK = 16

CHARTS = (
    ("throughput.svg", "Durable debits a second"),
    ("latency.svg", "How long one takes, in microseconds"),
)

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.soft { fill: #59636e }
.ours { fill: #0969da }
.theirs { fill: #8c959f }
.range { stroke: #1f2328; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .soft { fill: #9198a1 }
  .ours { fill: #4493f8 }
  .theirs { fill: #6e7681 }
  .range { stroke: #e6edf3 }
}
"""

THROUGHPUT = (
    ("PostgreSQL itself, 1 client", "pgbench_1.rate"),
    ("PostgreSQL itself, 8 clients", "pgbench_8.rate"),
    ("PostgreSQL itself, 32 clients", "pgbench_32.rate"),
    ("PostgreSQL itself, 64 clients", "pgbench_64.rate"),
    ("PostgreSQL itself, 32 clients, one account", "pgbench_hot_32.rate"),
    ("charges, 1 connection", "charges_1.rate"),
    ("charges, 32 connections", "charges_32.rate"),
    ("charges, 128 connections", "charges_128.rate"),
    ("charges, 128 connections, one account", "hot_128.rate"),
    ("charges on SQLite, 128 connections", "sqlite_128.rate"),
    ("charges, 1,000 in a POST", "batches_1000.rate"),
    ("webhooks, 128 connections", "webhooks_128.rate"),
)

LATENCY = (
    ("PostgreSQL itself, 1 client, p50", "pgbench_1.p50"),
    ("a charge, 1 connection, p50", "charges_1.p50"),
    ("a charge, 1 connection, p99", "charges_1.p99"),
    ("a charge, 32 connections, p50", "charges_32.p50"),
    ("a charge, 32 connections, p99", "charges_32.p99"),
    ("a charge, 128 connections, p50", "charges_128.p50"),
    ("a charge, 128 connections, p99", "charges_128.p99"),
    ("a charge at 70 % of that load, p50", "charges_open.p50"),
    ("a charge at 70 % of that load, p99", "charges_open.p99"),
    ("a heartbeat of 10,000, p99", "heartbeats.p99"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure of all rounds: its median, and from where to where it went."""

    label: str
    value: float
    least: float
    most: float
    is_ours: bool


def draw(run: Run, folder: Path) -> None:
    """Writes the charts of a run into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for (name, title), (rows, of) in zip(
        CHARTS, ((THROUGHPUT, "/s"), (LATENCY, "µs")), strict=True
    ):
        (folder / name).write_text(chart(title, bars(run.rounds, rows), of))


def bars(rounds: Sequence[Figures], rows: Sequence[tuple[str, str]]) -> list[Bar]:
    """The figures that there are, in the order of the rows."""
    middle, made = medians(rounds), []
    for label, name in rows:
        if name in middle:
            all_ = [one[name] for one in rounds if name in one]
            ours = not name.startswith("pgbench")
            made.append(Bar(label, middle[name], min(all_), max(all_), ours))
    return made


def chart(title: str, made: Sequence[Bar], of: str) -> str:
    """Bars with their figures; the thin line goes from the least round to the most."""
    height = TOP + STEP * len(made) + 12
    inner = "\n".join(_inside(made, of))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" \
width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">
<style>{STYLE}</style>
<text class="title" x="8" y="24">{escape(title)}</text>
<text class="soft" x="8" y="44">Medians; the thin line goes from the least round to the most.</text>
{inner}
</svg>
"""


def _inside(made: Sequence[Bar], of: str) -> Iterator[str]:
    longest = max((one.most for one in made), default=1.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / longest
    for number, one in enumerate(made):
        yield from _bar(one, TOP + number * STEP, scale, of)


def _bar(one: Bar, top: int, scale: float, of: str) -> Iterator[str]:
    middle, text = top + THICK // 2, top + THICK - 4
    end = LEFT + max(one.most, one.value) * scale + 8
    kind = "ours" if one.is_ours else "theirs"
    yield f'<text x="{LEFT - 10}" y="{text}" text-anchor="end">{escape(one.label)}</text>'
    yield (
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{one.value * scale:.1f}" '
        f'height="{THICK}" rx="2"/>'
    )
    yield (
        f'<line class="range" x1="{LEFT + one.least * scale:.1f}" y1="{middle}" '
        f'x2="{LEFT + one.most * scale:.1f}" y2="{middle}"/>'
    )
    yield f'<text x="{end:.1f}" y="{text}">{escape(written(one.value, of))}</text>'
