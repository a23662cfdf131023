"""Many spend from one account at two service processes at once: the books are exact."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest

from local_postgres import database_name
from local_service import bearer
from local_stripe import Json, LocalStripe
from prepaid.core.notices import NoticeType
from programs import Program, ended, service
from spenders import Spender
from wallets import (
    PICO,
    RESERVATIONS,
    Wallet,
    instant,
    micro,
    microseconds,
    uuid_of,
    wallet,
)

SPENDERS = 64
GRANTED = 200_000_000
"""Microcredits: so few that a good part of what they ask for is refused."""


@pytest.fixture
def two(database_url: str, quiet_stripe: LocalStripe, tmp_path: Path) -> Iterator[list[Program]]:
    programs = [service(quiet_stripe, database_url, tmp_path) for _ in range(2)]
    with ended(programs), ThreadPoolExecutor(2) as both:
        yield [*both.map(Program.start, programs)]


@pytest.mark.parametrize(
    ("database_url", "times"),
    [
        ("postgresql", 20),
        pytest.param("sqlite", 20, marks=pytest.mark.long),
        pytest.param("postgresql", 1_000, marks=[pytest.mark.long, pytest.mark.timeout(3_600)]),
    ],
    indirect=["database_url"],
)
def test_the_books_of_sixty_four_spenders_are_what_they_were_told(
    two: list[Program], database_url: str, times: int
) -> None:
    purse = wallet(database_url)
    purse.give(two[0].url, GRANTED)
    spenders = asyncio.run(all_spend(two, purse, times))
    check_entries(purse, two[0].url, spenders)
    check_costs(purse, {id_: one for each in spenders for id_, one in each.held.items()})
    check_tally(sum((one.tally for one in spenders), Counter()))
    check_faultless(two, database_url)


async def all_spend(two: list[Program], purse: Wallet, times: int) -> list[Spender]:
    """One half with the platform's key, the other with the user's own token."""
    urls, secrets = [program.url for program in two], [purse.service, purse.user()]
    spenders = [
        Spender(urls, purse, secrets[number % 2], f"spender-{number}", Random(number))  # noqa: S311 - the same every time
        for number in range(SPENDERS)
    ]
    await asyncio.gather(*(one.spend(times) for one in spenders))
    return spenders


def check_entries(purse: Wallet, url: str, spenders: list[Spender]) -> None:
    """The books have each key that was acknowledged and each reservation that cost anything, once,
    with what was told of it; and nothing else but the first grant."""
    held = {id_: told for one in spenders for id_, told in one.held.items()}
    settled = {f"reservation:{uuid_of(id_)}": -micro(told["used"]) for id_, told in held.items()}
    posted = {key: micro(told["credits"]) for one in spenders for key, told in one.posted.items()}
    model = {key: amount for key, amount in (posted | settled).items() if amount}
    first, *entries = purse.check_books(url)
    assert micro(first["credits"]) == GRANTED
    assert {entry["key"]: micro(entry["credits"]) for entry in entries} == model
    balance = purse.balance(url)
    assert micro(balance["balance"]) == micro(balance["available"]) == GRANTED + sum(model.values())
    assert {one["id"]: one for one in purse.reservations(url)} == held


def check_costs(purse: Wallet, held: dict[str, Json]) -> None:
    """Each cost its time, at the rates that it had, and what was lost no more than it may."""
    rates: dict[str, list[tuple[int, int]]] = {}
    for one in purse.notices():
        if one.type in {NoticeType.OPENED, NoticeType.CHANGED}:
            since = microseconds(one.at), one.burning_rate.micro
            rates.setdefault(f"{one.resource_type}-{one.reservation_id}", []).append(since)
    for id_, told in held.items():
        if micro(told["burning_rate"]):
            check_cost(told, rates[id_])


def check_cost(told: Json, rates: list[tuple[int, int]]) -> None:
    used, end, state = micro(told["used"]), instant(told["end_date"]), told["state"]
    if state == "released":
        assert used == 0
    elif "used up" in told["why"]:
        assert used * PICO <= burnt(rates, end)
        ran_out = burnt(rates, end - 1) < used * PICO
        assert ran_out or end in dict(rates)  # it ran out before it was confirmed
    else:
        assert used == -(-burnt(rates, end) // PICO)
        silent = end - instant(told["last_update"])
        assert silent <= (told["heartbeat_seconds"] * 1_000_000 if state == "lost" else 0)


def burnt(rates: list[tuple[int, int]], end: int) -> int:
    """Picocredits that were burnt by an instant, at the rates that held from other instants on."""
    ends = [since for since, _ in rates[1:]] + [end]
    return sum(
        rate * max(0, min(until, end) - since)
        for (since, rate), until in zip(rates, ends, strict=True)
    )


def check_tally(tally: Counter[tuple[str, int | str]]) -> None:
    """Everything that may happen did."""
    for happened in (
        *(("charge", 201), ("charge", 402), ("reuse", 409), ("batch", 200), ("top_up", 201)),
        *(("open", 201), ("open", 402), ("beat", 200), ("beat", "reservation_depleted")),
        *(("extend", 200), ("rate", 200), ("settle", 200), ("release", 200), ("balance", 200)),
    ):
        assert tally[happened], tally


def check_faultless(two: list[Program], database_url: str) -> None:
    """Nobody waited for somebody who waited for them, and nothing went wrong unseen."""
    for program in two:
        log = program.log.read_text()
        assert not [word for word in ("command_failed", "sweep_failed", "Traceback") if word in log]
    if database_url.startswith("postgresql"):
        assert asyncio.run(deadlocks(database_url)) == 0


async def deadlocks(database_url: str) -> int:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = $1"
        found: int = await connection.fetchval(counted, database_name(database_url))
    finally:
        await connection.close()
    return found


def test_of_twenty_at_once_with_money_for_three_three_are_opened(
    two: list[Program], database_url: str
) -> None:
    limited, sliced = wallet(database_url), wallet(database_url)
    limited.give(two[0].url, 3 * 2_000_000 + 1_999_999)
    sliced.give(two[0].url, 3 * 90_000)
    for purse, rate, limit, kept in ((limited, 1, 2_000_000, 1_999_999), (sliced, 1_000, None, 0)):
        bodies = [purse.opening(f"{number}", rate, limit, 30) for number in range(20)]
        codes = asyncio.run(open_all(two, purse, bodies))
        assert Counter(codes) == {201: 3, 402: 17}
        assert len(purse.reservations(two[1].url)) == 3
        assert micro(purse.balance(two[1].url)["available"]) == kept


async def open_all(two: list[Program], purse: Wallet, bodies: list[Json]) -> list[int]:
    headers = bearer(purse.service)
    async with httpx.AsyncClient(headers=headers, timeout=60) as client:
        urls = [two[number % 2].url + RESERVATIONS for number in range(len(bodies))]
        asked = (client.post(url, json=body) for url, body in zip(urls, bodies, strict=True))
        return [answer.status_code for answer in await asyncio.gather(*asked)]
