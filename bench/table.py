"""A run as text: what it comes to, for a terminal and for a page."""

from collections.abc import Iterator, Sequence

from bench.figures import medians, unit, written
from bench.gates import Gate
from bench.goals import Goal, Reached
from bench.results import Run

HEADINGS = ("what", "goal", "median", "least", "most", "met")


def text(run: Run) -> str:
    """For a terminal."""
    lines = [*_about(run), "", *_aligned([HEADINGS, *map(_row, run.reached())]), ""]
    lines += _aligned([(name, said) for name, said in _absolute(run)])
    return "\n".join([*lines, "", *map(_gate, run.gates), "", verdict(run)])


def markdown(run: Run) -> str:
    """For a page: the table of what was reached, and the absolute figures under it."""
    lines = [*_about(run), "", *_tabled([HEADINGS, *map(_row, run.reached())]), ""]
    lines += _tabled([("figure", "median of the rounds"), *_absolute(run)])
    return "\n".join([*lines, "", *(f"- {_gate(one)}" for one in run.gates), "", verdict(run)])


def verdict(run: Run) -> str:
    """How it went, in a sentence."""
    if run.is_void:
        return "VOID: a gate failed, so that no figure counts."
    measured = [one for one in run.reached() if one.is_measured]
    met = sum(one.is_met for one in measured)
    return f"{met} of {len(measured)} goals met; {len(run.reached()) - len(measured)} not measured."


def _about(run: Run) -> list[str]:
    machine = run.machine
    form = "quick: rough figures" if run.quick else "whole"
    when, minutes = f"{run.began:%Y-%m-%d %H:%M} UTC", f"{run.seconds / 60:.0f} minutes"
    system = f"{machine.system}, {machine.filesystem}; Python {machine.python}"
    return [
        f"{when}, {minutes}, {len(run.rounds)} rounds ({form}), seed {run.seed}.",
        f"{machine.cores} cores, shared by load, service and database; {system}.",
        f"{machine.postgres}. Load by {machine.load}.",
    ]


def _row(one: Reached) -> tuple[str, ...]:
    goal = one.goal
    if not one.is_measured:
        return (goal.what, _bound(goal), "not measured", "", "", "")
    figures = (one.median, min(one.figures), max(one.figures))
    met = "yes" if one.is_met else "NO"
    return (goal.what, _bound(goal), *(written(each, goal.unit) for each in figures), met)


def _bound(goal: Goal) -> str:
    sign = "≥" if goal.at_least else "≤"
    return f"{sign} {goal.bound:g} {goal.unit}".strip()


def _absolute(run: Run) -> list[tuple[str, str]]:
    return [(name, written(value, unit(name))) for name, value in medians(run.rounds).items()]


def _gate(gate: Gate) -> str:
    if gate.wrong:
        return f"FAILED: {gate.name}: {gate.wrong[:500]}"
    if not gate.looked:
        return f"not looked at: {gate.name}"
    return f"holds ({gate.looked} times): {gate.name}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _tabled(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        yield f"| {' | '.join(row)} |"
        if number == 0:
            yield f"|{'---|' * len(row)}"
