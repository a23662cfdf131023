"""What fast means here: ratios that travel from machine to machine, and their goals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.figures import Figures


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that a round has, and what its median should be: at least, or at most, so much."""

    what: str
    at_least: bool
    bound: float
    of: Callable[[Figures], float]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Reached:
    """A goal, and what the rounds of a run make of it; without any figure nothing was measured."""

    goal: Goal
    figures: tuple[float, ...]

    @property
    def is_measured(self) -> bool:
        """Whether any round has it."""
        return bool(self.figures)

    @property
    def median(self) -> float:
        """What counts."""
        return median(self.figures)

    @property
    def is_met(self) -> bool:
        """Whether the median is where it should be."""
        goal = self.goal
        return self.median >= goal.bound if goal.at_least else self.median <= goal.bound


def best_pgbench(one: Figures) -> float:
    """The most debits a second that pgbench made in a round."""
    return max(one[f"pgbench_{clients}.rate"] for clients in (1, 8, 32, 64))


GOALS = (
    Goal(
        "single charges over HTTP at 128 connections / the best of pgbench",
        *(True, 1.2, lambda one: one["charges_128.rate"] / best_pgbench(one)),
    ),
    Goal(
        "charges by the batch endpoint / the best of pgbench",
        *(True, 3.0, lambda one: one["batches_1000.rate"] / best_pgbench(one)),
    ),
    Goal(
        "charges of one account / of 10,000 accounts, at 128 connections",
        *(True, 0.95, lambda one: one["hot_128.rate"] / one["charges_128.rate"]),
    ),
    Goal(
        "p50 of one connection / p50 of pgbench with one client",
        *(False, 2.0, lambda one: one["charges_1.p50"] / one["pgbench_1.p50"]),
    ),
    Goal(
        "p99 at 32 connections / an fdatasync",
        *(False, 35.0, lambda one: one["charges_32.p99"] / one["fdatasync.us"]),
    ),
    Goal(
        "charges on SQLite / on PostgreSQL, at 128 connections",
        *(True, 0.6, lambda one: one["sqlite_128.rate"] / one["charges_128.rate"]),
    ),
    Goal(
        "cost of a charge with 10 million entries / with 10 thousand, warm",
        *(False, 1.15, lambda one: one["small_warm.rate"] / one["large_warm.rate"]),
    ),
    Goal(
        "the same, with 10 million just after a checkpoint",
        *(False, 2.0, lambda one: one["small_warm.rate"] / one["large_checkpointed.rate"]),
    ),
    Goal(
        "processor of the service for 1,000 heartbeats a second",
        *(False, 35.0, lambda one: one["heartbeats.percent"], "% of a core"),
    ),
    Goal(
        "p99 of these heartbeats",
        *(False, 50.0, lambda one: one["heartbeats.p99"] / 1_000, "ms"),
    ),
    Goal(
        "webhooks taken / single charges, at 128 connections",
        *(True, 0.6, lambda one: one["webhooks_128.rate"] / one["charges_128.rate"]),
    ),
    Goal(
        "balances read / an empty Starlette route, at 128 connections",
        *(True, 0.5, lambda one: one["reads_128.rate"] / one["empty_128.rate"]),
    ),
    Goal(
        "memory of the service after the run with 10 million entries",
        *(False, 120.0, lambda one: one["large.megabytes"], "MB"),
    ),
    Goal(
        "from the command to the first answered request",
        *(False, 1.5, lambda one: one["start.seconds"], "s"),
    ),
)


def reached(rounds: Sequence[Figures]) -> list[Reached]:
    """Each goal with its figure of every round that has what it is made of. A ratio's two sides are
    of the same round: a machine's speed changes by a factor of two within an hour."""
    return [Reached(goal, tuple(_figures(goal, rounds))) for goal in GOALS]


def _figures(goal: Goal, rounds: Sequence[Figures]) -> list[float]:
    found = []
    for one in rounds:
        try:
            found.append(goal.of(one))
        except KeyError:
            continue  # a part of it was not run
    return found
