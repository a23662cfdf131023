"""What is asked of a server, and how it went: the same for wrk and for our own client."""

from dataclasses import dataclass
from enum import StrEnum

ACCOUNTS = 10_000
"""Accounts that are charged at random."""

BATCH = 1_000
"""Charges in one POST to the batch endpoint."""

CREDITS = "0.001"
"""What each charge spends."""


class Kind(StrEnum):
    """What is asked, again and again."""

    CHARGES = "charges"
    BATCHES = "batches"
    WEBHOOKS = "webhooks"
    READS = "reads"
    EMPTY = "empty"
    HEARTBEATS = "heartbeats"


@dataclass(frozen=True, slots=True)
class Load:
    """A load on the server at a port of loopback, for whole seconds.

    `accounts` is how many are charged or read, from the first on. `lines` is a file that has what
    can't be made up on the way: signed events, or reservations. With a `rate` (requests a second)
    they are sent when their time has come, whatever has been answered by then; without one, each
    connection asks again when it is answered.
    """

    kind: Kind
    port: int
    connections: int
    seconds: int
    token: str = ""
    accounts: int = ACCOUNTS
    lines: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Spell:
    """How a load went. Latencies are microseconds; with a rate they count from when a request
    was due. `refused` were answered with a status above 399, `broken` not at all."""

    accepted: int
    refused: int
    broken: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds


def account(number: int) -> str:
    """The uid of an account of the load: all of one length, as their requests then are too."""
    return f"user-{number:05}"
