"""`python -m bench`: measures the service against PostgreSQL, here and now."""

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from secrets import randbelow

# The local PostgreSQL and the local Stripe stand beside the tests.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bench import books, charts, crashes, pages, results, table
from bench.effort import QUICK, WHOLE, Effort
from bench.parts import PARTS
from bench.rounds import all_rounds
from bench.scale import default_cache
from bench.stage import filesystem_of, open_stage

SLOW = ("scale",)
"""Parts that a quick run leaves out."""

CRASHES = "crashes"
"""The part that measures nothing: it kills under load, once a run."""


def main() -> int:
    """Measures, tells, and returns 1 if the run is void."""
    options = parse(sys.argv[1:])
    run = results.kept(options.read) if options.read else measured(options)
    print(table.text(run))
    if options.json:
        results.keep(run, options.json)
    if options.charts:
        charts.draw(run, options.charts)
    if options.page and not run.is_void:
        pages.fill(options.page, table.markdown(run), options.charts)
    return 1 if run.is_void else 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="one short round without the large set: rough figures")
    add("--only", type=_parts, default=(), metavar="PARTS", help=f"of {', '.join(_names())}")
    add("--rounds", type=int, help="how many (five, or one if quick)")
    add("--seconds", type=int, help="of each load")
    add("--seed", type=int, default=randbelow(2**31), help="of the order of parts")
    add("--entries", type=int, default=10_000_000, help="of the large set")
    add("--cache", type=Path, default=default_cache(), help="where the large set is kept")
    add("--minutes", type=float, default=60.0, help="after which a run gives up")
    add("--read", type=Path, metavar="FILE", help="tell a run that was kept; measure nothing")
    add("--json", type=Path, metavar="FILE", help="keep the run there")
    add("--charts", type=Path, metavar="FOLDER", help="draw its charts there")
    add("--page", type=Path, metavar="FILE", help="write its tables into this page")
    return parser.parse_args(words)


def measured(options: argparse.Namespace) -> results.Run:
    """A run."""
    books.be_quiet()
    began, started = results.now(), time.monotonic()
    names = options.only or [one for one in _names() if not (options.quick and one in SLOW)]
    order = Random(options.seed)  # noqa: S311 - an order, and no secret
    with (
        ended_in_order(options.minutes * 60),
        open_stage(_effort(options), order, options.cache, options.entries) as stage,
    ):
        machine = results.machine(stage.server.version(), filesystem_of(stage.server.home))
        print(f"{machine.postgres}. Load by {machine.load}. Seed {options.seed}.", flush=True)
        rounds = all_rounds(stage, [one for one in names if one != CRASHES])
        if CRASHES in names:
            crashes.look(stage)
    return results.Run(
        began=began,
        seconds=time.monotonic() - started,
        seed=options.seed,
        quick=options.quick,
        entries=options.entries,
        machine=machine,
        rounds=rounds,
        gates=stage.gates.all(),
    )


@contextmanager
def ended_in_order(seconds: float) -> Iterator[None]:
    """Ends the block with an exception, so that all it started ends too, when the program is told
    to stop or so many seconds have passed."""

    def stop(number: int, _: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if number == signal.SIGALRM:
            raise TimeoutError(f"The run took longer than {seconds / 60:.0f} minutes.")
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _effort(options: argparse.Namespace) -> Effort:
    effort = QUICK if options.quick else WHOLE
    return replace(
        effort,
        rounds=options.rounds or effort.rounds,
        spell=options.seconds or effort.spell,
        pgbench=options.seconds or effort.pgbench,
    )


def _names() -> list[str]:
    return [*PARTS, CRASHES]


def _parts(written: str) -> list[str]:
    names = written.split(",")
    if unknown := set(names) - set(_names()):
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Interrupted: all that was started has been ended.", file=sys.stderr)
        sys.exit(130)
