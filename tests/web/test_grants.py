"""Grants over HTTP: in the order in which they are spent, and taken back once, with a reason."""

from typing import Any
from uuid import uuid4

import pytest

from holders import ACCOUNTS, USAGE, Holder, holder
from local_service import House, exact, refused, token
from local_stripe import Json

FIELDS = {"id", "kind", "priority", "credits", "remaining", "paid", "expires_at", "at"}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account without credits."""
    return holder(house)


def grants(ada: Holder, query: str = "") -> list[Json]:
    found: list[Json] = ada.house.get(f"{ACCOUNTS}/{ada.uid}/grants{query}", ada.platform)["grants"]
    assert all(one.keys() == FIELDS for one in found)
    return found


def reversal(ada: Holder, grant: Json, secret: str = "", **more: object) -> Any:
    """Asks for credits back; the answer."""
    asked = {"key": uuid4().hex, "reason": "by mistake"} | more
    path = f"{ACCOUNTS}/{ada.uid}/grants/{grant['id']}/reversal"
    return ada.house.ask("POST", path, secret or ada.admin, json=asked)


def test_grants_are_listed_in_the_order_in_which_they_are_spent(both: House, package: str) -> None:
    ada = holder(both)
    assert both.verdict(both.paid(token(ada.uid), package)) == "applied"
    adjusted = ada.give("2.5", kind="adjustment")
    later = ada.give(3, expires_at="2999-02-01T00:00:00Z")
    sooner = ada.give(4, expires_at="2999-01-01T00:00:00+01:00")
    never = ada.give(5)
    listed = grants(ada)
    assert [one["id"] for one in listed[:4]] == [
        *(sooner["id"], later["id"], never["id"], adjusted["id"]),
    ]
    assert [one["kind"] for one in listed] == [*["promotion"] * 3, "adjustment", "purchase"]
    assert [one["priority"] for one in listed] == [10, 10, 10, 20, 30]
    assert listed[0]["expires_at"] == "2998-12-31T23:00:00Z"
    assert (listed[3]["credits"], listed[3]["remaining"], listed[3]["paid"]) == ("2.5", "2.5", None)
    assert (listed[4]["credits"], listed[4]["paid"]) == (50, {"amount": 500, "currency": "usd"})
    charged = {"account_uid": ada.uid, "credits": "8.5", "key": "spent"}
    both.post(f"{USAGE}/charges", ada.platform, charged, 201)
    assert [one["remaining"] for one in grants(ada)] == ["3.5", "2.5", 50]
    assert [one["remaining"] for one in grants(ada, "?state=all")] == [0, 0, "3.5", "2.5", 50]


def test_all_that_is_left_is_taken_back(both: House) -> None:
    ada = holder(both)
    given, kept = ada.give("10.000001"), ada.give(5)
    told = exact(reversal(ada, given, key="refund", reason="refunded at Stripe"))
    entry = told["entry"]
    assert (told["success"], told["replayed"]) == (True, False)
    assert (entry["kind"], entry["credits"], entry["balance"]) == ("reversal", "-10.000001", 5)
    assert (entry["source"], entry["reason"]) == (given["id"], "refunded at Stripe")
    assert (entry["actor"], entry["key"]) == ("operator", "refund")
    assert [one["id"] for one in grants(ada)] == [kept["id"]]
    with ada.unchanged():
        again = reversal(ada, given, key="refund", reason="refunded at Stripe")
        assert (again.status_code, exact(again)) == (201, told | {"replayed": True})
        for more in ({"credits": "10.000001"}, {"reason": "another"}):
            other = reversal(ada, given, **{"key": "refund", "reason": "refunded at Stripe"} | more)
            refused(other, 409, "idempotency_key_reused")
        refused(reversal(ada, kept, key="refund"), 409, "idempotency_key_reused")
        refused(reversal(ada, given), 404, "unknown_grant")
    assert ada.findings() == []


def test_a_part_is_taken_back(ada: Holder) -> None:
    given = ada.give(10)
    for credits_, left in (("2.5", "7.5"), (7, "0.5")):
        assert exact(reversal(ada, given, credits=credits_))["entry"]["balance"] == left
        assert [one["remaining"] for one in grants(ada)] == [left]


def test_what_is_spent_or_reserved_stays(ada: Holder) -> None:
    first, second = ada.give(10), ada.give(10)
    one = ada.opens(credits=15)
    with ada.unchanged():
        told = refused(reversal(ada, first, credits="5.000001"), 402, "insufficient_credits")
        assert (told["asked"], told["available"]) == (5.000001, 5)
    assert exact(reversal(ada, second))["entry"]["credits"] == -5
    with ada.unchanged():
        told = refused(reversal(ada, first), 402, "insufficient_credits")
        assert (told["asked"], told["available"]) == (10, 0)
    ada.does("POST", one, "/release")
    assert exact(reversal(ada, first))["entry"]["credits"] == -10
    assert ada.balance()["available"] == 5


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"credits": 0}, 400, "invalid_credits"),
        ({"credits": -1}, 400, "invalid_credits"),
        ({"credits": "0.0000001"}, 400, "invalid_credits"),
        ({"credits": 10**9}, 400, "invalid_credits"),
        ({"credits": "10.5"}, 402, "insufficient_credits"),
        ({"credits": True}, 422, "invalid_request"),
        ({"credits": "1e3"}, 422, "invalid_request"),
        ({"key": ""}, 400, "invalid_key"),
        ({"key": "stripe:cs_test_1"}, 400, "invalid_key"),
        ({"key": None}, 422, "invalid_request"),
        ({"reason": ""}, 422, "invalid_request"),
        ({"reason": "x" * 501}, 422, "invalid_request"),
        ({"reason": "a\0b"}, 422, "invalid_request"),
        ({"reason": None}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_taken_back_changes_nothing(
    ada: Holder, wrong: Json, status: int, code: str
) -> None:
    given = ada.give(10)
    with ada.unchanged():
        refused(reversal(ada, given, **wrong), status, code)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b'{"key": "k"}', b"[" * 60_000])
def test_a_reversal_says_why_and_under_which_key(ada: Holder, body: bytes) -> None:
    path = f"{ACCOUNTS}/{ada.uid}/grants/{ada.give(10)['id']}/reversal"
    with ada.unchanged():
        json_ = {"Content-Type": "application/json"}
        answer = ada.house.ask("POST", path, ada.admin, content=body, headers=json_)
        refused(answer, 422, "invalid_request")


def test_only_an_accounts_own_grant_is_taken(ada: Holder) -> None:
    bob = holder(ada.house, credits_=10)
    (theirs,) = grants(bob)
    with ada.unchanged(), bob.unchanged():
        refused(reversal(ada, theirs), 404, "unknown_grant")
        refused(reversal(ada, {"id": uuid4()}), 404, "unknown_grant")
        for id_ in ("1", "x", "a%00b", f"{theirs['id']}0"):
            refused(reversal(ada, {"id": id_}), 422, "invalid_request")
        path = f"{ACCOUNTS}/nobody-at-all/grants/{theirs['id']}/reversal"
        body = {"key": "k", "reason": "r"}
        refused(ada.house.ask("POST", path, ada.admin, json=body), 404, "unknown_account")


def test_only_an_operator_takes_back_and_only_the_platform_sees(ada: Holder) -> None:
    given, path = ada.give(10), f"{ACCOUNTS}/{ada.uid}/grants"
    with ada.unchanged():
        for secret in (ada.user, ada.platform):
            refused(reversal(ada, given, secret), 403, "forbidden")
    refused(ada.house.ask("GET", path, ada.user), 403, "forbidden")
    refused(ada.house.ask("GET", path), 401, "unauthenticated")
    unknown = ada.house.ask("GET", f"{ACCOUNTS}/nobody-at-all/grants", ada.platform)
    refused(unknown, 404, "unknown_account")
    refused(ada.house.ask("GET", f"{path}?state=spent", ada.platform), 422, "invalid_request")
