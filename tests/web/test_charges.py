"""Spending over HTTP: exact, once, and never another's or more than there is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from holders import holder
from local_clock import LocalClock
from local_service import House, exact, refused, running_by, token
from local_stripe import LocalStripe, wait_for
from prepaid.core.identity import Scope
from prepaid.flows.consumption import MOST_CHARGES

CHARGES = "/api/iam/v1/usage/charges"
BATCH = f"{CHARGES}/batch"


@pytest.fixture
def rich(house: House, uid: str) -> str:
    """An account with ten credits."""
    house.post("/api/iam/v1/accounts", house.admin(), {"uid": uid}, 201)
    granted = {"credits": 10, "key": "start", "reason": "to spend"}
    house.post(f"/api/iam/v1/accounts/{uid}/grants", house.admin(), granted, 201)
    return uid


@pytest.fixture
def platform(house: House) -> str:
    return house.key(Scope.SERVICE).secret


def asked(uid: str | None, credits_: object = 3, key: str = "run-1", **more: object) -> Any:
    usual = {"credits": credits_, "key": key, "resource": "k1", "resource_type": "kernel"}
    return usual | ({"account_uid": uid} if uid else {}) | more


def test_the_platform_charges_an_account(house: House, rich: str, platform: str) -> None:
    told = house.post(CHARGES, platform, asked(rich, description="one minute"), 201)
    entry = told["entry"]
    assert (entry["kind"], entry["credits"], entry["balance"]) == ("charge", -3, 7)
    assert (entry["source"], entry["reason"]) == ("kernel k1", "one minute")
    assert house.credits(token(rich)) == 7


def test_a_user_spends_their_own(house: House, rich: str) -> None:
    assert (
        house.post(CHARGES, token(rich), asked(None, "0.000001"), 201)["entry"]["balance"]
        == "9.999999"
    )


def test_nobody_spends_anothers(house: House, rich: str) -> None:
    refused(house.ask("POST", CHARGES, token("eve"), json=asked(rich)), 403)
    assert house.credits(token(rich)) == 10


def test_the_same_key_spends_once(house: House, rich: str, platform: str) -> None:
    first = house.post(CHARGES, platform, asked(rich), 201)
    again = house.post(CHARGES, platform, asked(rich), 201)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["entry"] == first["entry"]
    refused(house.ask("POST", CHARGES, platform, json=asked(rich, 4)), 409)
    assert house.credits(token(rich)) == 7


def test_a_refusal_says_what_is_missing_and_where_to_buy(
    house: House, rich: str, platform: str
) -> None:
    answer = house.ask("POST", CHARGES, platform, json=asked(rich, "10.5"))
    told = refused(answer, 402, "insufficient_credits")
    assert (told["asked"], told["available"]) == (10.5, 10)
    assert told["reason"] == "insufficient_credits"
    assert told["message"].startswith("Insufficient credits: 10.5 needed, 10 available")
    assert told["buy_url"].startswith("http")
    assert house.credits(token(rich)) == 10


BAD = [
    *(("credits", amount, 400, "invalid_credits") for amount in ("0", "-0", "-1", "-0.000001")),
    *(("credits", amount, 400, "invalid_credits") for amount in ("0.0000001", '"1.0000001"')),
    *(("credits", amount, 400, "invalid_credits") for amount in ("1000000000", "1e400", "1e-400")),
    ("credits", f"1{'0' * 60}", 400, "invalid_credits"),
    *(("credits", amount, 402, "insufficient_credits") for amount in ("10.000001", "999999999")),
    *(("credits", amount, 422, "invalid_request") for amount in ("NaN", "-Infinity", "true")),
    *(("credits", amount, 422, "invalid_request") for amount in ("null", '"many"', '"1e3"', "[1]")),
    *(
        ("key", key, 400, "invalid_key")
        for key in ('""', '"a\\nb"', '"reservation:1"', '"stripe:1"')
    ),
    ("key", '"start"', 409, "idempotency_key_reused"),
    ("resource", '"\\ud800"', 422, "invalid_request"),
    ("account_uid", '"nobody-at-all"', 404, "unknown_account"),
    ("account_uid", "null", 403, "forbidden"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[0]}={bad[1][:20]}")
def test_what_cannot_be_charged_changes_nothing(
    house: House, bad: tuple[str, str, int, str]
) -> None:
    ada = holder(house)
    ada.give(10, key="start")
    field, written, status, code = bad
    usual = {"account_uid": f'"{ada.uid}"', "credits": "3", "key": '"run-1"', "resource": '"k1"'}
    fields = ", ".join(f'"{name}": {said}' for name, said in (usual | {field: written}).items())
    headers = {"Content-Type": "application/json"}
    with ada.unchanged():
        for path, body in ((CHARGES, f"{{{fields}}}"), (BATCH, f'{{"charges": [{{{fields}}}]}}')):
            answer = house.ask("POST", path, ada.platform, content=body.encode(), headers=headers)
            if path == CHARGES or status == 422:
                refused(answer, status, code)
            else:
                (outcome,) = exact(answer)["outcomes"]
                assert (outcome["success"], outcome["code"]) == (False, code)


@pytest.mark.parametrize("changed", [{"credits": 4}, {"resource": "k2"}, {"description": "more"}])
def test_a_key_is_not_used_for_anything_else(
    house: House, rich: str, platform: str, changed: dict[str, object]
) -> None:
    house.post(CHARGES, platform, asked(rich), 201)
    answer = house.ask("POST", CHARGES, platform, json=asked(rich) | changed)
    refused(answer, 409, "idempotency_key_reused")
    assert house.credits(token(rich)) == 7


@pytest.mark.parametrize("type_", ["a b", " ", "a\0", "x" * 51, None, 1])
def test_a_resources_type_is_a_word(house: House, rich: str, platform: str, type_: object) -> None:
    answer = house.ask("POST", CHARGES, platform, json=asked(rich, resource_type=type_))
    refused(answer, 422, "invalid_request")
    assert house.credits(token(rich)) == 10


def test_an_unknown_account_is_refused(house: House, platform: str) -> None:
    refused(house.ask("POST", CHARGES, platform, json=asked("nobody-at-all")), 404)


def test_a_batch_has_an_outcome_for_each(house: House, rich: str, platform: str) -> None:
    told = house.post(
        BATCH,
        platform,
        {
            "charges": [
                asked(rich, 4, "a"),
                asked(rich, 7, "b"),
                asked(rich, 6, "c"),
                asked("nobody-at-all", 1, "d"),
                asked(rich, "0.0000001", "e"),
                asked(rich, 4, "a"),
            ]
        },
    )
    codes = [one.get("code", "charged") for one in told["outcomes"]]
    assert codes == [
        "charged",
        "insufficient_credits",
        "charged",
        "unknown_account",
        "invalid_credits",
        "charged",
    ]
    assert told["outcomes"][1]["available"] == 6
    assert told["outcomes"][5]["replayed"] is True
    assert house.credits(token(rich)) == 0


def test_a_batch_has_its_limits(house: House, rich: str, platform: str) -> None:
    full = [asked(rich, "0.000001", str(number)) for number in range(MOST_CHARGES)]
    told = house.post(BATCH, platform, {"charges": full})
    assert all(one["success"] for one in told["outcomes"])
    assert house.credits(token(rich)) == "9.999"
    refused(house.ask("POST", BATCH, platform, json={"charges": [*full, asked(rich)]}), 422)
    refused(house.ask("POST", BATCH, platform, json={"charges": []}), 422)


def test_twenty_at_once_with_money_for_three_are_three(both: House, uid: str) -> None:
    both.post("/api/iam/v1/accounts", both.admin(), {"uid": uid}, 201)
    granted = {"credits": "10.5", "key": "start", "reason": "to spend"}
    both.post(f"/api/iam/v1/accounts/{uid}/grants", both.admin(), granted, 201)

    def spend(number: int) -> int:
        return both.ask("POST", CHARGES, token(uid), json=asked(None, 3, str(number))).status_code

    with ThreadPoolExecutor(20) as crowd:
        statuses = list(crowd.map(spend, range(20)))
    assert sorted(statuses) == [201] * 3 + [402] * 17
    answer = both.ask("GET", "/api/iam/v1/usage/credits", token(uid))
    assert exact(answer)["credits"]["credits"] == "1.5"


def test_what_expires_leaves_the_balance_by_itself(
    database_url: str, stripe_account: LocalStripe, uid: str
) -> None:
    """The service sweeps every second; the books say what happened."""
    clock = LocalClock(speed=0)
    with running_by(clock, database_url, stripe_account) as house:
        house.post("/api/iam/v1/accounts", house.admin(), {"uid": uid}, 201)
        soon = (clock() + timedelta(minutes=1)).isoformat()
        granted = {"credits": 5, "key": "short", "reason": "for a minute", "expires_at": soon}
        house.post(f"/api/iam/v1/accounts/{uid}/grants", house.admin(), granted, 201)
        assert house.credits(token(uid)) == 5
        clock.forward(61)
        wait_for(lambda: house.credits(token(uid)) == 0)
        (expiry, _) = house.get("/api/iam/v1/usage/entries", token(uid))["entries"]
    assert (expiry["kind"], expiry["credits"]) == ("expiry", -5)
