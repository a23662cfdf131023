"""Buying, as a customer walks: only Stripe's word to the service brings credits."""

import time
from collections.abc import Callable

import pytest
from playwright.async_api import Browser, Route, expect

from local_browser import Watch
from local_clock import LocalClock
from local_service import House
from local_shop import DEBIT_SECONDS
from looks import PHONE, too_wide
from visitors import ASKS, DECLINED, TOO_POOR, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_PURCHASES = 5
"""The machine does other things too: what comes soonest, of so many, is how soon it comes."""

ADDED = """
    document.querySelector("main").innerText.includes("50 credits were added.") &&
    document.querySelector("[data-testid=available]").innerText.trim() === "{credits} credits"
"""

KEYS = "/api/iam/v1/api-keys"

REFUSED = "status of 402"
"""What a browser says of a card that Stripe declines."""


async def test_credits_come_with_the_webhook_and_not_before(
    visitor: Visitor, shop: House, record_property: Callable[[str, object], None]
) -> None:
    took = list[float]()
    while len(took) < MOST_PURCHASES and min(took, default=1) >= 1:
        took.append(await seconds_from_webhook_to_page(visitor, shop, 50 * len(took)))
    record_property("seconds_from_webhook_to_page", min(took))
    assert min(took) < 1, took


async def seconds_from_webhook_to_page(visitor: Visitor, shop: House, had: int) -> float:
    """How soon somebody who had so many credits sees fifty more, once Stripe has told of them."""
    shop.stripe.control("faults/deliveries", fault="hold")
    await visitor.choose(50)
    await visitor.pay()
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.page.evaluate("window.stillHere = true")
    for _ in range(2):  # the page asks and asks, and nothing comes of it
        await visitor.page.wait_for_event("response", lambda told: "/session/" in told.url)
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.has(had)
    await visitor.notes(ADDED.format(credits=had + 50))

    shop.stripe.control("deliveries/release", type="*")
    released = time.time()
    await visitor.reads("50 credits were added.")
    await visitor.has(had + 50)
    assert await visitor.page.evaluate("window.stillHere"), "the page was loaded again"
    return await visitor.noted() - released


@pytest.mark.parametrize(
    ("card", "why"),
    [(DECLINED, "Your card was declined."), (TOO_POOR, "Your card has insufficient funds.")],
)
async def test_a_card_that_does_not_pay_costs_nothing_and_another_one_pays(
    visitor: Visitor, card: str, why: str
) -> None:
    visitor.watch.known.append(REFUSED)
    await visitor.choose(120)
    await visitor.pay(card)
    await expect(visitor.form.get_by_role("alert")).to_have_text(why)
    await visitor.has(0)
    assert visitor.owns() == 0
    await visitor.pay()
    await visitor.reads("120 credits were added.")
    await visitor.has(120)


async def test_a_test_card_that_is_pressed_is_typed_in(visitor: Visitor) -> None:
    await visitor.choose(50)
    await visitor.form.get_by_text("Test cards: choose what happens").click()
    await visitor.form.get_by_role("button", name="4242 4242 4242 4242").click()
    await expect(visitor.form.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    await visitor.form.get_by_label("Email").fill("ada@example.com")
    await visitor.send()
    await visitor.reads("50 credits were added.")


async def test_who_says_yes_to_the_bank_has_paid(visitor: Visitor) -> None:
    await visitor.choose(50)
    await visitor.pay(ASKS)
    await visitor.form.get_by_text("Your bank asks: is it you?").wait_for()
    await visitor.has(0)
    await visitor.form.get_by_role("button", name="Complete authentication").click()
    await visitor.reads("50 credits were added.")
    await visitor.has(50)


async def test_who_says_no_to_the_bank_has_not_paid_and_may_try_again(visitor: Visitor) -> None:
    visitor.watch.known.append(REFUSED)
    await visitor.choose(50)
    await visitor.pay(ASKS)
    await visitor.form.get_by_role("button", name="Fail authentication").click()
    await expect(visitor.form.get_by_role("alert")).to_contain_text("authenticat")
    await visitor.has(0)
    assert visitor.owns() == 0
    await visitor.send()
    await visitor.form.get_by_role("button", name="Complete authentication").click()
    await visitor.reads("50 credits were added.")
    assert visitor.owns() == 50


async def test_who_is_signed_out_while_paying_can_go_on_and_is_told_that_nothing_is_lost(
    visitor: Visitor, shop: House
) -> None:
    made = shop.post(KEYS, visitor.token, {"name": "laptop", "scope": "user"}, 201)
    visitor.watch.known.append("status of 401")
    await visitor.page.goto(f"{shop.url}/credits/buy#token={made['token']}")
    await visitor.page.get_by_role("link", name="Buy 50 credits for").click()
    await visitor.form.get_by_label("Email").fill("ada@example.com")
    shop.ask("DELETE", f"{KEYS}/{made['api_key']['id']}", visitor.token)
    await visitor.reads("You were signed out.")
    await expect(visitor.form.get_by_label("Email")).to_have_value("ada@example.com")
    await visitor.pay()
    await visitor.reads("nothing is lost, so don't pay again")
    await visitor.come(f"buy/return?session_id={visitor.session()}")
    await visitor.reads("50 credits were added.")


async def test_a_bank_debit_is_processed_until_the_bank_has_paid(
    visitor: Visitor, bank: LocalClock
) -> None:
    await visitor.choose(50)
    await visitor.pay_by_bank("succeeds")
    await visitor.reads("Your payment is being processed.")
    await visitor.press("Go to the overview")
    await visitor.reads("You have no credits yet.")
    await visitor.press("See the purchase")
    await visitor.reads("Your payment is being processed.")
    await visitor.has(0)
    bank.forward(DEBIT_SECONDS)
    await visitor.reads("50 credits were added.")
    await visitor.has(50)


async def test_a_bank_debit_that_fails_brings_nothing_and_can_be_tried_again(
    visitor: Visitor, bank: LocalClock
) -> None:
    await visitor.choose(50)
    await visitor.pay_by_bank("fails")
    await visitor.reads("Your payment is being processed.")
    bank.forward(DEBIT_SECONDS)
    await visitor.reads("The payment failed.")
    await visitor.has(0)
    await visitor.press("Try again")
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert visitor.owns() == 50


@pytest.mark.parametrize("fault", ["duplicate", "parallel"])
async def test_a_webhook_that_comes_twice_counts_once(
    visitor: Visitor, shop: House, fault: str
) -> None:
    shop.stripe.control("faults/deliveries", fault=fault, type="checkout.session.*", copies=3)
    await visitor.choose(50)
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    await visitor.come()
    await visitor.has(50)
    assert visitor.owns() == 50


async def test_an_expired_checkout_says_so_and_can_be_started_again(
    visitor: Visitor, shop: House
) -> None:
    await visitor.choose(50)
    expired = visitor.session()
    shop.stripe.control(f"sessions/{expired}/expire-now")
    await visitor.come(f"buy/return?session_id={expired}")
    await visitor.reads("This checkout has expired.")
    await visitor.press("Start again")
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert visitor.session() != expired


async def test_a_checkout_that_expires_before_the_buyers_eyes_is_replaced(
    visitor: Visitor, shop: House
) -> None:
    await visitor.page.clock.install()
    await visitor.choose(50)
    shop.stripe.control(f"sessions/{visitor.session()}/expire-now")
    await visitor.page.clock.fast_forward("00:20")
    await visitor.reads("This checkout has expired.")
    await visitor.press("Start again")
    await visitor.pay()
    await visitor.reads("50 credits were added.")


async def test_who_pays_too_late_is_told_and_pays_nothing(visitor: Visitor, shop: House) -> None:
    visitor.watch.known.append("status of 400")
    await visitor.choose(50)
    shop.stripe.control(f"sessions/{visitor.session()}/expire-now")
    await visitor.pay()
    await visitor.form.get_by_text("This checkout has expired.").wait_for()
    await visitor.page.reload()
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert visitor.owns() == 50


async def test_a_connection_that_is_lost_while_one_pays_loses_nothing(visitor: Visitor) -> None:
    visitor.watch.known.append("net::ERR_")
    await visitor.choose(50)
    await visitor.context.set_offline(True)
    await visitor.reads("The connection is lost.")
    await visitor.pay()
    await expect(visitor.form.get_by_role("alert")).to_contain_text("Nothing was charged")
    await visitor.context.set_offline(False)
    await expect(visitor.told("The connection is lost.")).to_have_count(0)
    await visitor.send()
    await visitor.reads("50 credits were added.")
    assert visitor.owns() == 50


async def test_who_pays_and_loses_the_connection_on_the_way_back_finds_the_purchase(
    visitor: Visitor,
) -> None:
    visitor.watch.known.append("net::ERR_")
    await visitor.choose(50)
    await visitor.page.route("**/buy/return**", lambda route: route.abort())
    async with visitor.page.expect_event("requestfailed"):
        await visitor.pay()
    await visitor.page.unroute("**/buy/return**")
    await visitor.come()
    await visitor.reads("Your purchase of 50 credits has arrived.")
    await visitor.has(50)


async def test_who_takes_another_package_before_the_form_is_there_gets_the_others_form(
    visitor: Visitor,
) -> None:
    held = list[Route]()

    async def hold(route: Route) -> None:
        held.append(route)

    await visitor.page.route("**/_simulator/controller", hold)
    await visitor.come("buy")
    async with visitor.page.expect_request("**/_simulator/controller"):
        await visitor.page.get_by_role("link", name="Buy 50 credits for").click()
    await visitor.page.get_by_role("link", name="Choose another package").click()
    await visitor.page.get_by_role("link", name="Buy 120 credits for").click()
    await visitor.reads("120 credits for $10")
    for route in held:
        await route.continue_()
    await visitor.page.unroute("**/_simulator/controller")
    await visitor.pay()
    await visitor.reads("120 credits were added.")
    assert visitor.owns() == 120


async def test_a_phone_and_a_finger_buy(visitor: Visitor, browser: Browser) -> None:
    phone = await browser.new_context(
        locale="en-US", viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    visitor.watch = Watch(phone, visitor.watch.origins)
    visitor.page = await phone.new_page()
    await visitor.come("buy")
    await visitor.page.get_by_role("link", name="Buy 650 credits for").tap()
    await visitor.pay()
    await visitor.reads("650 credits were added.")
    await visitor.has(650)
    assert await too_wide(visitor.page) == []
    await phone.close()
    assert visitor.watch.wrong() == []


async def test_who_closed_the_tab_after_paying_is_led_back_to_the_purchase(
    visitor: Visitor, shop: House
) -> None:
    shop.stripe.control("faults/deliveries", fault="hold")
    await visitor.choose(50)
    await visitor.pay()
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.page.close()
    await visitor.come_in_new_tab()
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.press("See the purchase")
    shop.stripe.control("deliveries/release", type="*")
    await visitor.reads("50 credits were added.")
    await visitor.has(50)


async def test_who_closed_the_tab_before_paying_comes_back_to_the_same_checkout(
    visitor: Visitor,
) -> None:
    await visitor.choose(50)
    begun = visitor.session()
    await visitor.page.close()
    await visitor.come_in_new_tab(f"buy/return?session_id={begun}")
    await visitor.reads("This purchase is not paid yet.")
    await visitor.press("Go on to pay")
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert visitor.session() == begun


async def test_of_two_tabs_with_one_checkout_one_pays_and_the_other_knows(
    visitor: Visitor,
) -> None:
    await visitor.choose(50)
    first = visitor.page
    await visitor.come_in_new_tab(f"buy?package={visitor.packages[50]}")
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    await visitor.has(50)
    visitor.page = first
    await visitor.reads("50 credits were added.")
    await visitor.has(50)
    assert visitor.owns() == 50


async def test_a_balance_rises_in_a_tab_that_only_looks(visitor: Visitor) -> None:
    await visitor.come()
    looking = visitor.page
    await visitor.has(0)
    await visitor.come_in_new_tab(f"buy?package={visitor.packages[650]}")
    await visitor.pay()
    await visitor.reads("650 credits were added.")
    visitor.page = looking
    await visitor.has(650)
