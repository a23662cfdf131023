"""What is done to a reservation over HTTP: heartbeats, extensions, other rates, settlements."""

import pytest

from holders import RESERVATIONS, Holder, holder
from local_service import House, refused
from wallets import micro, told_cost


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


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
    used = told_cost(ended)
    assert micro(ended["used"]) == used > 0  # however short it was: it is rounded up once
    entry = ada.entries()[0]
    assert (entry["kind"], micro(entry["credits"]), entry["source"]) == (
        *("settlement", -used, "runtime k1"),
    )
    assert one["id"].endswith(entry["id"])
    assert micro(ada.balance()["balance"]) == micro(100) - used


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
