"""What an account has bought, over HTTP: filtered, in pages, as a CSV file, and with receipts."""

import csv
import io
import re
from uuid import uuid4

import httpx
import pytest

from local_service import SESSIONS, House, bearer, refused, token
from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.identity import Scope

CHECKOUTS = f"{SESSIONS}s"
COLUMNS = (
    "id,session_id,state,price_id,credits,price,price_currency,paid,paid_currency,"
    "created_at,expires_at,credited_at"
)


def bought(house: House, user: str, package: str) -> Json:
    """A checkout that was paid, and credited."""
    event = house.paid(user, package)
    assert house.verdict(event) == "applied"
    told: Json = event["data"]["object"]
    return told


def left(house: House, user: str, package: str) -> Json:
    """A checkout that nobody has paid; each one is another."""
    return house.open(user, package, f"https://app.example.com/{uuid4().hex}")


def listed(house: House, user: str, query: str = "") -> list[str]:
    """The sessions on the first page."""
    return [one["session_id"] for one in house.get(f"{CHECKOUTS}?{query}", user)["checkouts"]]


def test_a_purchase_is_listed_with_what_was_paid(both: House, user: str, package: str) -> None:
    unpaid = left(both, user, package)
    session = bought(both, user, package)
    first, second = both.get(CHECKOUTS, user)["checkouts"]
    assert first == {
        "id": first["id"],
        "session_id": session["id"],
        "state": "credited",
        "price_id": package,
        "credits": 50,
        "amount": 500,
        "currency": "usd",
        "paid_amount": 500,
        "paid_currency": "usd",
        "created_at": first["created_at"],
        "expires_at": first["expires_at"],
        "credited_at": first["credited_at"],
    }
    assert first["created_at"] < first["credited_at"]
    assert (second["id"], second["state"]) == (unpaid["checkout_id"], "open")
    assert (second["paid_amount"], second["credited_at"]) == (None, None)
    one = both.get(f"{SESSIONS}/{first['id']}", user)
    assert one == {"success": True, "message": "OK"} | first


def test_checkouts_are_filtered(both: House, user: str, package: str) -> None:
    began = left(both, user, package)["session_id"]
    paid = bought(both, user, package)["id"]
    waits = left(both, user, package)["session_id"]
    both.stripe.pay(waits, "delayed_succeeds")
    assert both.verdict(both.stripe.event(waits)) == "applied"
    opened = [one["created_at"] for one in both.get(CHECKOUTS, user)["checkouts"]]
    for query, found in (
        ("", [waits, paid, began]),
        ("state=credited", [paid]),
        ("state=open&state=processing", [waits, began]),
        ("state=failed", []),
        (f"since={opened[1]}", [waits, paid]),
        (f"until={opened[1]}", [began]),
        (f"since={opened[2]}&until={opened[0]}&state=credited", [paid]),
    ):
        assert listed(both, user, query) == found, query


def test_pages_end_and_follow_each_other(both: House, user: str, package: str) -> None:
    names = [left(both, user, package)["session_id"] for _ in range(5)][::-1]
    for limit in (1, 2, 5, 100):
        found: list[list[str]] = []
        more: str | None = ""
        while more is not None:
            before = f"&before={more}" if more else ""
            told = both.get(f"{CHECKOUTS}?limit={limit}{before}", user)
            found.append([one["session_id"] for one in told["checkouts"]])
            more = told["next_before"]
        assert found == [names[start : start + limit] for start in range(0, 5, limit)]


def test_who_has_bought_nothing_has_an_empty_list(house: House, user: str) -> None:
    told = house.get(CHECKOUTS, user)
    assert (told["checkouts"], told["next_before"]) == ([], None)


def test_nobody_sees_anothers_purchases(house: House, uid: str, user: str, package: str) -> None:
    session = bought(house, user, package)["id"]
    eve = house.key(Scope.USER, f"eve-{uuid4().hex}").secret
    assert listed(house, eve) == []
    platform, admin = house.key(Scope.SERVICE).secret, house.admin()
    assert listed(house, platform, f"account_uid={uid}") == [session]
    assert listed(house, admin, f"account_uid={uid}") == [session]
    for path, secret, status in (
        (f"{CHECKOUTS}?account_uid={uid}", eve, 403),
        (CHECKOUTS, platform, 403),
        (CHECKOUTS, None, 401),
        (f"{CHECKOUTS}?account_uid=nobody-at-all", platform, 404),
        (f"{CHECKOUTS}?account_uid=nobody-at-all&format=csv", platform, 404),
        (f"{SESSIONS}/{session}/receipt", eve, 404),
        (f"{SESSIONS}/{session}/receipt", platform, 403),
        (f"{SESSIONS}/{session}/receipt", None, 401),
    ):
        refused(house.ask("GET", path, secret), status)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=101", 422),
        ("before=1", 422),
        ("state=paid", 422),
        ("state=", 422),
        ("since=yesterday", 422),
        ("format=xlsx", 422),
        ("since=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", 400),
    ],
)
def test_a_page_that_nobody_can_ask_for_is_refused(
    house: House, user: str, query: str, status: int
) -> None:
    refused(house.ask("GET", f"{CHECKOUTS}?{query}", user), status, "invalid_request")


def test_a_file_says_money_in_the_currencys_own_decimals(fresh: House, user: str) -> None:
    yen = fresh.stripe.package(50, 500, currency="jpy")
    dinar = fresh.stripe.package(50, 5_000, currency="kwd")
    left(fresh, user, dinar)
    bought(fresh, user, yen)
    answer = fresh.ask("GET", f"{CHECKOUTS}?format=csv", user)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[0] == COLUMNS
    name = r'attachment; filename="purchases-user-[0-9a-f]+-20\d\d-\d\d-\d\d\.csv"'
    assert re.fullmatch(name, answer.headers["content-disposition"])
    first, second = csv.DictReader(io.StringIO(answer.text, newline=""), strict=True)
    assert (first["price"], first["price_currency"]) == ("500", "jpy")
    assert (first["paid"], first["paid_currency"]) == ("500", "jpy")
    assert (first["state"], first["credits"]) == ("credited", "50")
    assert first["credited_at"].endswith("Z")
    assert (second["price"], second["price_currency"]) == ("5.000", "kwd")
    assert (second["paid"], second["paid_currency"], second["credited_at"]) == ("", "", "")


def test_a_file_has_as_much_as_is_asked_for(house: House, user: str, package: str) -> None:
    names = [left(house, user, package)["session_id"] for _ in range(3)][::-1]
    accept = {"Accept": "text/csv"}
    for query, found in (("", names), ("limit=2", names[:2]), ("state=credited", [])):
        answer = house.ask("GET", f"{CHECKOUTS}?{query}", user, headers=accept)
        rows = csv.DictReader(io.StringIO(answer.text, newline=""))
        assert [row["session_id"] for row in rows] == found


def test_what_was_paid_has_stripes_receipt(both: House, user: str, package: str) -> None:
    session = bought(both, user, package)
    ours = both.get(CHECKOUTS, user)["checkouts"][0]["id"]
    for name in (session["id"], ours):
        url = both.get(f"{SESSIONS}/{name}/receipt", user)["receipt_url"]
        receipt = httpx.get(url)
        assert receipt.status_code == 200
        assert "5.00 USD" in receipt.text


def test_what_was_not_paid_has_none_and_stripe_is_not_asked(
    house: House, user: str, package: str
) -> None:
    session = left(house, user, package)["session_id"]
    house.stripe.fault("server_error", count=100)
    told = refused(house.ask("GET", f"{SESSIONS}/{session}/receipt", user), 404, "unknown_receipt")
    assert "Nothing has been paid" in told["detail"]


def test_a_stripe_that_is_away_gives_no_receipt(house: House, user: str, package: str) -> None:
    session = bought(house, user, package)["id"]
    house.stripe.fault("server_error", count=100)
    path = f"{SESSIONS}/{session}/receipt"
    told = refused(house.ask("GET", path, user), 503, "stripe_unavailable")
    assert "try again" in told["detail"]
    house.stripe.well()
    assert house.get(path, user)["receipt_url"]


def test_a_delayed_payment_has_its_receipt_when_the_money_has_come(
    house: House, user: str, package: str, running_stripe: LocalStripe
) -> None:
    session = left(house, user, package)["session_id"]
    house.stripe.pay(session, "delayed_succeeds")
    house.verdict(house.stripe.event(session))
    path = f"{SESSIONS}/{session}/receipt"
    refused(house.ask("GET", path, user), 404, "unknown_receipt")
    came = "checkout.session.async_payment_succeeded"

    def has_come() -> bool:
        told = running_stripe.ask("GET", "/v1/events", type=came, limit=100)["data"]
        return session in {event["data"]["object"]["id"] for event in told}

    wait_for(has_come)
    assert house.verdict(house.stripe.event(session, came)) == "applied"
    assert httpx.get(house.get(path, user)["receipt_url"]).status_code == 200


def test_a_purchase_that_is_none_has_no_receipt(house: House, user: str) -> None:
    for name in ("cs_test_none", str(uuid4())):
        refused(house.ask("GET", f"{SESSIONS}/{name}/receipt", user), 404, "unknown_checkout")
    answer = httpx.get(f"{house.url}{CHECKOUTS}", headers=bearer(token(secret="x" * 32)))
    assert answer.status_code == 401
