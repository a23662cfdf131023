"""A run: what was measured, on what, and what it comes to; as it is kept in a file."""

import platform
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path

import msgspec

from bench import wrk
from bench.figures import Figures
from bench.gates import Gate, is_void
from bench.goals import Reached, reached
from bench.postgres import SETTINGS


class Machine(msgspec.Struct):
    """What a run was made on."""

    cores: int
    python: str
    system: str
    postgres: str
    load: str
    filesystem: str
    settings: dict[str, str]


class Run(msgspec.Struct):
    """A whole run. `rounds` has the figures of each; `entries` is how large the large set was."""

    began: datetime
    seconds: float
    seed: int
    quick: bool
    entries: int
    machine: Machine
    rounds: list[Figures]
    gates: list[Gate]

    @property
    def is_void(self) -> bool:
        """Whether a gate failed."""
        return is_void(self.gates)

    def reached(self) -> list[Reached]:
        """What it comes to."""
        return reached(self.rounds)


def machine(postgres: str, filesystem: str) -> Machine:
    """This machine, with the server and the disk that are measured."""
    return Machine(
        cores=cpu_count() or 1,
        python=platform.python_version(),
        system=platform.system(),
        postgres=postgres,
        load="wrk" if wrk.found() else "our own client: wrk is not here",
        filesystem=filesystem,
        settings=SETTINGS,
    )


def now() -> datetime:
    """When a run begins."""
    return datetime.now(UTC).replace(microsecond=0)


def keep(run: Run, file: Path) -> None:
    """Writes a run into a file, in a folder that is made if need be."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n")


def kept(file: Path) -> Run:
    """The run in a file."""
    return msgspec.json.decode(file.read_bytes(), type=Run)
