"""Buying, as a customer walks: only Stripe's word to the service brings credits."""

import time
from collections.abc import Callable

import pytest

from local_clock import LocalClock
from local_service import House
from local_shop import DEBIT_SECONDS
from visitors import ASKS, DECLINED, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "status of 402"
"""What a browser says of a card that Stripe declines."""


async def test_credits_come_with_the_webhook_and_not_before(
    visitor: Visitor, shop: House, record_property: Callable[[str, object], None]
) -> None:
    shop.stripe.control("faults/deliveries", fault="hold")
    await visitor.choose(50)
    await visitor.pay()
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.page.evaluate("window.stillHere = true")
    for _ in range(2):  # the page asks and asks, and nothing comes of it
        await visitor.page.wait_for_event("response", lambda told: "/session/" in told.url)
    await visitor.reads("Paid: 50 credits are on their way.")
    await visitor.has(0)

    shop.stripe.control("deliveries/release", type="*")
    released = time.monotonic()
    await visitor.reads("50 credits were added.", seconds=1)
    await visitor.has(50, seconds=1)
    record_property("seconds_from_webhook_to_page", time.monotonic() - released)
    assert await visitor.page.evaluate("window.stillHere"), "the page was loaded again"


async def test_a_declined_card_costs_nothing_and_another_one_pays(visitor: Visitor) -> None:
    visitor.watch.known.append(REFUSED)
    await visitor.choose(120)
    await visitor.pay(DECLINED)
    await visitor.form.get_by_text("Your card was declined.").wait_for()
    await visitor.has(0)
    await visitor.pay()
    await visitor.reads("120 credits were added.")
    await visitor.has(120)


async def test_a_bank_that_asks_is_answered_in_the_form(visitor: Visitor) -> None:
    visitor.watch.known.append(REFUSED)
    await visitor.choose(50)
    await visitor.pay(ASKS)
    await visitor.form.get_by_role("button", name="Fail authentication").click()
    await visitor.form.get_by_role("alert").filter(has_text="authenticat").wait_for()
    await visitor.send()
    await visitor.form.get_by_role("button", name="Complete authentication").click()
    await visitor.reads("50 credits were added.")
    assert visitor.owns() == 50


async def test_a_bank_debit_is_processed_until_the_bank_has_paid(
    visitor: Visitor, bank: LocalClock
) -> None:
    await visitor.choose(50)
    await visitor.pay_by_bank("succeeds")
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
