"""Many reservations burn on one account: its balance is exact, and each end is told soon."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

import httpx
import pytest

from listeners import STREAM
from local_service import CREDITS, bearer, exact
from local_stripe import Json, LocalStripe
from prepaid.core.notices import NoticeType
from prepaid.storage import outbox
from prepaid.storage.database import Database
from programs import Program, ended, service
from wallets import (
    RESERVATIONS,
    Wallet,
    cost,
    decimal,
    instant,
    micro,
    microseconds,
    now,
    wallet,
)

AT_ONCE = 20
SECOND = 1_000_000
EACH = 601 * SECOND
"""What each of them may cost at most, in microcredits."""

MOST_CROWDS = 3
"""The machine does other things too: what of so many crowds is told soonest is how soon it is."""

PATIENCE = 120 * SECOND
POLL_SECONDS = 0.01

One = TypeVar("One")
Depletions = dict[str, tuple[int, int]]
"""When each reservation ran out, and when that was told."""


@pytest.fixture
def program(database_url: str, quiet_stripe: LocalStripe, tmp_path: Path) -> Iterator[Program]:
    one = service(quiet_stripe, database_url, tmp_path).start()
    with ended([one]):
        yield one


LONG = [pytest.mark.long, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("database_url", "many"),
    [
        pytest.param("postgresql", 200, marks=pytest.mark.timeout(300)),
        pytest.param("postgresql", 1_000, marks=LONG),
        pytest.param("sqlite", 1_000, marks=LONG),
    ],
    indirect=["database_url"],
)
def test_all_that_burn_are_reckoned_to_the_microcredit_and_told_when_they_run_out(
    program: Program, database_url: str, many: int
) -> None:
    late = list[int]()
    while len(late) < MOST_CROWDS and min(late, default=SECOND) >= SECOND:
        late.append(burn_exactly(wallet(database_url), program.url, many))
    assert min(late) < SECOND, late


def burn_exactly(purse: Wallet, url: str, many: int) -> int:
    """All of a crowd is reckoned to the microcredit; how late 99 % of its ends are told at most,
    in microseconds."""
    purse.give(url, many * EACH)
    limits, due, (written, heard) = asyncio.run(burn(purse, url, many))
    for told in (written, heard):
        assert {id_: at for id_, (at, _) in told.items()} == due
    left = many * EACH - sum(limits.values())
    assert micro(purse.balance(url)["available"]) == left
    ended_at = {one["id"]: instant(one["end_date"]) for one in purse.reservations(url)}
    assert ended_at == due
    purse.check_books(url)
    return max(ninety_nine_percent(written), ninety_nine_percent(heard))


def ninety_nine_percent(told: Depletions) -> int:
    """What 99 % of them don't exceed, of how late they were told."""
    late = sorted(seen - at for at, seen in told.values())
    return late[len(late) * 99 // 100]


@dataclass
class Crowd:
    """All the holders. `limits` are what each reservation may cost."""

    client: httpx.AsyncClient
    purse: Wallet
    rng: Random
    limits: dict[str, int] = field(default_factory=dict)

    async def open(self, many: int) -> None:
        """Each opens a reservation for ten minutes, and confirms it."""
        await each(range(many), self._open)

    async def hurry(self, first: int) -> dict[str, int]:
        """Each gets a rate at which it runs out within the five seconds that begin then; when, as
        it is told."""
        due: dict[str, int] = {}

        async def hurried(id_: str) -> None:
            left = max(first + self.rng.randrange(5 * SECOND) - now(), SECOND)
            body = {"burning_rate": decimal(self.limits[id_] * SECOND // left)}
            told = await self._ask("PUT", f"{RESERVATIONS}/{id_}/burning-rate", body)
            due[id_] = instant(told["reservation"]["depletes_at"])

        await each(self.limits, hurried)
        return due

    async def balance(self) -> Json:
        return await self._ask("GET", f"{CREDITS}/users/{self.purse.uid}")

    async def _open(self, number: int) -> None:
        rate = self.rng.randrange(1, SECOND)
        limit = rate * 600 + self.rng.randrange(rate)
        body = self.purse.opening(f"kernel-{number}", rate, limit)
        id_ = (await self._ask("POST", RESERVATIONS, body))["reservation"]["id"]
        await self._ask("POST", f"{RESERVATIONS}/{id_}/heartbeat")
        self.limits[id_] = limit

    async def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = await self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return exact(answer)


async def burn(
    purse: Wallet, url: str, many: int
) -> tuple[dict[str, int], dict[str, int], tuple[Depletions, Depletions]]:
    """What each may cost, when it is to run out, and when it did and that could be read: in the
    outbox, and on the stream."""
    headers, limits = bearer(purse.service), httpx.Limits(keepalive_expiry=1)
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=60
    ) as client:
        crowd = Crowd(client, purse, Random(5))  # noqa: S311 - the same every time
        began = now()
        await crowd.open(many)
        check_balance(await crowd.balance(), many)
        first = now() + (now() - began) * 3 // 4  # by then all of them are hurried, and idle
        written, heard, due = await asyncio.gather(
            depletions(purse, many), depletions_heard(purse, url, many), crowd.hurry(first)
        )
    return crowd.limits, due, (written, heard)


async def each(ones: Iterable[One], act: Callable[[One], Awaitable[None]]) -> None:
    """Does it with each, a few at once."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(one: One) -> None:
        async with turns:
            await act(one)

    await asyncio.gather(*map(in_turn, ones))


async def depletions(purse: Wallet, many: int) -> Depletions:
    """When each was depleted, and when that could be read in the outbox."""
    found: Depletions = {}
    database, last, deadline = Database(purse.database_url), 0, now() + PATIENCE
    try:
        while len(found) < many:
            assert now() < deadline, len(found)
            async with database.reading() as connection:
                notices = await outbox.after(connection, purse.uid, last, 2 * many)
            seen = now()
            for one in notices:
                last = one.number
                if one.type is NoticeType.DEPLETED:
                    id_ = f"{one.resource_type}-{one.reservation_id}"
                    found[id_] = microseconds(one.at), seen
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await database.close()
    return found


async def depletions_heard(purse: Wallet, url: str, many: int) -> Depletions:
    """When each was depleted, and when the account's own user heard of it."""
    found: Depletions = {}
    async with (
        asyncio.timeout(PATIENCE // SECOND),
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", url + STREAM, headers=bearer(purse.user())) as answer,
    ):
        event, lines = "", answer.aiter_lines()
        while len(found) < many:
            name, _, text = (await anext(lines)).partition(": ")
            event = text if name == "event" else event
            if name == "data" and event == "notice":
                seen, one = now(), json.loads(text)
                if one["type"] == NoticeType.DEPLETED:
                    found[one["reservation_id"]] = instant(one["at"]), seen
    return found


def check_balance(told: Json, many: int) -> None:
    """It is exact at the instant that it names: each has cost its own time, rounded up, and no
    more than it reserves."""
    at, running = instant(told["credits"]["last_update"]), told["reservations"]
    costs = [
        min(
            cost(micro(one["burning_rate"]), instant(one["start_date"]), at),
            micro(one["credits"]),
        )
        for one in running
    ]
    assert len(running) == many
    assert [micro(one["used"]) for one in running] == costs
    assert micro(told["accrued"]) == sum(costs)
    assert micro(told["balance"]) == micro(told["credits"]["credits"]) == many * EACH
    assert micro(told["reserved"]) == sum(micro(one["credits"]) for one in running)
    assert micro(told["available"]) == many * EACH - micro(told["reserved"])
