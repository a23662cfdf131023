"""Credits that a user burns, as Datalayer's clients ask for it."""

from uuid import uuid4

import pytest

from holders import USAGE, Holder, holder
from local_service import House, exact, refused, token

CREDITS = f"{USAGE}/credits"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with ten credits."""
    return holder(house, credits_=10)


def test_a_user_burns_their_own(ada: Holder) -> None:
    for secret, left in ((ada.user, "7.5"), (token(ada.uid), 5)):
        answer = ada.house.ask("DELETE", CREDITS, secret, json={"credits": "2.5"})
        told = exact(answer)
        assert (answer.status_code, told["success"], told["replayed"]) == (200, True, False)
        assert (told["entry"]["credits"], told["entry"]["balance"]) == ("-2.5", left)
    entry = ada.entries()[0]
    assert (entry["kind"], entry["source"], entry["actor"]) == ("charge", "", ada.uid)
    assert ada.balance()["credits"]["credits"] == 5


def test_with_a_key_it_happens_once(ada: Holder) -> None:
    key = {"Idempotency-Key": "burn it"}
    first = exact(ada.house.ask("DELETE", CREDITS, ada.user, json={"credits": 4}, headers=key))
    with ada.unchanged():
        again = ada.house.ask("DELETE", CREDITS, ada.user, json={"credits": "4.0"}, headers=key)
        assert exact(again) == first | {"replayed": True}
        other = ada.house.ask("DELETE", CREDITS, ada.user, json={"credits": 5}, headers=key)
        refused(other, 409, "idempotency_key_reused")
    assert first["entry"]["key"] == "burn it"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"credits": "10.000001"}', 402, "insufficient_credits"),
        (b'{"credits": 0}', 400, "invalid_credits"),
        (b'{"credits": -1}', 400, "invalid_credits"),
        (b'{"credits": 0.0000001}', 400, "invalid_credits"),
        (b'{"credits": 1e400}', 400, "invalid_credits"),
        (b'{"credits": 1000000000}', 400, "invalid_credits"),
        (b'{"credits": NaN}', 422, "invalid_request"),
        (b'{"credits": true}', 422, "invalid_request"),
        (b'{"credits": null}', 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"", 422, "invalid_request"),
        (b" " * 2_000_000, 413, "too_large"),
    ],
)
def test_what_cannot_be_burnt_changes_nothing(
    ada: Holder, body: bytes, status: int, code: str
) -> None:
    with ada.unchanged():
        refused(
            ada.house.ask("DELETE", CREDITS, ada.user, content=body, headers=JSON), status, code
        )


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "\u00fc", "stripe:cs_test_1", "expiry:1"])
def test_what_is_no_key_burns_nothing(ada: Holder, key: str) -> None:
    headers = {"Idempotency-Key": key.encode()}
    with ada.unchanged():
        answer = ada.house.ask("DELETE", CREDITS, ada.user, json={"credits": 1}, headers=headers)
        refused(answer, 400, "invalid_key")


def test_only_a_user_burns_and_only_what_is_free(ada: Holder) -> None:
    ada.opens(credits="9.5")
    with ada.unchanged():
        for secret in (ada.platform, ada.admin):
            answer = ada.house.ask("DELETE", CREDITS, secret, json={"credits": 1})
            refused(answer, 403, "forbidden")
        refused(ada.house.ask("DELETE", CREDITS, json={"credits": 1}), 401, "unauthenticated")
        told = refused(ada.house.ask("DELETE", CREDITS, ada.user, json={"credits": 1}), 402)
        assert (told["asked"], told["available"]) == (1, 0.5)
        eve = token(f"eve-{uuid4().hex}")
        refused(ada.house.ask("DELETE", CREDITS, eve, json={"credits": 1}), 402)
