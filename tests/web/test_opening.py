"""Reservations opened over HTTP: exactly, once, and never more than there is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from holders import RESERVATIONS, Holder, holder
from local_service import House, exact, refused
from local_stripe import Json
from prepaid.core.reservations import MOST_OPEN
from prepaid.storage.tables import accounts

FIELDS = {
    *("id", "account_uid", "resource", "resource_type", "resource_given_name", "resource_state"),
    *("credits", "limit", "burning_rate", "used", "state", "why", "start_date", "last_update"),
    *("end_date", "heartbeat_seconds", "epoch", "key", "depletes_at"),
}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


def test_a_limit_is_reserved_at_once(house: House, ada: Holder) -> None:
    body = ada.asked(credits="0.333", burning_rate="0.000555", resource_given_name="My Kernel")
    answer = house.ask("POST", RESERVATIONS, ada.platform, json=body)
    told = exact(answer)
    assert answer.status_code == 201
    assert (told["success"], told["replayed"], told["heartbeat_seconds"]) == (True, False, 30)
    assert (told["seconds_left"], told["runway_seconds"]) == ("600.000", "600.000")
    one = told["reservation"]
    assert one.keys() == FIELDS
    assert one["id"].startswith("runtime-")
    assert (one["credits"], one["limit"], one["burning_rate"]) == ("0.333", "0.333", "0.000555")
    assert (one["resource"], one["resource_given_name"]) == ("k1", "My Kernel")
    assert one["state"] == one["resource_state"] == "pending"
    assert (one["epoch"], one["key"], one["why"], one["end_date"]) == (1, "run-1", "", None)
    lasts = datetime.fromisoformat(one["depletes_at"]) - datetime.fromisoformat(one["start_date"])
    assert lasts == timedelta(seconds=600)


def test_without_a_limit_a_slice_of_three_heartbeats_is(ada: Holder) -> None:
    one = ada.opens(burning_rate="0.25", heartbeat_seconds=10)
    assert (one["credits"], one["limit"]) == ("7.5", None)
    balance = ada.balance()
    assert (balance["balance"], balance["reserved"], balance["available"]) == (100, "7.5", "92.5")
    assert (balance["burning_rate"], balance["burning_rate_per_hour"]) == ("0.25", 900)
    assert balance["credits"]["credits"] == 100  # Datalayer's: before reservations
    assert [held["id"] for held in balance["reservations"]] == [one["id"]]


BAD = [
    *(
        ("burning_rate", rate, 400, "invalid_rate")
        for rate in ("-1", "-0.000001", "0", "0.0000001")
    ),
    *(("burning_rate", rate, 400, "invalid_rate") for rate in ("10000.000001", "1e400", "1e-400")),
    ("burning_rate", f"1{'0' * 60}", 400, "invalid_rate"),
    *(("credits", limit, 400, "invalid_limit") for limit in ("0", "-1", "-0", "-0.000001")),
    *(("credits", limit, 400, "invalid_credits") for limit in ("0.0000001", "1e400", "1000000000")),
    *(("credits", limit, 402, "insufficient_credits") for limit in ("100.000001", "999999999")),
    *(("heartbeat_seconds", n, 400, "invalid_heartbeat") for n in ("0", "-1", "3601", "9" * 30)),
    *(("heartbeat_seconds", n, 422, "invalid_request") for n in ("true", "1.0", '"30"', "null")),
    *(("heartbeat_seconds", n, 422, "invalid_request") for n in ("1e2", "30.5", "9" * 5_000)),
    *(("key", key, 400, "invalid_key") for key in ('""', '"a\\nb"', '"\\u00fc"', f'"{"x" * 201}"')),
    *(("key", key, 422, "invalid_request") for key in ("null", "1", "[]")),
    *(("resource", name, 422, "invalid_request") for name in ('""', "null", '"a\\u0000b"')),
    ("resource", f'"{"x" * 201}"', 422, "invalid_request"),
    *(("resource_type", kind, 422, "invalid_request") for kind in ('""', '"Runtime"', '"a b"')),
    *(("resource_type", kind, 422, "invalid_request") for kind in ("null", f'"{"x" * 51}"', '"-"')),
    *(("resource_given_name", name, 422, "invalid_request") for name in ("null", '"\\ud800"')),
    *(("account_uid", uid, 422, "invalid_request") for uid in ('"a b"', '""', "1")),
    ("account_uid", '"nobody-at-all"', 404, "unknown_account"),
    ("account_uid", "null", 403, "forbidden"),
    *(
        (field, number, 422, "invalid_request")
        for field in ("burning_rate", "credits")
        for number in ("NaN", "-Infinity", "true", '"1e3"', '" 1"', "[1]", "{}", "01", "")
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[0]}={bad[1][:20]}")
def test_what_cannot_be_reserved_changes_nothing(
    house: House, ada: Holder, bad: tuple[str, str, int, str]
) -> None:
    field, written, status, code = bad
    usual = {
        "account_uid": f'"{ada.uid}"',
        "resource": '"k1"',
        "burning_rate": "1",
        "key": '"run-1"',
    }
    fields = ", ".join(f'"{name}": {said}' for name, said in (usual | {field: written}).items())
    headers = {"Content-Type": "application/json"}
    with ada.unchanged():
        answer = house.ask(
            "POST", RESERVATIONS, ada.platform, content=f"{{{fields}}}".encode(), headers=headers
        )
        told = refused(answer, status, code)
    if status == 402:
        assert (told["reason"], told["available"]) == (code, 100)
        assert told["buy_url"] == "https://credits.example.com/checkout"


@pytest.mark.parametrize("field", ["resource", "burning_rate", "key"])
def test_what_is_needed_may_not_be_left_out(house: House, ada: Holder, field: str) -> None:
    body = ada.asked()
    del body[field]
    with ada.unchanged():
        refused(house.ask("POST", RESERVATIONS, ada.platform, json=body), 422, "invalid_request")


def test_opening_takes_one_interval_at_least(house: House, ada: Holder) -> None:
    with ada.unchanged():
        body = ada.asked(burning_rate="0.027778", heartbeat_seconds=3600)
        told = refused(house.ask("POST", RESERVATIONS, ada.platform, json=body), 402)
        assert (told["asked"], told["available"]) == (100.0008, 100)
    assert ada.opens(burning_rate="0.027777", heartbeat_seconds=3600)["credits"] == 100


def test_the_same_key_opens_once(house: House, ada: Holder) -> None:
    body = ada.asked(credits=5)
    first = house.post(RESERVATIONS, ada.platform, body, 201)
    with ada.unchanged():
        again = house.post(RESERVATIONS, ada.platform, body | {"credits": "5.0"}, 201)
    assert again["replayed"]
    assert again["reservation"] | {"used": 0} == first["reservation"]
    for changed in (
        {"credits": 6},
        {"credits": None},
        {"burning_rate": 2},
        {"resource": "k2"},
        {"resource_type": "sandbox"},
        {"resource_given_name": "mine"},
        {"heartbeat_seconds": 31},
    ):
        with ada.unchanged():
            answer = house.ask("POST", RESERVATIONS, ada.platform, json=body | changed)
            refused(answer, 409, "idempotency_key_reused")
    with ada.unchanged():  # the platform's key is not the user's: only one of them may change it
        refused(house.ask("POST", RESERVATIONS, ada.user, json=body), 409)


def test_the_same_key_tells_how_it_ended(house: House, ada: Holder) -> None:
    first = house.post(RESERVATIONS, ada.platform, ada.asked(), 201)["reservation"]
    ada.does("POST", first, "/settlement")
    again = house.post(RESERVATIONS, ada.platform, ada.asked(), 201)
    assert again["replayed"]
    assert (again["reservation"]["id"], again["reservation"]["state"]) == (first["id"], "settled")


def test_twenty_at_once_under_one_key_are_one(both: House) -> None:
    ada = holder(both, credits_=100)

    def opens(_: int) -> Json:
        return both.post(RESERVATIONS, ada.platform, ada.asked(credits=5), 201)

    with ThreadPoolExecutor(20) as crowd:
        told = list(crowd.map(opens, range(20)))
    assert len({one["reservation"]["id"] for one in told}) == 1
    assert [one["replayed"] for one in told].count(False) == 1
    assert ada.balance()["reserved"] == 5


def test_twenty_at_once_with_credits_for_three_are_three(both: House) -> None:
    ada = holder(both, credits_="10.5")

    def opens(number: int) -> int:
        body = ada.asked(credits=3, key=f"run-{number}")
        return both.ask("POST", RESERVATIONS, ada.platform, json=body).status_code

    with ThreadPoolExecutor(20) as crowd:
        statuses = list(crowd.map(opens, range(20)))
    assert sorted(statuses) == [201] * 3 + [402] * 17
    balance = ada.balance()
    assert (balance["reserved"], balance["available"]) == (9, "1.5")
    assert ada.findings() == []


def test_an_account_has_so_many_open_and_no_more(both: House) -> None:
    ada = holder(both, credits_=100)
    one = ada.opens(key="last")
    ada.writes(update(accounts).values(open=MOST_OPEN))
    with ada.unchanged():
        answer = both.ask("POST", RESERVATIONS, ada.platform, json=ada.asked())
        refused(answer, 409, "too_many")
        assert ada.opens(key="last")["id"] == one["id"]
    ada.does("POST", one, "/settlement")
    assert ada.opens()["state"] == "pending"
