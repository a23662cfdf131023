"""Service processes that share a database, everybody at once, and a kill whenever it hurts most."""

import asyncio
import json
import random
import signal
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread

import httpx
import pytest

from local_service import CREDITS, RETURN_URL, SESSIONS, WEBHOOK, bearer, exact, token
from local_stripe import Json, LocalStripe, local_stripe, signed, wait_for
from programs import PREPAID, Program, ended, environment, http, service


@pytest.fixture
def stripe_account() -> Iterator[LocalStripe]:
    with local_stripe(retry_seconds=(0.05, 0.1, 0.2, 0.4, *[0.5] * 200), retry_scale=1.0) as stripe:
        yield stripe


@pytest.fixture
def two(database_url: str, stripe_account: LocalStripe, tmp_path: Path) -> Iterator[list[Program]]:
    programs = [service(stripe_account, database_url, tmp_path).start() for _ in range(2)]
    with ended(programs):
        yield programs


def balance(program: Program, uid: str) -> Decimal:
    answer = http.get(program.url + CREDITS, headers=bearer(token(uid)))
    found: Decimal = exact(answer)["credits"]["credits"]
    return Decimal(found)


def open_session(program: Program, uid: str, price_id: str) -> str:
    asked = {"price_id": price_id, "return_url": RETURN_URL}
    answer = http.post(program.url + SESSIONS, headers=bearer(token(uid)), json=asked)
    assert answer.is_success, answer.text
    return str(answer.json()["session_id"])


async def post_all(urls: list[str], body: Json) -> list[int]:
    raw = json.dumps(body).encode()
    headers = {"Stripe-Signature": signed(raw)}
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        answers = await asyncio.gather(
            *(client.post(url, content=raw, headers=headers) for url in urls)
        )
    return [answer.status_code for answer in answers]


def test_two_hundred_deliveries_of_one_event_to_two_processes_grant_once(
    two: list[Program], stripe_account: LocalStripe
) -> None:
    price = stripe_account.package()
    session = open_session(two[0], "ada", price)
    stripe_account.pay(session)
    event = stripe_account.event(session)
    urls = [two[i % 2].url + WEBHOOK for i in range(200)]
    assert asyncio.run(post_all(urls, event)) == [200] * 200
    assert balance(two[0], "ada") == balance(two[1], "ada") == 50


def test_with_stripes_settings_nothing_of_the_demo_is_there(
    two: list[Program], tmp_path: Path
) -> None:
    made = {path.name for path in tmp_path.iterdir()}
    assert not {"demo.json", "demo.lock", "simulator.db"} & made
    assert "token" not in "".join(program.log.read_text() for program in two)


def test_ten_first_requests_at_two_processes_make_one_customer(
    two: list[Program], stripe_account: LocalStripe
) -> None:
    price = stripe_account.package()
    before = stripe_account.count("customer")

    async def race() -> set[str]:
        asked = {"price_id": price, "return_url": RETURN_URL}
        async with httpx.AsyncClient(timeout=60, headers=bearer(token("ada"))) as client:
            answers = await asyncio.gather(
                *(client.post(two[i % 2].url + SESSIONS, json=asked) for i in range(10))
            )
        return {answer.json()["session_id"] for answer in answers}

    assert len(asyncio.run(race())) == 1
    assert stripe_account.count("customer") == before + 1


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_service_that_is_killed_under_a_stream_of_webhooks_ends_exact(
    database_url: str, stripe_account: LocalStripe, tmp_path: Path
) -> None:
    rng = random.Random(9)  # noqa: S311 - the moments are to be repeatable
    program = service(stripe_account, database_url, tmp_path).start()
    stripe_account.ask(
        "POST",
        "/v1/webhook_endpoints",
        url=program.url + WEBHOOK,
        **{"enabled_events[0]": "checkout.session.completed"},
    )
    buyers = [f"buyer-{number}" for number in range(8)]
    with ended([program]):
        price = stripe_account.package()
        sessions = []
        for number in range(120):
            session = open_session(program, buyers[number % 8], price)
            sessions.append(session)
            if number % 8 == 7:
                paying = Thread(target=lambda due: [*map(stripe_account.pay, due)], args=[sessions])
                paying.start()
                moment = rng.uniform(0, 0.25)
                paying.join(moment)
                program.end(signal.SIGKILL)
                paying.join()
                sessions = []
                program.start()
        wait_for(lambda: sum(balance(program, uid) for uid in buyers) == 120 * 50)
        assert {balance(program, uid) for uid in buyers} == {Decimal(15 * 50)}
        verified = subprocess.run(
            [PREPAID, "verify"],
            env=environment(**program.settings),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout
