"""A service under load: how fast it answers, what it costs, and what has to be in its books."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import client, wrk
from bench.figures import Figures
from bench.gates import ANSWERED, Gates
from bench.load import ACCOUNTS, BATCH, Kind, Load, Spell
from bench.postgres import Postgres
from bench.programs import Program

POSTS = {Kind.CHARGES: 1, Kind.BATCHES: BATCH, Kind.WEBHOOKS: 1}
"""How many entries an accepted request makes."""

WARM_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Measured:
    """A load, and the processor time that it took of the service and of PostgreSQL, in seconds.
    `posts` is how many entries, or whatever is counted, each of its requests makes."""

    spell: Spell
    service_seconds: float
    database_seconds: float
    posts: int = 1

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.spell.rate * self.posts

    def figures(self, name: str) -> Figures:
        """All of it, under a name. The cost is microseconds of processor time for each."""
        done = max(1, self.spell.accepted * self.posts)
        return {
            f"{name}.rate": self.rate,
            f"{name}.p50": self.spell.p50,
            f"{name}.p99": self.spell.p99,
            f"{name}.service_us": self.service_seconds / done * 1e6,
            f"{name}.database_us": self.database_seconds / done * 1e6,
        }


@dataclass
class Served:
    """A service that runs on a database (`server` is None where that is SQLite).

    `acknowledged` is how many entries it has said that it made, `in_flight` how many more it may
    have made when loads ended.
    """

    url: str
    program: Program
    token: str
    server: Postgres | None
    gates: Gates
    acknowledged: int = 0
    in_flight: int = 0

    def load(self, kind: Kind, connections: int, seconds: int, accounts: int = ACCOUNTS) -> Load:
        """A load on this service."""
        return Load(kind, self.program.port, connections, seconds, self.token, accounts)

    def warm(self, kind: Kind, seconds: int, accounts: int = ACCOUNTS) -> Spell:
        """A load that nobody counts: what a process does once, it has done then."""
        return self.put_on(self.load(kind, WARM_CONNECTIONS, seconds, accounts))

    def measure(self, load: Load) -> Measured:
        """A load that begins when nothing is dirty."""
        if self.server is not None:
            self.server.checkpoint()
        return self.measure_on(load)

    def measure_on(self, load: Load) -> Measured:
        """A load on the database as the last one left it."""
        service, database = self.program.cpu_seconds(), self._database_seconds()
        spell = self.put_on(load)
        return Measured(
            spell,
            self.program.cpu_seconds() - service,
            self._database_seconds() - database,
            POSTS.get(load.kind, 1),
        )

    def put_on(self, load: Load, by: Callable[[Load], Spell] | None = None) -> Spell:
        """Puts a load on, by wrk where that can, and remembers what has to be in the books."""
        spell = (by or tool(load))(load)
        posts = POSTS.get(load.kind, 0)
        self.acknowledged += posts * spell.accepted
        self.in_flight += posts * load.connections
        whole = spell.accepted > 0 and not spell.refused and not spell.broken
        said = f"{load.kind} at {load.connections} connections: {spell}"
        self.gates.look(ANSWERED, holds=whole, said=said)
        return spell

    def _database_seconds(self) -> float:
        return 0.0 if self.server is None else self.server.cpu_seconds()


def tool(load: Load) -> Callable[[Load], Spell]:
    """What puts a load on: wrk, or our own client where wrk isn't here, or can't."""
    ours = load.rate is not None or load.kind is Kind.HEARTBEATS or not wrk.found()
    return client.run if ours else wrk.run
