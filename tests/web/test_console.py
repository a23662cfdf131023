"""What the operator's console asks: accounts by name, checkouts, events, totals, and the doctor."""

import json
from uuid import uuid4

import pytest

from holders import holder
from local_service import House, refused, token
from local_stripe import Json

ACCOUNTS = "/api/iam/v1/accounts"
CHECKOUTS = "/api/iam/stripe/v1/checkouts"
EVENTS = "/api/iam/stripe/v1/events"
TOTALS = "/api/iam/v1/totals"
DOCTOR = "/api/iam/v1/doctor"
WHOAMI = "/api/iam/v1/whoami"


@pytest.fixture
def admin(house: House) -> str:
    return house.admin()


def test_an_account_is_found_by_its_names_and_shown_with_what_is_reserved(both: House) -> None:
    ada = holder(both, f"u-{uuid4().hex}", credits_="12.5")
    both.get(WHOAMI, token(ada.uid, handle="Ada", email="ada@example.com", given_name="Ada"))
    ada.opens(credits=5)
    for words in ("ada", "ADA@EX", ada.uid):
        told = both.get(ACCOUNTS, ada.admin, params={"search": words})
        assert ([one["uid"] for one in told["accounts"]], told["next_after"]) == ([ada.uid], None)
    assert both.get(ACCOUNTS, ada.admin, params={"search": "nobody"})["accounts"] == []
    one = both.get(f"{ACCOUNTS}/{ada.uid}", ada.admin)["account"]
    assert (one["credits"], one["reserved"], one["entries"]) == ("12.5", 5, 1)
    assert (one["handle"], one["email"], one["first_name"]) == ("Ada", "ada@example.com", "Ada")


def test_checkouts_are_listed_with_what_was_offered_and_paid(
    both: House, package: str, user: str, uid: str
) -> None:
    admin = both.admin()
    assert both.verdict(both.paid(user, package)) == "applied"
    opened = both.open(token("another"), package)
    told = both.get(CHECKOUTS, admin)
    assert [one["account_uid"] for one in told["checkouts"]] == ["another", uid]
    (paid,) = both.get(CHECKOUTS, admin, params={"state": "credited"})["checkouts"]
    assert (paid["account_uid"], paid["credits"], paid["livemode"]) == (uid, 50, False)
    assert paid["price"] == paid["paid"] == {"amount": 500, "currency": "usd"}
    assert paid["payment_intent"].startswith("pi_")
    (other,) = both.get(CHECKOUTS, admin, params={"session_id": opened["session_id"]})["checkouts"]
    assert (other["state"], other["paid"], other["id"]) == ("open", None, opened["checkout_id"])
    page = both.get(CHECKOUTS, admin, params={"limit": 1})
    rest = both.get(CHECKOUTS, admin, params={"limit": 1, "before": page["next_before"]})
    assert [one["id"] for one in rest["checkouts"]] == [paid["id"]]
    assert both.get(CHECKOUTS, admin, params={"account_uid": "nobody"})["checkouts"] == []


def strange(house: House, secret: str, package: str) -> Json:
    """An event that Stripe signed and that doesn't fit its checkout."""
    event = house.paid(secret, package)
    event["data"]["object"]["amount_subtotal"] = 1
    return event


def test_events_are_listed_with_why_and_what_to_do(
    both: House, package: str, user: str, uid: str
) -> None:
    admin = both.admin()
    good, bad = both.paid(user, package), strange(both, token("another"), package)
    assert (both.verdict(good), both.verdict(bad)) == ("applied", "quarantined")
    listed = both.get(EVENTS, admin)["events"]
    assert [one["event_id"] for one in listed] == [bad["id"], good["id"]]
    assert (listed[1]["why"], listed[1]["remedy"], listed[1]["account_uid"]) == ("", "", uid)
    told = both.get(EVENTS, admin, params={"verdict": "quarantined"})
    assert told["events"] == listed[:1]
    assert listed[0]["why"].startswith("amount is 1, ")
    assert listed[0]["remedy"].startswith("Compare the session at Stripe")
    page = both.get(EVENTS, admin, params={"limit": 1})
    rest = both.get(EVENTS, admin, params={"limit": 1, "before": page["next_before"]})
    assert rest["events"] == listed[1:]
    one = both.get(f"{EVENTS}/{bad['id']}", admin)
    assert one["event"] == listed[0]
    assert json.loads(one["payload"])["data"]["object"]["amount_subtotal"] == 1


@pytest.mark.parametrize(
    "path",
    [
        f"{CHECKOUTS}?state=paid",
        f"{CHECKOUTS}?before=1",
        f"{CHECKOUTS}?limit=101",
        f"{CHECKOUTS}?account_uid=a%00b",
        f"{CHECKOUTS}?session_id=%2e%2e",
        f"{EVENTS}?verdict=odd",
        f"{EVENTS}?before=evt_1",
        f"{EVENTS}?before=99999999999999999.evt_1",
        f"{EVENTS}?limit=0",
        f"{EVENTS}/a%00b",
    ],
)
def test_what_nobody_can_ask_is_refused(house: House, admin: str, path: str) -> None:
    refused(house.ask("GET", path, admin), 422, "invalid_request")


def test_an_event_that_never_came_is_unknown(house: House, admin: str) -> None:
    refused(house.ask("GET", f"{EVENTS}/evt_never", admin), 404, "unknown_event")


def test_totals_are_exact(both: House, package: str) -> None:
    ada = holder(both)
    assert both.verdict(both.paid(token(ada.uid), package)) == "applied"
    given = ada.give("0.000003")
    charged = {"account_uid": ada.uid, "credits": "0.000001", "key": "spent"}
    both.post("/api/iam/v1/usage/charges", ada.platform, charged, 201)
    back = {"credits": "0.000001", "key": "back", "reason": "by mistake"}
    both.post(f"{ACCOUNTS}/{ada.uid}/grants/{given['id']}/reversal", ada.admin, back, 201)
    told = both.get(TOTALS, ada.admin)
    assert told["sold"] == [
        {
            "currency": "usd",
            "livemode": False,
            "checkouts": 1,
            "credits": 50,
            "amount": 500,
            "paid": 500,
        }
    ]
    assert told["given"] == [
        {"kind": "purchase", "grants": 1, "credits": 50, "remaining": 50},
        {"kind": "promotion", "grants": 1, "credits": "0.000003", "remaining": "0.000001"},
        {"kind": "adjustment", "grants": 0, "credits": 0, "remaining": 0},
    ]
    assert (told["spent"], told["reversed"], told["expired"]) == ("0.000001", "0.000001", 0)
    assert told["outstanding"] == "50.000001"


def test_the_doctor_looks_when_an_operator_asks(house: House, admin: str) -> None:
    told = house.get(DOCTOR, admin)
    assert {one["level"] for one in told["signs"]} <= {"ok", "note", "fault"}
    assert told["healthy"] == all(one["level"] != "fault" for one in told["signs"])
    assert any(one["what"].startswith("Stripe accepts the API key") for one in told["signs"])
    assert all(one["remedy"] for one in told["signs"] if one["level"] == "fault")


def test_who_holds_a_key_of_the_platform_is_told_so(house: House, admin: str) -> None:
    told = house.get(WHOAMI, admin)
    assert (told["scope"], told["profile"]["uid"]) == ("admin", "")
    assert told["profile"]["handle_s"] == "operator"
    ada = house.get(WHOAMI, token("ada"))
    assert (ada["scope"], ada["profile"]["uid"]) == ("user", "ada")
    assert ada["profile"]["roles_ss"] == ["platform_member"]
