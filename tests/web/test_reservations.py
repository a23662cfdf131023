"""Reservations over HTTP: opened, kept alive, changed, ended; by whom, once, and exactly."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from holders import RESERVATIONS, USAGE, Holder, holder
from local_clock import LocalClock
from local_service import RETURN_ORIGIN, House, exact, refused, running_by
from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.identity import Scope

FIELDS = {
    *("id", "account_uid", "resource", "resource_type", "resource_given_name", "resource_state"),
    *("credits", "limit", "burning_rate", "used", "state", "why", "start_date", "last_update"),
    *("end_date", "heartbeat_seconds", "epoch", "key", "depletes_at"),
}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


def asked(ada: Holder, **more: object) -> Json:
    usual = {"account_uid": ada.uid, "resource": "k1", "burning_rate": 1, "key": "run-1"}
    return usual | more


def test_a_limit_is_reserved_at_once(house: House, ada: Holder) -> None:
    body = asked(ada, credits="0.333", burning_rate="0.000555", resource_given_name="My Kernel")
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


def test_a_reservation_is_read_as_it_was_told(house: House, ada: Holder) -> None:
    told = house.post(RESERVATIONS, ada.user, {**asked(ada, credits=5), "account_uid": None}, 201)
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


def test_heartbeats_confirm_and_do_no_harm(house: House, ada: Holder) -> None:
    one = ada.opens(credits=50)
    beaten = ada.does("POST", one, "/heartbeat")["reservation"]
    assert (beaten["state"], beaten["credits"]) == ("running", 50)
    assert beaten["last_update"] > one["last_update"]
    for body in (b"", b"{}", b"null", b"[1", b"\xff"):
        again = ada.does("POST", one, "/heartbeat", content=body)["reservation"]
        assert again["last_update"] > beaten["last_update"]
    refused(ada.asks("POST", one, "/heartbeat", content=b" " * 100_000), 413, "too_large")
    assert house.get(RESERVATIONS, ada.user)["data"]["total"] == 1


def test_a_slice_grows_with_heartbeats(ada: Holder) -> None:
    one = ada.opens(burning_rate="0.25")
    beaten = ada.does("POST", one, "/heartbeat")["reservation"]
    assert float(beaten["credits"]) > 22.5
    extended = ada.does("POST", one, "/extension")["reservation"]
    assert float(extended["credits"]) > float(beaten["credits"])


def test_what_was_never_confirmed_costs_nothing(ada: Holder) -> None:
    one = ada.opens(credits=50)
    ended = ada.does("POST", one, "/release")["reservation"]
    assert (ended["state"], ended["credits"], ended["used"]) == ("released", 0, 0)
    assert ended["why"]
    assert (ada.balance()["reserved"], ada.balance()["balance"]) == (0, 100)


def test_a_settlement_posts_what_its_time_cost(ada: Holder) -> None:
    one = ada.opens(credits=50, burning_rate="0.000001")
    ada.does("POST", one, "/heartbeat")
    told = ada.does("POST", one, "/settlement")
    ended = told["reservation"]
    assert (ended["state"], ended["credits"], told["seconds_left"]) == ("settled", 0, "0.000")
    assert (told["runway_seconds"], ended["depletes_at"]) == ("0.000", None)
    assert ended["used"] == "0.000001"  # less than that a second, rounded up once
    entry = ada.entries()[0]
    assert (entry["kind"], entry["credits"], entry["source"]) == (
        *("settlement", "-0.000001", "runtime k1"),
    )
    assert one["id"].endswith(entry["id"])
    assert ada.balance()["balance"] == "99.999999"


@pytest.mark.parametrize(("method", "what"), [("POST", "/settlement"), ("DELETE", "")])
def test_ending_twice_says_how_it_ended(ada: Holder, method: str, what: str) -> None:
    one = ada.opens()
    first = ada.does(method, one, what)
    with ada.unchanged():
        again = ada.does(method, one, what)
        assert again == first
        assert ada.now(one) == first["reservation"]


def test_what_does_not_burn_costs_what_its_holder_says(ada: Holder) -> None:
    one = ada.opens(burning_rate=0, credits=10)
    assert one["depletes_at"] is None
    told = ada.does("POST", one, "/heartbeat")
    assert (told["seconds_left"], told["runway_seconds"]) == (None, None)
    for credits_ in ("10.000001", "-1", "-0.000001"):
        with ada.unchanged():
            answer = ada.asks("POST", one, "/settlement", json={"credits": credits_})
            refused(answer, 400, "invalid_settlement")
    ended = ada.does("POST", one, "/settlement", json={"credits": "2.5"})["reservation"]
    assert (ended["state"], ended["used"]) == ("settled", "2.5")
    assert ada.balance()["available"] == "97.5"


def test_what_burns_costs_its_time_and_nothing_else(ada: Holder) -> None:
    one = ada.opens(credits=10)
    with ada.unchanged():
        answer = ada.asks("POST", one, "/settlement", json={"credits": 5})
        refused(answer, 400, "invalid_settlement")


@pytest.mark.parametrize("body", [None, b"", b"null", b"{}", b'{"credits": null}'])
@pytest.mark.parametrize("what", ["/extension", "/settlement"])
def test_a_body_without_anything_in_it_may_be_left_out(
    ada: Holder, what: str, body: bytes | None
) -> None:
    one = ada.opens()
    headers = {} if body is None else {"Content-Type": "application/json"}
    told = ada.does("POST", one, what, content=body, headers=headers)
    assert told["reservation"]["state"] == ("settled" if what == "/settlement" else "pending")


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b"1", b'"x"', b'{"credits": true}', b'{"credits": NaN}', b"\xff", b"[" * 9],
)
@pytest.mark.parametrize("what", ["/extension", "/settlement"])
def test_another_body_is_refused(ada: Holder, what: str, body: bytes) -> None:
    one = ada.opens(credits=5)
    with ada.unchanged():
        answer = ada.asks(
            "POST", one, what, content=body, headers={"Content-Type": "application/json"}
        )
        refused(answer, 422, "invalid_request")


def test_a_limit_is_raised_to_a_new_total(ada: Holder) -> None:
    one = ada.opens(credits=10)
    for limit in ("30.5", "30.5", 30.5):
        told = ada.does("POST", one, "/extension", json={"credits": limit})["reservation"]
        assert told["limit"] == told["credits"] == "30.5"
    ada.does("POST", one, "/extension", json={"credits": 100})
    assert ada.balance()["available"] == 0
    refusals: list[tuple[object, int, str]] = [
        ("100.000001", 402, "insufficient_credits"),
        ("999999999", 402, "insufficient_credits"),
        ("1000000000", 400, "invalid_credits"),
        ("100.0000001", 400, "invalid_credits"),
        ("99.999999", 400, "invalid_limit"),
        (0, 400, "invalid_limit"),
        (-1, 400, "invalid_limit"),
        (None, 400, "invalid_limit"),
    ]
    for wrong, status, code in refusals:
        with ada.unchanged():
            refused(ada.asks("POST", one, "/extension", json={"credits": wrong}), status, code)


def test_without_a_limit_there_is_none_to_raise(ada: Holder) -> None:
    one = ada.opens(burning_rate="0.1")
    with ada.unchanged():
        refused(ada.asks("POST", one, "/extension", json={"credits": 50}), 400, "invalid_limit")


def test_a_rate_is_changed(ada: Holder) -> None:
    one = ada.opens(credits=50)
    changed = ada.does("PUT", one, "/burning-rate", json={"burning_rate": "0.5"})["reservation"]
    assert (changed["burning_rate"], changed["credits"]) == ("0.5", 50)
    paused = ada.does("PUT", one, "/burning-rate", json={"burning_rate": 0})
    assert (paused["seconds_left"], paused["reservation"]["depletes_at"]) == (None, None)
    assert float(paused["reservation"]["used"]) > 0


@pytest.mark.parametrize(
    ("rate", "status", "code"),
    [
        ("-1", 400, "invalid_rate"),
        ("-0.000001", 400, "invalid_rate"),
        ("10000.000001", 400, "invalid_rate"),
        ("0.0000001", 400, "invalid_rate"),
        ("1e400", 400, "invalid_rate"),
        ('"1.0000001"', 400, "invalid_rate"),
        ("10000", 402, "insufficient_credits"),
        ("NaN", 422, "invalid_request"),
        ("true", 422, "invalid_request"),
        ("null", 422, "invalid_request"),
        ('"1e3"', 422, "invalid_request"),
        ("[1]", 422, "invalid_request"),
    ],
)
def test_a_rate_that_cannot_be_changes_nothing(
    ada: Holder, rate: str, status: int, code: str
) -> None:
    one = ada.opens(burning_rate="0.1")
    body = f'{{"burning_rate": {rate}}}'.encode()
    headers = {"Content-Type": "application/json"}
    with ada.unchanged():
        answer = ada.asks("PUT", one, "/burning-rate", content=body, headers=headers)
        refused(answer, status, code)


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
    body = asked(ada)
    del body[field]
    with ada.unchanged():
        refused(house.ask("POST", RESERVATIONS, ada.platform, json=body), 422, "invalid_request")


def test_opening_takes_one_interval_at_least(house: House, ada: Holder) -> None:
    with ada.unchanged():
        body = asked(ada, burning_rate="0.027778", heartbeat_seconds=3600)
        told = refused(house.ask("POST", RESERVATIONS, ada.platform, json=body), 402)
        assert (told["asked"], told["available"]) == (100.0008, 100)
    assert ada.opens(burning_rate="0.027777", heartbeat_seconds=3600)["credits"] == 100


def test_the_same_key_opens_once(house: House, ada: Holder) -> None:
    body = asked(ada, credits=5)
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
    first = house.post(RESERVATIONS, ada.platform, asked(ada), 201)["reservation"]
    ada.does("POST", first, "/settlement")
    again = house.post(RESERVATIONS, ada.platform, asked(ada), 201)
    assert again["replayed"]
    assert (again["reservation"]["id"], again["reservation"]["state"]) == (first["id"], "settled")


CHANGES: list[tuple[str, str, Json | None]] = [
    ("POST", "/heartbeat", None),
    ("POST", "/extension", {"credits": 60}),
    ("PUT", "/burning-rate", {"burning_rate": 2}),
    ("POST", "/settlement", None),
    ("POST", "/release", None),
    ("DELETE", "", None),
]
changes = pytest.mark.parametrize(("method", "what", "body"), CHANGES, ids=lambda x: str(x or "-"))


@changes
def test_only_the_platform_changes_what_it_opened(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    one = ada.opens(credits=50)
    with ada.unchanged():
        refused(ada.asks(method, one, what, ada.user, json=body), 403, "forbidden")
    assert ada.does("GET", one, secret=ada.user)["reservation"]["id"] == one["id"]
    ada.does(method, one, what, json=body)


@changes
def test_a_users_own_is_changed_by_them_and_by_the_platform(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    ada.give(100)
    for secret in (ada.user, ada.platform):
        one = ada.opens(ada.user, credits=50)
        ada.does(method, one, what, secret, json=body)


@pytest.mark.parametrize(("method", "what", "body"), [("GET", "", None), *CHANGES])
def test_another_users_looks_as_if_there_were_none(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    eve = ada.house.key(Scope.USER, f"eve-{uuid4().hex}").secret
    for one in (ada.opens(credits=5), ada.opens(ada.user, credits=5)):
        with ada.unchanged():
            refused(ada.asks(method, one, what, eve, json=body), 404, "unknown_reservation")
    refused(ada.house.ask("POST", RESERVATIONS, eve, json=asked(ada)), 403, "forbidden")
    refused(ada.house.ask("GET", f"{RESERVATIONS}?account_uid={ada.uid}", eve), 403, "forbidden")
    unknown = {"id": f"runtime-{uuid4()}"}
    refused(ada.asks(method, unknown, what, json=body), 404, "unknown_reservation")


def test_a_user_lets_go_only_what_has_not_run(ada: Holder) -> None:
    one = ada.opens(ada.user, credits=50)
    ada.does("POST", one, "/heartbeat", ada.user)
    with ada.unchanged():
        refused(ada.asks("POST", one, "/release", ada.user), 403, "forbidden")
    assert ada.does("POST", one, "/release")["reservation"]["used"] == 0


def odd(id_: str) -> list[str]:
    kind, uuid = id_.split("-", 1)
    return [
        *(
            uuid,
            f"-{uuid}",
            f"{kind}{uuid}",
            id_.upper(),
            f"{kind}-{uuid.upper()}",
            f"Runtime-{uuid}",
        ),
        *(f"{kind}-{uuid.replace('-', '')}", f"{kind}-{{{uuid}}}", f"{kind}-urn:uuid:{uuid}"),
        *(
            f"{id_}0",
            f"{id_[:-1]}",
            f" {id_}",
            f"{id_}%20",
            f"{id_}%0A",
            f"{id_}%00",
            f"a%20b-{uuid}",
        ),
        *(
            "runtime-",
            "runtime",
            "1",
            "%ff",
            "x" * 5_000,
            f"{kind}-{'9' * 36}",
            f"{'k' * 51}-{uuid}",
        ),
    ]


def test_an_id_is_taken_as_it_was_told(ada: Holder) -> None:
    one = ada.opens(credits=5)
    with ada.unchanged():
        for id_ in odd(one["id"]):
            for method, what, body in (("GET", "", None), *CHANGES):
                answer = ada.asks(method, {"id": id_}, what, json=body)
                refused(answer, 404, "unknown_reservation")


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


def ended(ada: Holder, state: str, key: str) -> Json:
    """A reservation of two credits a second that has ended so."""
    one = ada.opens(
        key=key, burning_rate=2, credits=2 if state == "depleted" else 50, heartbeat_seconds=1
    )
    if state in {"settled", "released"}:
        ada.does("POST", one, "/settlement" if state == "settled" else "/release")
    else:
        ada.does("POST", one, "/heartbeat")
        wait_for(lambda: ada.now(one)["state"] == state)
    return one


@pytest.fixture
def brisk(fresh_database: str, stripe_account: LocalStripe) -> Iterator[Holder]:
    """An account with a hundred credits, at a service whose clock goes four times as fast."""
    with running_by(LocalClock(speed=4), fresh_database, stripe_account) as house:
        yield holder(house, credits_=100)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("settled", "reservation_closed"),
        ("released", "reservation_closed"),
        ("lost", "reservation_lost"),
        ("depleted", "reservation_depleted"),
    ],
)
def test_what_has_ended_is_not_changed(brisk: Holder, state: str, code: str) -> None:
    one = ended(brisk, state, "run-1")
    with brisk.unchanged():
        for method, what, body in CHANGES:
            answer = brisk.asks(method, one, what, json=body)
            if what in {"/settlement", ""}:
                told = exact(answer)
                assert (answer.status_code, told["reservation"]["state"]) == (200, state)
                assert (told["seconds_left"], told["reservation"]["credits"]) == ("0.000", 0)
                assert told["reservation"]["why"]
            else:
                assert refused(answer, 409, code)["message"]


def test_what_was_lost_is_settled_and_opened_again_by_its_key(brisk: Holder) -> None:
    one = ended(brisk, "lost", "run-1")
    lost = brisk.now(one)
    lasted = datetime.fromisoformat(lost["end_date"]) - datetime.fromisoformat(lost["last_update"])
    assert lasted == timedelta(seconds=1)  # its last proof of life, and one interval
    body = asked(brisk, burning_rate=2, credits=50, heartbeat_seconds=1)
    with brisk.unchanged():
        answer = brisk.house.ask("POST", RESERVATIONS, brisk.platform, json=body | {"credits": 51})
        refused(answer, 409, "idempotency_key_reused")
    again = brisk.house.post(RESERVATIONS, brisk.platform, body, 201)
    opened = again["reservation"]
    assert (again["replayed"], opened["epoch"], opened["key"]) == (False, 2, "run-1")
    assert opened["id"] != one["id"]
    assert (opened["state"], opened["used"], opened["limit"]) == ("pending", 0, 50)
    assert float(opened["credits"]) == pytest.approx(50 - float(lost["used"]))
    assert brisk.house.post(RESERVATIONS, brisk.platform, body, 201)["replayed"]
    assert brisk.now(one) == lost


def test_what_runs_out_ends_when_it_does(brisk: Holder) -> None:
    one = ended(brisk, "depleted", "run-1")
    out = brisk.now(one)
    lasted = datetime.fromisoformat(out["end_date"]) - datetime.fromisoformat(out["start_date"])
    assert (lasted, out["used"]) == (timedelta(seconds=1), 2)
    assert brisk.balance()["balance"] == 98
