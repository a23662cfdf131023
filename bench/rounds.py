"""Rounds: every part once, in an order that chance makes."""

import time
from collections.abc import Sequence

from bench.figures import Figures
from bench.parts import PARTS
from bench.stage import Stage


def all_rounds(stage: Stage, names: Sequence[str]) -> list[Figures]:
    """The figures of each round, over these parts."""
    rounds = []
    for number in range(1, stage.effort.rounds + 1):
        print(f"Round {number} of {stage.effort.rounds}", flush=True)
        rounds.append(one_round(stage, names))
    return rounds


def one_round(stage: Stage, names: Sequence[str]) -> Figures:
    """The figures of all these parts, measured one after the other."""
    order, figures = [*names], Figures()
    stage.random.shuffle(order)
    for name in order:
        began = time.monotonic()
        measured = PARTS[name](stage)
        figures |= measured
        _tell(name, measured, time.monotonic() - began)
    return figures


def _tell(name: str, measured: Figures, seconds: float) -> None:
    """Says what came out as soon as it is known: a run takes its time."""
    told = "  ".join(f"{figure} {value:,.4g}" for figure, value in measured.items())
    print(f"  {name:<11} {seconds:5.1f} s  {told}", flush=True)
