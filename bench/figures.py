"""What was measured, by name: `charges_128.rate`, and what each of them is in."""

from collections.abc import Mapping, Sequence
from statistics import median

Figures = dict[str, float]
"""The figures of one round. A part that wasn't run has none."""

UNITS = {
    "rate": "/s",
    "p50": "µs",
    "p99": "µs",
    "service_us": "µs",
    "database_us": "µs",
    "us": "µs",
    "percent": "%",
    "megabytes": "MB",
    "seconds": "s",
}


def unit(name: str) -> str:
    """What a figure is in, by the last word of its name."""
    return UNITS[name.rpartition(".")[2]]


def medians(rounds: Sequence[Mapping[str, float]]) -> Figures:
    """Each figure's median, over the rounds that have it; in the order in which they came."""
    names = dict.fromkeys(name for one in rounds for name in one)
    return {name: median(one[name] for one in rounds if name in one) for name in names}


def written(value: float, of: str) -> str:
    """A figure for people, with its unit."""
    digits = 0 if abs(value) >= 100 else 2 if abs(value) < 10 else 1  # noqa: PLR2004 - three digits
    blank = "" if of.startswith("/") else " "
    return f"{value:,.{digits}f}{blank}{of}".strip()
