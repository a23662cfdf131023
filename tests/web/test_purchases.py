import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from local_service import (
    CREDITS,
    RETURN_ORIGIN,
    RETURN_URL,
    SESSIONS,
    House,
    refused,
    running,
    token,
)
from local_stripe import WEBHOOK_SECRET, Json, LocalStripe, wait_for

PRICES = "/api/iam/stripe/v1/prices"


def test_what_is_paid_becomes_credits(both: House, user: str, package: str) -> None:
    opened = both.open(user, package)
    assert both.credits(user) == 0
    both.stripe.pay(opened["session_id"])
    assert both.get(f"{SESSIONS}/{opened['session_id']}", user)["state"] == "paid"
    assert both.credits(user) == 0
    assert both.verdict(both.stripe.event(opened["session_id"])) == "applied"
    assert both.credits(user) == 50
    told = both.get(f"{SESSIONS}/{opened['checkout_id']}", user)
    assert (told["state"], told["credits"], told["amount"]) == ("credited", 50, 500)
    (entry,) = both.get("/api/iam/v1/usage/entries", user)["entries"]
    assert (entry["kind"], entry["credits"], entry["balance"]) == ("purchase", 50, 50)
    assert entry["source"] == opened["session_id"]


def test_ten_requests_at_once_open_one_session_of_one_customer(
    both: House, user: str, package: str
) -> None:
    customers, sessions = both.stripe.count("customer"), both.stripe.count("checkout.session")
    with ThreadPoolExecutor(10) as crowd:
        opened = list(crowd.map(lambda _: both.open(user, package), range(10)))
    assert {one["client_secret"] for one in opened} == {opened[0]["client_secret"]}
    assert both.stripe.count("customer") == customers + 1
    assert both.stripe.count("checkout.session") == sessions + 1


def test_stripe_itself_delivers_what_was_paid(house: House, user: str, package: str) -> None:
    stripe = house.stripe
    hook = stripe.ask(
        "POST",
        "/v1/webhook_endpoints",
        **{"url": f"{house.url}/api/iam/stripe/v1/webhook", "enabled_events[0]": "*"},
    )
    assert hook["secret"] == WEBHOOK_SECRET
    try:
        stripe.pay(house.open(user, package)["session_id"])
        wait_for(lambda: house.credits(user) == 50)
    finally:
        stripe.ask("DELETE", f"/v1/webhook_endpoints/{hook['id']}")


def test_anybody_sees_the_prices_smallest_amount_first(fresh: House) -> None:
    stripe = fresh.stripe
    large = stripe.package(credits=500, amount=4000, nickname="500 credits, cheaper")
    small = stripe.package(credits=50, amount=500)
    stripe.package(amount=100, active="false")
    stripe.package(amount=200, **WITHOUT_DIVISION)
    told = fresh.get(PRICES)
    assert told["success"] is True
    assert [price["id"] for price in told["prices"]] == [small, large]
    assert told["prices"][0] == {
        "id": small,
        "name": "50 credits",
        "description": "50 credits",
        "amount": 500,
        "unit_amount": 500,
        "currency": "usd",
        "credits": 50,
        "transform_quantity": {"divide_by": 50, "round": "up"},
        "tax_behavior": "unspecified",
        "default": True,
    }
    assert told["prices"][1]["default"] is False


WITHOUT_DIVISION: Json = {
    "transform_quantity[divide_by]": None,
    "transform_quantity[round]": None,
}


def test_a_product_without_packages_sells_nothing(fresh: House) -> None:
    assert fresh.get(PRICES)["prices"] == []


def test_a_checkout_is_as_datalayers_clients_read_it(house: House, user: str, package: str) -> None:
    told = house.open(user, package)
    assert told["success"] is True
    assert told["client_secret"].startswith(f"{told['session_id']}_secret_")
    assert house.open(user, package) == told
    assert house.get(f"{SESSIONS}/{told['session_id']}", user)["state"] == "open"


def test_another_return_url_is_another_checkout(house: House, user: str, package: str) -> None:
    one, other = house.open(user, package), house.open(user, package, f"{RETURN_URL}/other")
    assert one["session_id"] != other["session_id"]


def test_a_session_that_is_paid_is_not_offered_again(house: House, user: str, package: str) -> None:
    first = house.open(user, package)
    house.stripe.pay(first["session_id"])
    assert house.open(user, package)["session_id"] != first["session_id"]


def test_a_customer_who_was_deleted_is_made_anew(house: House, user: str, package: str) -> None:
    first = house.open(user, package)["session_id"]
    customer = house.stripe.ask("GET", f"/v1/checkout/sessions/{first}")["customer"]
    house.stripe.ask("DELETE", f"/v1/customers/{customer}")
    second = house.open(user, package, f"{RETURN_URL}/again")["session_id"]
    assert house.stripe.ask("GET", f"/v1/checkout/sessions/{second}")["customer"] != customer


def test_a_checkout_sends_the_buyer_back_with_its_session(
    house: House, user: str, package: str
) -> None:
    opened = house.open(user, package, f"{RETURN_URL}?tab=credits#top")
    told = house.stripe.ask("GET", f"/v1/checkout/sessions/{opened['session_id']}")
    assert told["return_url"] == (
        f"{RETURN_URL}?tab=credits&session_id={{CHECKOUT_SESSION_ID}}#top"
    )


ALLOWED = [
    RETURN_ORIGIN,
    f"{RETURN_ORIGIN}/",
    f"{RETURN_ORIGIN}/app?x=1#y",
    "HTTPS://APP.EXAMPLE.COM/app",
    "https://credits.example.com/checkout",
    f"{RETURN_ORIGIN}?next=https://evil.example",
    f"{RETURN_ORIGIN}#@evil.example",
    f"{RETURN_ORIGIN}/@evil.example",
    f"{RETURN_ORIGIN}//evil.example",
]

ATTACKS = [
    "https://evil.example/",
    "https://app.example.com.evil.example/",
    "https://evil.example/app.example.com",
    "https://app.example.com@evil.example/",
    "https://user@app.example.com/",
    "https://app.example.com:x@evil.example/",
    "https://app.example.com\\@evil.example/",
    "https:\\\\app.example.com/",
    "https://evil.example\\.app.example.com/",
    "https://app.example.com:8443/",
    "https://app.example.com:/",
    "http://app.example.com/",
    "//app.example.com/",
    "//evil.example/",
    "///evil.example/",
    "/app/settings",
    "app.example.com",
    "https:/app.example.com/",
    "https:app.example.com/",
    "https:///app.example.com/",
    "https://",
    "https://[app.example.com/",
    "https://[::1]/",
    "https://127.0.0.1/",
    "https://app.example.com%2eevil.example/",
    "https://app.example.com%00.evil.example/",
    "https://app.example.com.",
    "https://\u0430pp.example.com/",
    "https://app。example.com/",
    "https://app.example.com/ü",
    "https://app.example.com /",
    " https://app.example.com/",
    "https://app.example.com/\n",
    "https://app.example.com/\t",
    "https://app.exam\nple.com/",
    "https://app.example.com/\0",
    "https://app.example.com/\x7f",
    "javascript:alert(1)",
    "javascript://app.example.com/%0aalert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://app.example.com/",
    "blob:https://app.example.com/x",
    "about:blank",
]


@pytest.mark.parametrize("url", ALLOWED)
def test_buyers_are_sent_back_to_allowed_origins(
    house: House, user: str, package: str, url: str
) -> None:
    assert house.open(user, package, url)["client_secret"]


@pytest.mark.parametrize("url", ATTACKS)
def test_buyers_are_sent_nowhere_else(house: House, user: str, package: str, url: str) -> None:
    asked = {"price_id": package, "return_url": url}
    refused(house.ask("POST", SESSIONS, user, json=asked), 400, "invalid_return_url")


@pytest.mark.parametrize("url", ["", f"{RETURN_ORIGIN}/{'x' * 2_000}", None, 1, [], "\ud800"])
def test_a_return_url_is_a_text_of_some_length(
    house: House, user: str, package: str, url: object
) -> None:
    asked = json.dumps({"price_id": package, "return_url": url})
    answer = house.ask(
        "POST", SESSIONS, user, content=asked, headers={"Content-Type": "application/json"}
    )
    refused(answer, 422, "invalid_request")


@pytest.mark.parametrize(
    "price_id", ["price_none", "..", "../customers", "a/b", "price 1", "ü", "price\0", "%2e%2e"]
)
def test_a_price_that_is_none_is_unknown(house: House, user: str, price_id: str) -> None:
    asked = {"price_id": price_id, "return_url": RETURN_URL}
    refused(house.ask("POST", SESSIONS, user, json=asked), 404, "unknown_package")


def test_a_price_that_cannot_be_sold_is_refused_with_the_reason(house: House, user: str) -> None:
    archived = house.stripe.package(active="false")
    other = house.stripe.ask("POST", "/v1/products", name="Hats")["id"]
    for price_id, why in (
        (archived, "archived"),
        (house.stripe.package(product=other), "another product"),
    ):
        asked = {"price_id": price_id, "return_url": RETURN_URL}
        told = refused(house.ask("POST", SESSIONS, user, json=asked), 400, "package_not_sold")
        assert why in told["detail"]


@pytest.mark.parametrize("name", ["cs_test_none", "x", "00000000-0000-0000-0000-000000000000"])
def test_a_checkout_that_is_none_is_unknown(house: House, user: str, name: str) -> None:
    refused(house.ask("GET", f"{SESSIONS}/{name}", user), 404, "unknown_checkout")


def test_a_name_that_no_checkout_can_have_is_refused(both: House, user: str) -> None:
    refused(both.ask("GET", f"{SESSIONS}/a%00b", user), 422, "invalid_request")


def test_nobody_sees_anothers_checkout(house: House, user: str, package: str) -> None:
    opened = house.open(user, package)
    for name in (opened["session_id"], opened["checkout_id"]):
        refused(house.ask("GET", f"{SESSIONS}/{name}", token("stranger")), 404)


def test_a_stripe_that_is_away_is_said_to_be(house: House, user: str) -> None:
    package = house.stripe.package()
    house.stripe.fault("server_error", count=3, path="/v1/prices/*")
    asked = {"price_id": package, "return_url": RETURN_URL}
    refused(house.ask("POST", SESSIONS, user, json=asked), 503, "stripe_unavailable")
    assert house.open(user, package)["client_secret"]


def test_a_key_that_stripe_does_not_take_is_said_to_be_the_operators(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    with running(fresh_database, stripe_account, DATALAYER_STRIPE_API_KEY="sk_test_wrong") as house:
        told = refused(house.ask("GET", PRICES), 503, "stripe_unavailable")
        assert "operator" in told["detail"]
        assert "sk_test_wrong" not in str(told)


def test_the_portal_gives_the_page_its_publishable_key(house: House, user: str) -> None:
    told = house.post("/api/iam/v1/checkout/portal", user, {"return_url": RETURN_URL})
    assert told["portal"] == {
        "url": "https://credits.example.com/checkout",
        "route": "/checkout",
        "is_modal": False,
        "metadata": {"stripe_key": house.stripe.config.publishable_key},
    }


def test_what_a_user_has_is_as_datalayers_clients_read_it(house: House, user: str) -> None:
    told = house.get(CREDITS, user)
    assert told["success"] is True
    assert told["reservations"] == []
    assert told["credits"].keys() == {"credits", "quota", "last_update"}
    assert told["credits"]["quota"] is None
    assert told["credits"]["credits"] == 0
    alias = house.get("/api/iam/v1usage/credits", user)
    assert alias["credits"]["credits"] == 0
