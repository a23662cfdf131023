from bench.figures import medians, written
from bench.gates import BOOKS, ROWS, Gates, is_void
from bench.goals import GOALS, Goal, Reached, best_pgbench, reached

ROUND = {
    "pgbench_1.rate": 4_000.0,
    "pgbench_8.rate": 11_000.0,
    "pgbench_32.rate": 16_000.0,
    "pgbench_64.rate": 15_000.0,
    "charges_128.rate": 20_000.0,
    "charges_32.p99": 7_000.0,
    "fdatasync.us": 200.0,
}


def goal(words: str) -> Reached:
    """The goal whose name begins so, of one round."""
    return next(one for one in reached([ROUND]) if one.goal.what.startswith(words))


def test_charges_are_compared_with_the_best_of_pgbench() -> None:
    assert best_pgbench(ROUND) == 16_000
    assert goal("single charges over HTTP").figures == (1.25,)
    assert goal("single charges over HTTP").is_met


def test_a_ratio_is_taken_within_its_round() -> None:
    slow = {name: value / 2 for name, value in ROUND.items()}
    fast = ROUND | {"charges_128.rate": 32_000.0}
    first = reached([ROUND, slow, fast])[0]
    assert first.figures == (1.25, 1.25, 2.0)
    assert first.median == 1.25


def test_a_bound_is_met_by_what_reaches_it() -> None:
    assert goal("p99 at 32 connections").figures == (35.0,)
    assert goal("p99 at 32 connections").is_met
    assert not Reached(Goal("x", at_least=True, bound=1.0, of=len), (0.9, 0.99, 1.5)).is_met
    assert not Reached(Goal("x", at_least=False, bound=1.0, of=len), (0.9, 1.01, 1.5)).is_met


def test_what_was_not_run_is_not_measured() -> None:
    assert [one.is_measured for one in reached([{}])] == [False] * len(GOALS)
    assert not goal("balances read").is_measured


def test_medians_are_over_the_rounds_that_have_a_figure() -> None:
    assert medians([{"a": 1.0}, {"a": 3.0, "b": 7.0}, {"a": 2.0}]) == {"a": 2.0, "b": 7.0}


def test_figures_are_written_with_three_digits_and_their_unit() -> None:
    assert written(16_234.5, "/s") == "16,234/s"
    assert written(1.234, "") == "1.23"
    assert written(34.56, "% of a core") == "34.6 % of a core"


def test_a_gate_that_failed_once_voids_the_run() -> None:
    gates = Gates()
    gates.look_at_rows("run", rows=100, acknowledged=98, in_flight=2)
    gates.look_at_books("run", wrong=0)
    assert not is_void(gates.all())
    gates.look_at_books("run", wrong=1)
    gates.look_at_books("run", wrong=0)
    assert is_void(gates.all())
    (books,) = [gate for gate in gates.all() if gate.name == BOOKS]
    assert (books.looked, books.wrong) == (3, "run: 1 accounts don't add up")
    assert not books.holds


def test_rows_may_exceed_acknowledgements_by_what_was_in_flight_alone() -> None:
    for rows, holds in ((97, False), (98, True), (100, True), (101, False)):
        gates = Gates()
        gates.look_at_rows("run", rows, acknowledged=98, in_flight=2)
        (gate,) = [one for one in gates.all() if one.name == ROWS]
        assert gate.holds is holds


def test_a_gate_that_nobody_looked_at_does_not_hold_and_voids_nothing() -> None:
    gates = Gates().all()
    assert not any(gate.holds for gate in gates)
    assert not is_void(gates)
