"""The simulated account: its memory, its clock, and what a request carries through it."""

import asyncio
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from prepaid.simulator.config import SimulatorConfig
from prepaid.simulator.errors import missing_object
from prepaid.simulator.faults import Faults
from prepaid.simulator.shapes import Json
from prepaid.simulator.store import Store

_ALPHABET = string.ascii_letters + string.digits
_LENGTHS = {"cs_test": 58, "acct": 16, "whsec": 32}


def new_id(prefix: str) -> str:
    """An id like Stripe's: a prefix that tells the kind, then letters and digits."""
    return f"{prefix}_" + "".join(
        secrets.choice(_ALPHABET) for _ in range(_LENGTHS.get(prefix, 24))
    )


@dataclass(frozen=True)
class Origin:
    """The request that caused an event; both are null when the account acted by itself."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Sandbox:
    """One account in test mode. All of it runs on one event loop, so no step overlaps another."""

    config: SimulatorConfig
    store: Store
    faults: Faults
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    origin: Origin = Origin()
    listeners: dict[str, "asyncio.Queue[Json]"] = field(default_factory=dict)
    told: list[Json] = field(default_factory=list)
    forwarded: list[Json] = field(default_factory=list)

    @contextmanager
    def acting(self, origin: Origin = Origin()) -> Iterator[None]:
        """Do something in one transaction; whoever listens is told once it is kept."""
        self.origin, self.told = origin, []
        with self.store.transaction():
            yield
        for event in self.told:
            for queue in self.listeners.values():
                queue.put_nowait(event)
        self.wake.set()

    def now(self) -> int:
        """Whole seconds, as Stripe writes moments."""
        return int(self.config.clock())

    def need(self, kind: str, key: str, param: str | None = None) -> Json:
        """Give an object, or refuse: 404 for an id in the path, 400 for one in a parameter."""
        found = self.store.get(key, kind)
        if found is None:
            raise missing_object(kind.removeprefix("checkout."), key, param)
        return found

    def need_alive(self, kind: str, key: str, param: str) -> Json:
        """Give an object that is to be used; a deleted one is as good as missing."""
        found = self.need(kind, key, param)
        if found.get("deleted"):
            raise missing_object(kind, key, param)
        return found

    def later(self, seconds: float, job: str, key: str) -> None:
        """Have something done to an object in a while, after a restart too."""
        self.store.sql.execute(
            "INSERT INTO later (due, job, object) VALUES (?, ?, ?)",
            (self.config.clock() + seconds, job, key),
        )


@dataclass(frozen=True)
class Call:
    """One API request that has been let in: typed parameters, the ids of its path."""

    box: Sandbox
    params: Json
    path: Mapping[str, str]
    url: str
    base_url: str

    @property
    def id(self) -> str:
        """The id in the path."""
        return self.path["id"]
