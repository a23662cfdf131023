"""What charts are drawn from, over HTTP: a balance over time, and what credits went to."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from holders import USAGE, Holder, holder
from local_clock import LocalClock
from local_service import House, refused, running_by
from local_stripe import Json, LocalStripe
from prepaid.core.identity import Scope

BALANCES = f"{USAGE}/balance-history"
SPENDING = f"{USAGE}/spending"
EVER = "since=2020-01-01T00:00:00Z"


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


def charge(ada: Holder, credits_: object, resource: str, type_: str = "job") -> None:
    asked = {"account_uid": ada.uid, "credits": credits_, "key": uuid4().hex}
    named = {"resource": resource, "resource_type": type_}
    ada.house.post(f"{USAGE}/charges", ada.platform, asked | named, 201)


def test_a_balance_over_time_is_its_entries(both: House) -> None:
    ada = holder(both, credits_=100)
    charge(ada, "0.000001", "j1")
    charge(ada, "2.5", "j2")
    told = both.get(f"{BALANCES}?{EVER}", ada.user)
    first, *changes, last = told["points"]
    assert (told["account_uid"], told["every_change"]) == (ada.uid, True)
    assert first == {"at": "2020-01-01T00:00:00Z", "balance": 0}
    entries = ada.entries()[::-1]
    assert changes == [{"at": one["at"], "balance": one["balance"]} for one in entries]
    assert last["balance"] == ada.balance()["balance"] == "97.499999"
    fewer = both.get(f"{BALANCES}?{EVER}&points=1", ada.user)
    assert fewer["every_change"] is False
    assert [one["balance"] for one in fewer["points"]] == [0, "97.499999", "97.499999"]


def test_a_span_begins_with_what_there_was(ada: Holder) -> None:
    charge(ada, 40, "j1")
    granted, charged = ada.entries()[::-1]
    told = ada.house.get(f"{BALANCES}?since={granted['at']}&until={charged['at']}", ada.user)
    assert [one["balance"] for one in told["points"]] == [100, 60]


def test_spending_is_summed_up_with_what_runs(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    clock = LocalClock()
    with running_by(clock, fresh_database, stripe_account) as house:
        ada = holder(house, credits_=100)
        for resource, cost in (("j1", 1), ("j2", 2), ("j3", "3.5"), ("", 4)):
            charge(ada, cost, resource)
        named = {"resource_type": "kernel", "resource_given_name": "My Kernel"}
        one = ada.opens(credits=60, burning_rate=1, heartbeat_seconds=3600, **named)
        ada.does("POST", one, "/heartbeat")
        clock.forward(30)
        told = house.get(f"{SPENDING}?limit=2", ada.user)
        kernel, job = told["spending"]
        assert (kernel["resource_type"], kernel["resource"], kernel["spent"]) == ("kernel", "k1", 0)
        assert kernel["resource_given_name"] == "My Kernel"
        assert 30 <= Decimal(str(kernel["accrued"])) < 60
        assert kernel["credits"] == kernel["accrued"] == told["total"]["accrued"]
        assert job == {
            "resource_type": "",
            "resource": "job",
            "resource_given_name": "job",
            "credits": 4,
            "spent": 4,
            "accrued": 0,
        }
        assert told["others"] == {"count": 3, "credits": "6.5", "spent": "6.5", "accrued": 0}
        assert told["total"]["spent"] == "10.5"
        ada.does("POST", one, "/settlement")
        after = house.get(f"{SPENDING}?by=resource_type", ada.user)
        assert [(one["resource_type"], one["resource"]) for one in after["spending"]] == [
            ("kernel", None),
            ("job", None),
            ("", None),
        ]
        assert after["total"]["accrued"] == 0
        assert Decimal(100) - Decimal(str(after["total"]["credits"])) == Decimal(
            str(ada.balance()["balance"])
        )


def test_spending_is_of_a_span(ada: Holder) -> None:
    charge(ada, 1, "j1")
    charge(ada, 2, "j2")
    at = ada.entries()[0]["at"]
    later = (datetime.fromisoformat(at) + timedelta(days=1)).isoformat().replace("+", "%2B")
    for query, total in ((f"since={at}", 2), (f"until={at}", 1), (f"since={later}", 0), ("", 3)):
        assert ada.house.get(f"{SPENDING}?{query}", ada.user)["total"]["credits"] == total


def test_who_has_spent_nothing_is_told_so(house: House, user: str) -> None:
    told = house.get(SPENDING, user)
    nothing: Json = {"credits": 0, "spent": 0, "accrued": 0}
    assert (told["spending"], told["others"], told["total"]) == (
        [],
        {"count": 0} | nothing,
        nothing,
    )


@pytest.mark.parametrize("path", [f"{BALANCES}?{EVER}&", f"{SPENDING}?"])
def test_nobody_sees_anothers(ada: Holder, path: str) -> None:
    eve = ada.house.key(Scope.USER, f"eve-{uuid4().hex}").secret
    for secret in (ada.platform, ada.admin, ada.user):
        assert ada.house.get(f"{path}account_uid={ada.uid}", secret)["account_uid"] == ada.uid
    for query, who, status in (
        (f"account_uid={ada.uid}", eve, 403),
        ("", ada.platform, 403),
        ("", None, 401),
        ("account_uid=nobody-at-all", ada.platform, 404),
    ):
        refused(ada.house.ask("GET", path + query, who), status)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (BALANCES, 422),
        (f"{BALANCES}?since=yesterday", 422),
        (f"{BALANCES}?{EVER}&points=0", 422),
        (f"{BALANCES}?{EVER}&points=1001", 422),
        (f"{BALANCES}?since=9999-01-01T00:00:00Z", 400),
        (f"{BALANCES}?{EVER}&until=2019-01-01T00:00:00Z", 400),
        (f"{SPENDING}?by=colour", 422),
        (f"{SPENDING}?limit=0", 422),
        (f"{SPENDING}?limit=101", 422),
        (f"{SPENDING}?{EVER}&until=2019-01-01T00:00:00Z", 400),
    ],
)
def test_what_nobody_can_ask_for_is_refused(ada: Holder, path: str, status: int) -> None:
    refused(ada.house.ask("GET", path, ada.user), status, "invalid_request")
