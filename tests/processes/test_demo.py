"""The demo, as its first command shows it to a newcomer."""

import json
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from local_ports import free_port
from local_stripe import wait_for
from programs import PREPAID, Program, demo, ended, environment, http

Facts = dict[str, str]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Program]:
    with ended([demo(tmp_path / "data").start()]) as (one,):
        yield one


def facts_of(program: Program) -> Facts:
    facts: Facts = json.loads(Path(program.settings["PREPAID_DATA"], "demo.json").read_text())
    return facts


def ask(facts: Facts, method: str, path: str, token: str = "user_token", **more: Any) -> Any:  # noqa: S107 - the name of one
    headers = {"Authorization": f"Bearer {facts[token]}"}
    answer = http.request(method, facts["url"] + path, headers=headers, **more)
    assert answer.is_success, answer.text
    return answer.json()


def balance(facts: Facts) -> float:
    found: float = ask(facts, "GET", "/api/iam/v1/usage/credits")["credits"]["credits"]
    return found


def buy(facts: Facts) -> str:
    """The path of the page: fetch prices, pick one, fetch a session; then Stripe takes a card."""
    package = ask(facts, "GET", "/api/iam/stripe/v1/prices")["prices"][0]
    asked = {"price_id": package["id"], "return_url": f"{facts['url']}/app/settings"}
    opened = ask(facts, "POST", "/api/iam/stripe/v1/checkout/session", json=asked)
    assert opened["client_secret"].startswith(opened["session_id"])
    client = stripe.StripeClient(
        facts["stripe_api_key"], base_addresses={"api": facts["stripe_api_base"]}
    )
    method = client.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})
    client.raw_request(
        "post",
        f"/v1/payment_pages/{opened['session_id']}/confirm",
        payment_method=method.id,
        expected_amount=package["amount"],
    )
    return str(opened["session_id"])


def test_a_newcomer_buys_credits_and_finds_them_after_a_restart(running: Program) -> None:
    facts = facts_of(running)
    assert balance(facts) == 0
    session = buy(facts)
    wait_for(lambda: balance(facts) == 50)
    state = ask(facts, "GET", f"/api/iam/stripe/v1/checkout/session/{session}")
    assert state["state"] == "credited"
    assert running.end() == 0
    running.start()
    again = facts_of(running)
    assert balance(again) == 50
    moving = {"stripe_api_base"}
    assert {k: v for k, v in again.items() if k not in moving} == {
        k: v for k, v in facts.items() if k not in moving
    }


def test_what_a_script_needs_is_for_its_owner_alone(running: Program) -> None:
    folder = Path(running.settings["PREPAID_DATA"])
    assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {
        "url",
        "account_uid",
        "user_token",
        "service_token",
        "admin_token",
        "stripe_api_base",
        "stripe_api_key",
        "webhook_secret",
    } <= set(facts_of(running))


def test_the_page_opens_as_the_user_and_as_the_operator(running: Program) -> None:
    facts = facts_of(running)
    for door, token in (("token", "user_token"), ("operator-token", "admin_token")):
        answer = http.request("POST", f"{facts['url']}/demo/{door}")
        assert answer.json()["token"] == facts[token]
    assert ask(facts, "GET", "/api/iam/v1/whoami", "admin_token")["scope"] == "admin"


def test_each_token_is_what_it_says(running: Program) -> None:
    facts = facts_of(running)
    profile = ask(facts, "GET", "/api/iam/v1/whoami")["profile"]
    assert profile["uid"] == facts["account_uid"]
    accounts = ask(facts, "GET", "/api/iam/v1/accounts", "service_token")["accounts"]
    assert [one["uid"] for one in accounts] == [facts["account_uid"]]
    granted = {"credits": 1.5, "key": "hello", "reason": "a gift"}
    ask(
        facts,
        "POST",
        f"/api/iam/v1/accounts/{facts['account_uid']}/grants",
        "admin_token",
        json=granted,
    )
    assert balance(facts) == 1.5


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_five_seconds_and_leaves_nothing_behind(
    running: Program, how: signal.Signals
) -> None:
    stripe_base = facts_of(running)["stripe_api_base"]
    assert running.end(how) == 0
    for url in (running.url, stripe_base):
        with pytest.raises(httpx.ConnectError):
            http.get(url)


def test_two_copies_run_side_by_side(running: Program, tmp_path: Path) -> None:
    with ended([demo(tmp_path / "other").start()]) as (other,):
        buy(facts_of(other))
        wait_for(lambda: balance(facts_of(other)) == 50)
        assert balance(facts_of(running)) == 0


def test_a_port_may_change_and_what_was_paid_still_arrives(running: Program) -> None:
    """The endpoint at the simulated Stripe moves along, with whatever is still due to it."""
    running.end()
    running.port = free_port()
    running.start()
    facts = facts_of(running)
    buy(facts)
    wait_for(lambda: balance(facts) == 50)


def refused(**settings: str) -> str:
    done = subprocess.run(
        [PREPAID, "demo"],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_port_that_is_taken_is_told_in_words(running: Program, tmp_path: Path) -> None:
    told = refused(PREPAID_DATA=str(tmp_path / "other"), PREPAID_PORT=str(running.port))
    assert "PREPAID_PORT" in told


def test_a_folder_that_is_in_use_is_told_in_words(running: Program) -> None:
    told = refused(PREPAID_DATA=running.settings["PREPAID_DATA"], PREPAID_PORT=str(free_port()))
    assert "PREPAID_DATA" in told
