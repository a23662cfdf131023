"""Reservations over HTTP: read, listed and paged, under the ids that they were told."""

import pytest

from holders import RESERVATIONS, USAGE, Holder, holder
from local_service import RETURN_ORIGIN, House, refused


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


def test_a_reservation_is_read_as_it_was_told(house: House, ada: Holder) -> None:
    told = house.post(RESERVATIONS, ada.user, {**ada.asked(credits=5), "account_uid": None}, 201)
    one = told["reservation"]
    for secret in (ada.user, ada.platform):
        read = ada.does("GET", one, secret=secret)
        assert read.keys() == told.keys() - {"replayed"}
        assert read["reservation"] | {"used": 0} == one | {"used": 0}
        assert 0 < float(read["seconds_left"]) <= 5


def test_open_ones_are_listed_where_either_client_looks(house: House, ada: Holder) -> None:
    first, second = ada.opens(), ada.opens(resource_type="sandbox")
    ended = ada.opens()
    ada.does("POST", ended, "/settlement")
    told = house.get(RESERVATIONS, ada.user)
    assert [one["id"] for one in told["reservations"]] == [second["id"], first["id"]]
    assert told["data"]["total"] == 2
    assert [one["id"] for one in told["data"]["reservations"]] == [second["id"], first["id"]]
    for query, found in (("type=sandbox", [second]), ("type=none", []), ("type=", [second, first])):
        listed = house.get(f"{RESERVATIONS}?{query}", ada.user)["data"]["reservations"]
        assert [one["id"] for one in listed] == [one["id"] for one in found]


def test_what_ran_too_comes_in_pages(both: House) -> None:
    ada = holder(both, credits_=100)
    opened = [ada.opens(resource_type=kind) for kind in ("a", "b", "a", "a", "b", "a")]
    for one in opened[:3]:
        ada.does("POST", one, "/release")
    ids = [one["id"] for one in reversed(opened)]
    assert pages(ada, "limit=2") == [ids[:2], ids[2:4], ids[4:]]
    assert pages(ada, "limit=4") == [ids[:4], ids[4:]]
    assert pages(ada, "limit=6") == pages(ada, "limit=100") == [ids]
    assert pages(ada, "type=b&limit=1") == [[ids[1]], [ids[4]]]


def pages(ada: Holder, query: str) -> list[list[str]]:
    """The ids of each page."""
    found: list[list[str]] = []
    path: str | None = f"{RESERVATIONS}?state=all&{query}"
    while path:
        told = ada.house.get(path, ada.user)
        found.append([one["id"] for one in told["reservations"]])
        more = told["next_before"]
        path = more and f"{RESERVATIONS}?state=all&{query}&before={more}"
    return found


def test_the_word_of_an_id_is_for_people(ada: Holder) -> None:
    one = ada.opens(credits=5, resource_type="gpu-sandbox_2")
    kind, uuid = one["id"][:-37], one["id"][-36:]
    assert kind == "gpu-sandbox_2"
    assert ada.does("GET", {"id": f"kernel-{uuid}"})["reservation"]["id"] == one["id"]


@pytest.mark.parametrize(
    "query", ["before=x", "before=", "limit=0", "limit=101", "state=ended", "type=%00", "state="]
)
def test_a_list_that_nobody_can_ask_for_is_refused(ada: Holder, query: str) -> None:
    answer = ada.house.ask("GET", f"{RESERVATIONS}?{query}", ada.user)
    refused(answer, 422, "invalid_request")


def test_the_platform_says_whose_it_means(ada: Holder) -> None:
    refused(ada.house.ask("GET", RESERVATIONS, ada.platform), 403, "forbidden")
    path = f"{RESERVATIONS}?account_uid=nobody-at-all"
    for state in ("open", "all"):
        answer = ada.house.ask("GET", f"{path}&state={state}", ada.platform)
        refused(answer, 404, "unknown_account")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", RESERVATIONS),
        ("PUT", f"{RESERVATIONS}/x/burning-rate"),
        ("DELETE", f"{USAGE}/credits"),
    ],
)
def test_pages_may_reserve(house: House, method: str, path: str) -> None:
    asks = {"Origin": RETURN_ORIGIN, "Access-Control-Request-Method": method}
    asks["Access-Control-Request-Headers"] = "authorization,content-type,idempotency-key"
    answer = house.ask("OPTIONS", path, headers=asks)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == RETURN_ORIGIN
    assert method in answer.headers["access-control-allow-methods"]
    refusal = house.ask("POST", RESERVATIONS, headers={"Origin": RETURN_ORIGIN}, json={})
    assert refused(refusal, 401)["success"] is False
    assert refusal.headers["access-control-allow-origin"] == RETURN_ORIGIN
