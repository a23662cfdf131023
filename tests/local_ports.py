"""Ports of loopback for programs that are told theirs before they start."""

import os
from collections.abc import Iterator
from itertools import cycle
from random import SystemRandom
from socket import socket

PORTS = range(10_000, 20_000)
"""Outgoing connections, and whoever listens at a port of the system's choice, take higher ones; our
PostgreSQL does too (`local_postgres.PORTS`)."""


def free_port() -> int:
    """A port that nothing listens on; nobody else takes it before the program does. The same again
    after a restart."""
    return next(port for port in _MINE if _is_free(port))


def _is_free(port: int) -> bool:
    with socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _mine() -> Iterator[int]:
    """The ports of this process, each once before any comes again. Each worker of a run of tests
    has its own; between runs, chance decides where they begin."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    mine = [*PORTS[worker % workers :: workers]]
    SystemRandom().shuffle(mine)  # one that tests seed would be the same in all of them
    return cycle(mine)


_MINE = _mine()
