"""The front answers what the app's routes would: a request with an origin goes past it to them."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from local_service import House, token
from prepaid.core.identity import Scope

CHARGES = "/api/iam/v1/usage/charges"
BATCH = f"{CHARGES}/batch"
CREDITS = "/api/iam/v1/usage/credits"
RESERVATIONS = "/api/iam/v1/usage/reservations"
OURS = {"Content-Type": "application/json"}
ORIGIN = {"Origin": "https://elsewhere.example"}

CHARGE: dict[str, Any] = {"credits": 1, "key": "k", "resource": "r", "resource_type": "kernel"}
BODIES: list[Any] = [
    CHARGE,
    CHARGE | {"credits": "1.5"},
    CHARGE | {"credits": "1_0"},
    CHARGE | {"credits": True},
    CHARGE | {"credits": None},
    CHARGE | {"credits": -1},
    CHARGE | {"credits": 0},
    CHARGE | {"credits": 1e300},
    CHARGE | {"credits": 0.0000001},
    CHARGE | {"credits": 0.000001},
    CHARGE | {"credits": 1.234567},
    CHARGE | {"credits": 999999999.999999},
    CHARGE | {"credits": 1234567890},
    CHARGE | {"credits": 11},
    CHARGE | {"credits": []},
    CHARGE | {"key": ""},
    CHARGE | {"key": 7},
    CHARGE | {"key": "\u00e9"},
    CHARGE | {"resource": "two words, \u00e9"},
    CHARGE | {"resource": "a\ttab"},
    CHARGE | {"resource": "long " * 50},
    CHARGE | {"resource": None},
    CHARGE | {"resource_type": "two words"},
    CHARGE | {"description": "d" * 501},
    CHARGE | {"description": "a\u2028b"},
    CHARGE | {"more": "than asked"},
    CHARGE | {"account_uid": "somebody-else"},
    CHARGE | {"account_uid": "two words"},
    CHARGE | {"account_uid": None},
    {},
    [],
    None,
    "text",
]
RAW = [
    b"",
    b"{",
    b'{"credits": NaN, "key": "k"}',
    b'{"credits": 1e400, "key": "k"}',
    b'{"credits": 1e99999999999999999999, "key": "k"}',
    b'{"credits": 1.0, "key": "k"}',
    b'{"credits": 0.1000000, "key": "k"}',
    b'{"credits": 01, "key": "k"}',
    b'{"credits": 1., "key": "k"}',
    b'{"credits": -0, "key": "k"}',
    b'{"credits": 1, "credits": 2, "key": "k"}',
    b'{"credits": 1, "key": "\\ud800"}',
    b'{"credits": 1, "key": "\xff"}',
    b"[" * 5_000,
    b" " * 2_000_000,
]


@pytest.fixture
def ada(house: House, uid: str) -> str:
    """A user with ten credits."""
    house.post("/api/iam/v1/accounts", house.admin(), {"uid": uid}, 201)
    granted = {"credits": 10, "key": "start", "reason": "to spend"}
    house.post(f"/api/iam/v1/accounts/{uid}/grants", house.admin(), granted, 201)
    return uid


def same(told: httpx.Response) -> tuple[int, Any, list[str]]:
    """What of an answer is the same however it was made: ids, keys and instants are not."""
    document = told.json()
    for one in (document, *document.get("outcomes", [])):
        for name in ("id", "key", "at", "number"):
            one.get("entry", {}).pop(name, None)
    document.get("credits", {}).pop("last_update", None)
    headers = [
        f"{name}: {told.headers.get(name)}"
        for name in ("content-type", "www-authenticate", "retry-after")
    ]
    assert told.headers["x-request-id"]
    return told.status_code, document, headers


def both_ways(house: House, method: str, path: str, secret: str, bodies: list[bytes]) -> Any:
    """What the front answers, and what the routes answer."""
    answers = []
    house._http.get(CREDITS, headers={"Authorization": f"Bearer {secret}"})  # known from now on
    for body, more in zip(bodies, ({}, ORIGIN), strict=True):
        headers = {"Authorization": f"Bearer {secret}"} | OURS | more
        answers.append(same(house._http.request(method, path, content=body, headers=headers)))
    return answers


def fresh(body: Any) -> bytes:
    """With a key that nobody has used, if it has the usual one."""
    if isinstance(body, dict) and body.get("key") == "k":
        body = body | {"key": uuid4().hex}
    return json.dumps(body).encode()


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_a_charge_is_answered_as_by_its_route(house: House, ada: str, number: int) -> None:
    """The second is charged after the first: so much less is left."""
    bodies = [fresh(BODIES[number]) for _ in range(2)]
    first, second = both_ways(house, "POST", CHARGES, token(ada), bodies)
    if first[0] == 201:
        for told in (first, second):
            told[1]["entry"].pop("balance")
    assert first == second


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_a_batch_is_answered_as_by_its_route(house: House, ada: str, number: int) -> None:
    bodies = [b'{"charges": [%s]}' % fresh(BODIES[number]) for _ in range(2)]
    first, second = both_ways(house, "POST", BATCH, token(ada), bodies)
    for told in (*first[1].get("outcomes", []), *second[1].get("outcomes", [])):
        told.get("entry", {}).pop("balance", None)
    assert first == second


@pytest.mark.parametrize("path", [CHARGES, BATCH])
@pytest.mark.parametrize("number", range(len(RAW)))
def test_bytes_that_are_no_charge_are_answered_as_by_its_route(
    house: House, ada: str, path: str, number: int
) -> None:
    body = RAW[number].replace(b'"k"', b'"%s"' % uuid4().hex.encode())
    first, second = both_ways(house, "POST", path, token(ada), [body, body])
    if first[0] == 201:
        assert second[1].pop("replayed")
        assert not first[1].pop("replayed")
    assert first == second


@pytest.mark.parametrize(
    "query", ["", "?account_uid={}", "?account_uid=eve", "?x=1", "?account_uid="]
)
def test_a_balance_is_answered_as_by_its_route(house: House, ada: str, query: str) -> None:
    for path in (CREDITS, "/api/iam/v1usage/credits"):
        asked = f"{path}{query.format(ada)}"
        first, second = both_ways(house, "GET", asked, token(ada), [b"", b""])
        assert first == second


def test_a_heartbeat_is_answered_as_by_its_route(house: House, ada: str) -> None:
    asked = {"resource": "k1", "burning_rate": 0, "credits": 5, "key": "h"}
    id_ = house.post(RESERVATIONS, token(ada), asked, 201)["reservation"]["id"]
    for name in (id_, f"runtime-{uuid4()}", "nothing", "a/b", "%00"):
        path = f"{RESERVATIONS}/{name}/heartbeat"
        first, second = both_ways(house, "POST", path, token(ada), [b"", b"{}"])
        for told in (first, second):
            told[1].get("reservation", {}).pop("last_update", None)
        assert first == second


def test_a_delivery_is_answered_as_by_its_route(house: House) -> None:
    path = "/api/iam/stripe/v1/webhook"
    for body in (b"", b"{}", b"x" * 2_000_000):
        first, second = both_ways(house, "POST", path, "not asked for", [body, body])
        assert first == second


@pytest.mark.parametrize("written", ["Bearer", "Bearer nobody's", "Bearer prepaid_x", "Basic x"])
def test_who_is_not_known_is_told_so_as_by_the_route(house: House, written: str) -> None:
    """Before anything is said about what they ask for, however wrong that is."""
    one, wrong = fresh(CHARGE), fresh(CHARGE | {"credits": -1})
    for method, path, body in (
        *(("POST", CHARGES, content) for content in (b"{}", one, wrong)),
        ("POST", BATCH, b'{"charges": [%s, %s]}' % (one, wrong)),
        ("POST", BATCH, b'{"charges": []}'),
        ("GET", CREDITS, b""),
        ("POST", f"{RESERVATIONS}/nothing/heartbeat", b""),
    ):
        headers = {"Authorization": written} | OURS
        first, second = (
            same(house._http.request(method, path, content=body, headers=headers | more))
            for more in ({}, ORIGIN)
        )
        assert first == second
        assert first[0] == 401


def test_the_platform_names_whom_it_charges(house: House, ada: str) -> None:
    secret = house.key(Scope.SERVICE).secret
    bodies = [fresh(CHARGE), fresh(CHARGE)]
    first, second = both_ways(house, "POST", CHARGES, secret, bodies)
    assert first == second
    assert first[0] == 403
    named = [fresh(CHARGE | {"account_uid": ada}) for _ in range(2)]
    told = both_ways(house, "POST", CHARGES, secret, named)
    assert [one[1]["entry"]["balance"] for one in told] == [9, 8]
