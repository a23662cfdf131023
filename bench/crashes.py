"""What only a race or a crash shows: two processes on one account, and kills under load."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

from bench import books, client
from bench.asks import CHARGES
from bench.gates import KEPT, NEVER_BEYOND, REPLAYED
from bench.load import CREDITS, Kind, Load, account
from bench.programs import Program, killed_at_end, service, until
from bench.stage import STOCKED, Stage, stocked
from prepaid.core.amounts import Credits

GRANTED = Credits.of(2)
"""What the account has for which two processes race: two thousand charges."""

RACING = 64
RACE_SECONDS = 2
EXHAUSTED_SECONDS = 60
SPENDING = 32
ANSWERED_BEFORE = 30
"""Charges whose answers are compared with those of their replays after a kill."""

SOME = 100
"""Charges that a load has made before anything is killed."""


def look(stage: Stage) -> None:
    """Looks at the gates that only a race or a crash shows."""
    race(stage)
    with stage.database() as url:
        survive(stage, "the service, on PostgreSQL", url, stage.token, _kill_service)
    with stage.database() as url:
        survive(stage, "PostgreSQL", url, stage.token, lambda _: _kill_server(stage))
    with stage.file(STOCKED) as url:
        survive(stage, "the service, on SQLite", url, stage.sqlite_token, _kill_service)


def race(stage: Stage) -> None:
    """Two processes are asked for more than the account has."""
    stage.server.drop("race")
    stage.server.execute('CREATE DATABASE "race"')
    url = stage.server.url("race")
    token = stocked(url, accounts=1, credits_=GRANTED)
    with service(url, stage.folder) as one, service(url, stage.folder) as other:
        accepted, left = _spent_by_both([one, other], token, url)
    covered = GRANTED.micro // Credits.read(CREDITS).micro
    stage.gates.look(
        NEVER_BEYOND,
        holds=accepted == covered and not left,
        said=f"{accepted} charges accepted, {covered} covered, and {left} credits left",
    )
    stage.gates.look_at_books("race", asyncio.run(books.tally(url)).wrong)
    stage.server.drop("race")


def survive(stage: Stage, what: str, url: str, token: str, kill: Callable[[Program], None]) -> None:
    """Something is killed while charges come in, and started again."""
    file = stage.folder / f"accepted-{uuid4().hex}"
    with service(url, stage.folder) as program, _asker(program, token) as asker:
        first = [_charged(asker, uuid4().hex) for _ in range(ANSWERED_BEFORE)]
        before = asyncio.run(books.count(url))
        seconds = int(stage.effort.before_crash) + stage.effort.after_crash
        load = Load(Kind.CHARGES, program.port, SPENDING, seconds, token)
        with killed_at_end(client.started(load, file)) as loading:
            _until_charged(url, before, stage.effort.before_crash)
            kill(program)
            client.ended(loading, load)
        _look_at_replays(stage, what, asker, first)
    keys = file.read_text().split()
    lost = asyncio.run(books.missing(url, keys))
    said = f"{what} was killed: {len(keys)} charges were acknowledged, {lost} are lost"
    stage.gates.look(KEPT, holds=len(keys) > 0 and lost == 0, said=said)
    stage.gates.look_at_books(f"after {what} was killed", asyncio.run(books.tally(url)).wrong)


def _kill_service(program: Program) -> None:
    program.kill()
    program.start()


def _kill_server(stage: Stage) -> None:
    stage.server.kill()
    stage.server.start()


def _spent_by_both(programs: list[Program], token: str, url: str) -> tuple[int, Credits]:
    """How many charges of one account two processes accept, asked at once until it has nothing
    left; and what it has left. Our own client waits for every answer, so that all are counted."""
    loads = [
        Load(Kind.CHARGES, one.port, RACING, RACE_SECONDS, token, accounts=1) for one in programs
    ]
    accepted, deadline = 0, time.monotonic() + EXHAUSTED_SECONDS
    with ThreadPoolExecutor(len(loads)) as both:
        while (left := asyncio.run(books.balance(url, account(0)))) and time.monotonic() < deadline:
            accepted += sum(spell.accepted for spell in both.map(client.run, loads))
    return accepted, left


def _until_charged(url: str, before: int, seconds: float) -> None:
    """Returns when charges have been coming in for so long."""

    def some() -> bool:
        return asyncio.run(books.count(url)) >= before + SOME

    until(some, EXHAUSTED_SECONDS, "no charges came in")
    time.sleep(seconds)


def _look_at_replays(
    stage: Stage, what: str, asker: httpx.Client, first: list[dict[str, Any]]
) -> None:
    again = [_charged(asker, one["entry"]["key"]) for one in first]
    same = [one["entry"] for one in first] == [one["entry"] for one in again]
    fresh = not any(one["replayed"] for one in first)
    holds = same and fresh and all(one["replayed"] for one in again)
    stage.gates.look(REPLAYED, holds=holds, said=f"after {what} was killed: {first} {again}")


@contextmanager
def _asker(program: Program, token: str) -> Iterator[httpx.Client]:
    """What asks one after the other. It tries again where an idle connection has gone."""
    transport = httpx.HTTPTransport(retries=3)
    address = f"http://127.0.0.1:{program.port}"
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=bearer, transport=transport, timeout=30) as asker:
        yield asker


def _charged(asker: httpx.Client, key: str) -> dict[str, Any]:
    """The answer to a charge; the database may still be coming back."""
    body = {"account_uid": account(1), "credits": CREDITS, "key": key, "resource": "kernel-0001"}
    deadline = time.monotonic() + 30
    while True:
        try:
            answer = asker.post(CHARGES, json=body)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == httpx.codes.CREATED:
            told: dict[str, Any] = answer.json()
            return told
        if time.monotonic() > deadline:
            raise TimeoutError(f"A charge was not answered: {answer and answer.text}")
        time.sleep(0.05)
