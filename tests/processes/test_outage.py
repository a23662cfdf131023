"""PostgreSQL is away for a while: what was acknowledged is there, and the service goes on."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import httpx
import psutil
import pytest

from local_postgres import LocalPostgres, RunningPostgres
from local_service import bearer, exact
from local_stripe import DEADLINE_SECONDS, Json, LocalStripe
from prepaid.storage.database import ANSWER_SECONDS
from programs import Program, ended, service
from wallets import CHARGES, RESERVATIONS, Wallet, micro, told_cost, wallet

GIVEN = 100_000_000
CHARGERS = 8
BEATERS = 4
AGAIN_SECONDS = 0.05
SLOWEST_SECONDS = 3 * ANSWER_SECONDS
"""To connect, to wait for a connection and to be answered may each take their time."""


@pytest.fixture
def server(postgres: RunningPostgres) -> Iterator[LocalPostgres]:
    """A PostgreSQL of the test's own; none where there is none for others."""
    del postgres
    with LocalPostgres() as own:
        yield own


@pytest.fixture
def program(server: LocalPostgres, quiet_stripe: LocalStripe, tmp_path: Path) -> Iterator[Program]:
    one = service(quiet_stripe, server.create_database(), tmp_path).start()
    with ended([one]):
        yield one


@dataclass
class Load:
    """Charges and heartbeats without end, each sent again until it is acknowledged."""

    client: httpx.AsyncClient
    purse: Wallet
    posted: dict[str, Json] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    settled: list[Json] = field(default_factory=list)
    slowest: float = 0
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, trouble: Callable[[], object], calm: Callable[[], object]) -> None:
        """Until it has gone on after some trouble: everybody is told that the database is away,
        then it is calm again, and everybody goes on."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(CHARGERS):
                tasks.create_task(self._charge(f"charger-{number}"))
            for number in range(BEATERS):
                tasks.create_task(self._beat(f"beater-{number}"))
            await self._all_counted(self.done, 3)
            await asyncio.to_thread(trouble)
            self.away.clear()
            await self._all_counted(self.away, 1)
            await asyncio.to_thread(calm)
            self.done.clear()
            await self._all_counted(self.done, 3)
            self._stopped.set()

    async def _all_counted(self, counts: dict[str, int], least: int) -> None:
        deadline = monotonic() + SLOWEST_SECONDS + DEADLINE_SECONDS
        while len(counts) < CHARGERS + BEATERS or min(counts.values()) < least:
            assert monotonic() < deadline, counts
            await self._pause()

    async def _charge(self, name: str) -> None:
        number = len(self.posted)
        while not self._stopped.is_set():
            number += 1
            body = charging(self.purse, f"{name}-{number}")
            answer = await self._ask(name, CHARGES, body)
            assert answer.status_code == 201, answer.text
            assert body["key"] not in self.posted
            self.posted[body["key"]] = exact(answer)["entry"]

    async def _beat(self, name: str) -> None:
        opening = self.purse.opening(name, 1_000, None, 1)
        id_ = (await self._ask(name, RESERVATIONS, opening)).json()["reservation"]["id"]
        while not self._stopped.is_set():
            answer = await self._ask(name, f"{RESERVATIONS}/{id_}/heartbeat", None)
            assert answer.status_code == 200, answer.text
            await self._pause()
        answer = await self._ask(name, f"{RESERVATIONS}/{id_}/settlement", None)
        self.settled.append(exact(answer)["reservation"])

    async def _ask(self, name: str, path: str, body: Json | None) -> httpx.Response:
        """Until it is acknowledged. While the database is away it is told so, and in time."""
        while True:
            began = monotonic()
            answer = await self.client.post(path, json=body)
            self.slowest = max(self.slowest, monotonic() - began)
            if answer.status_code != 503:
                self.done[name] = self.done.get(name, 0) + 1
                return answer
            check_away(answer)
            self.away[name] = self.away.get(name, 0) + 1
            await self._pause()

    async def _pause(self) -> None:
        """As a client that asks again, or waits to beat, makes one."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), AGAIN_SECONDS)


def charging(purse: Wallet, key: str) -> Json:
    return {"account_uid": purse.uid, "credits": "0.001", "key": key}


def check_away(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "ledger_unavailable"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "trouble",
    ["restart", "crash", pytest.param("silence", marks=pytest.mark.long)],
)
def test_what_was_acknowledged_outlives_an_outage_of_the_database(
    program: Program, server: LocalPostgres, trouble: str
) -> None:
    purse = wallet(program.settings["PREPAID_DATABASE_URL"])
    purse.give(program.url, GIVEN)
    load = asyncio.run(under_load(program, purse, *troubles(server)[trouble]))
    for key, entry in load.posted.items():
        replayed = purse.does(program.url, "POST", CHARGES, charging(purse, key))
        assert replayed["replayed"]
        assert replayed["entry"] == entry
    assert [one["state"] for one in load.settled] == ["settled"] * BEATERS
    assert [micro(one["used"]) for one in load.settled] == [*map(told_cost, load.settled)]
    first, *entries = purse.check_books(program.url)
    assert micro(first["credits"]) == GIVEN
    assert {one["key"] for one in entries if one["kind"] == "charge"} == set(load.posted)
    assert len(entries) == len(load.posted) + BEATERS
    log = program.log.read_text()
    assert not [
        word for word in ("request_failed", "command_failed", "sweep_failed") if word in log
    ]


def troubles(server: LocalPostgres) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """What happens to the database, and how it ends."""
    return {
        "restart": (lambda: server.stop("immediate"), server.start),
        "crash": (server.kill, server.start),
        "silence": (lambda: each(server, "suspend"), lambda: each(server, "resume")),
    }


def each(server: LocalPostgres, act: str) -> None:
    """Does it to each process of the server."""
    postmaster = server._postmaster()
    assert postmaster is not None
    for process in [postmaster, *postmaster.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            getattr(process, act)()


async def under_load(
    program: Program, purse: Wallet, trouble: Callable[[], object], calm: Callable[[], object]
) -> Load:
    headers, limits = bearer(purse.service), httpx.Limits(keepalive_expiry=1)
    async with httpx.AsyncClient(
        base_url=program.url, headers=headers, limits=limits, timeout=2 * SLOWEST_SECONDS
    ) as client:
        load = Load(client, purse)
        await load.run(trouble, calm)
    assert load.slowest < SLOWEST_SECONDS
    return load
