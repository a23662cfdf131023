"""Load by wrk, where it is installed: in C, so that it takes little from what it measures."""

import shutil
import subprocess
from pathlib import Path
from secrets import randbelow

import msgspec

from bench.load import BATCH, CREDITS, Load, Spell

SCRIPT = Path(__file__).with_name("load.lua")
MARK = "bench "
PATIENCE_SECONDS = 30
"""How much longer than its load a run may take."""


class _Said(msgspec.Struct):
    answered: int
    refused: int
    broken: int
    microseconds: int
    p50: float
    p99: float


def found() -> bool:
    """Whether wrk is here."""
    return shutil.which("wrk") is not None


def run(load: Load) -> Spell:
    """Puts the load on, and says how it went."""
    done = subprocess.run(
        command(load),
        check=True,
        capture_output=True,
        text=True,
        timeout=load.seconds + PATIENCE_SECONDS,
    )
    return read(done.stdout)


def command(load: Load) -> list[str]:
    """The command line for a load. One thread: more take from the server that shares the cores.

    A key of the load is never one of another's, since each has a seed of its own.
    """
    told = (load.kind, randbelow(2**31), load.token or "-", load.accounts, BATCH, CREDITS)
    return [
        *("wrk", "--threads", "1", "--connections", str(load.connections)),
        *("--duration", f"{load.seconds}s", "--timeout", "20s", "--script", str(SCRIPT)),
        *(f"http://127.0.0.1:{load.port}", "--", *map(str, told), str(load.lines or "")),
    ]


def read(printed: str) -> Spell:
    """What our script made wrk print at its end. wrk counts what was answered in whole: what a
    server had accepted and not answered when wrk stopped is not in it."""
    line = next(line for line in printed.splitlines() if line.startswith(MARK))
    said = msgspec.json.decode(line.removeprefix(MARK), type=_Said)
    accepted = said.answered - said.refused
    return Spell(accepted, said.refused, said.broken, said.microseconds / 1e6, said.p50, said.p99)
