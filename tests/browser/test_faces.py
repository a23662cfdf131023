"""What the page shows while it waits, when there is nothing, and when something is wrong."""

import json

import pytest
from playwright.async_api import Route, expect

from local_service import House
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

AWAY = "status of 503"
CREDITS = "**/usage/{credits,stream}"
PRICES = "**/stripe/v1/prices"
CHECKOUT = "**/checkout/session/*"
ENTRIES = "**/usage/entries*"
PURCHASES = "**/checkout/sessions*"
BALANCES = "**/usage/balance-history*"
SPENDING = "**/usage/spending*"
KEYS = "**/v1/api-keys*"
OPENING = "**/checkout/session"
STRIPE_JS = "**/endive/stripe.js"

PROBLEM = {"code": "unavailable", "detail": "The database is away. Try again in a little while."}


async def away(route: Route) -> None:
    """A proxy before the service answers in its place."""
    await route.fulfill(
        status=503, content_type="application/problem+json", body=json.dumps(PROBLEM)
    )


async def never(_: Route) -> None:
    """No answer comes, as long as one waits."""


WAITS = {
    "overview": ("", CREDITS, "Loading your credits"),
    "balances": ("", BALANCES, "Loading the credits over time"),
    "spending": ("", SPENDING, "Loading the spending"),
    "buy": ("buy", PRICES, "Loading the packages"),
    "pay": ("buy?package={price}", OPENING, "Loading Stripe's payment form"),
    "return": ("buy/return?session_id={session}", CHECKOUT, "Loading your purchase"),
    "history": ("history", ENTRIES, "Loading the history"),
    "purchases": ("history/purchases", PURCHASES, "Loading your purchases"),
    "keys": ("keys", KEYS, "Loading your keys"),
}


@pytest.mark.parametrize("view", WAITS)
async def test_a_view_says_what_it_waits_for(visitor: Visitor, view: str) -> None:
    place, asked, sentence = WAITS[view]
    await visitor.page.route(asked, never)
    await visitor.come(place.format(price=visitor.packages[50], session="cs_1"))
    await visitor.reads(sentence)


WRONG = {
    "overview": ("", CREDITS, "Your credits can't be shown now.", "You have no credits yet."),
    "balances": (
        "",
        BALANCES,
        "The credits over time can't be shown now.",
        "You had no credits in the last 7 days.",
    ),
    "spending": (
        "",
        SPENDING,
        "The spending can't be shown now.",
        "Nothing was spent in the last 7 days.",
    ),
    "buy": ("buy", PRICES, "The packages can't be shown now.", "Best value"),
    "pay": (
        "buy?package={price}",
        OPENING,
        "The checkout can't be shown now.",
        "50 credits for $5",
    ),
    "return": (
        "buy/return?session_id={session}",
        CHECKOUT,
        "Your purchase can't be shown now.",
        "This purchase is not paid yet.",
    ),
    "history": (
        "history",
        ENTRIES,
        "The history can't be shown now.",
        "Nothing has happened yet.",
    ),
    "purchases": (
        "history/purchases",
        PURCHASES,
        "Your purchases can't be shown now.",
        "You have not bought anything yet.",
    ),
    "keys": ("keys", KEYS, "Your keys can't be shown now.", "You have no keys."),
}


@pytest.mark.parametrize("view", WRONG)
async def test_a_view_says_what_is_wrong_and_tries_again(visitor: Visitor, view: str) -> None:
    place, asked, sentence, right = WRONG[view]
    visitor.watch.known.append(AWAY)
    session = visitor.opened() if view == "return" else ""
    await visitor.troubled(asked, away)
    await visitor.come(place.format(price=visitor.packages[50], session=session))
    await visitor.reads(sentence)
    await expect(visitor.page.get_by_role("alert")).to_contain_text(PROBLEM["detail"])
    await visitor.press("Try again")
    await visitor.reads(right)


async def test_without_stripes_form_nothing_is_paid_and_one_can_try_again(visitor: Visitor) -> None:
    visitor.watch.known.append("net::ERR_FAILED")
    await visitor.page.route(STRIPE_JS, lambda route: route.abort())
    await visitor.come(f"buy?package={visitor.packages[50]}")
    await visitor.reads("Stripe's payment form could not be loaded.")
    await visitor.page.unroute(STRIPE_JS)
    await visitor.press("Try again")
    await expect(visitor.form.get_by_label("Email")).to_be_visible()


async def test_a_lost_connection_is_told_and_what_was_known_stays(
    visitor: Visitor, shop: House
) -> None:
    visitor.watch.known.append(AWAY)
    shop.stripe.control("faults/deliveries", fault="hold")
    await visitor.choose(50)
    await visitor.pay()
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.page.route("**/api/**", away)
    await visitor.reads("The connection is lost.")
    await visitor.reads("Paid: 50 credits are on their way.")
    shop.stripe.control("deliveries/release", type="*")
    await visitor.page.unroute("**/api/**")
    await visitor.reads("50 credits were added.")
    await expect(visitor.told("The connection is lost.")).to_have_count(0)


async def test_where_nothing_is_on_sale_the_page_says_so(visitor: Visitor) -> None:
    nothing = {"success": True, "message": "OK", "prices": []}
    await visitor.page.route(PRICES, lambda route: route.fulfill(json=nothing))
    await visitor.come("buy")
    await visitor.reads("Nothing is on sale at the moment.")


async def test_a_token_that_is_not_good_any_more_leads_to_the_door(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 401")
    await visitor.page.goto(f"{visitor.shop.url}/credits#token=of-yesterday")
    await expect(visitor.page.get_by_role("button", name="Open as the demo user")).to_be_visible()


async def test_the_demo_opens_with_one_click_and_can_be_left(visitor: Visitor) -> None:
    await visitor.page.goto(f"{visitor.shop.url}/credits")
    await visitor.press("Open as the demo user")
    await visitor.reads("Overview")
    await visitor.page.get_by_role("button", name="Leave the demo").click()
    await expect(visitor.page.get_by_role("button", name="Open as the demo user")).to_be_visible()


async def test_without_a_demo_the_door_leads_to_the_platform(
    visitor: Visitor, strict_shop: House
) -> None:
    visitor.watch.origins.add(strict_shop.url)
    await visitor.page.goto(f"{strict_shop.url}/credits")
    await visitor.reads("open this page from the platform that you use")


async def test_the_token_leaves_the_address_at_once(visitor: Visitor) -> None:
    await visitor.come("buy")
    await visitor.reads("Best value")
    assert visitor.page.url == f"{visitor.shop.url}/credits/buy"
