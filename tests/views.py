"""Every view of the page, in each of its states: how a visitor comes to see it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Route, expect

import console_views
from visitors import ASKS, DECLINED, Visitor

Show = Callable[[Visitor], Awaitable[None]]


async def door(visitor: Visitor) -> None:
    await visitor.page.goto(f"{visitor.shop.url}/credits")
    await expect(visitor.page.get_by_role("button", name="Open as the demo user")).to_be_visible()


async def overview_empty(visitor: Visitor) -> None:
    await visitor.come()
    await visitor.reads("You have no credits yet.")


async def overview(visitor: Visitor) -> None:
    visitor.bought(650)
    done = visitor.runs("Fetch the data", 0.4)
    visitor.ask_of(done, "settlement")
    visitor.runs("Train a model", 0.02)
    visitor.runs("Notebook of today", 0.005, credits=10)
    await visitor.come()
    await visitor.reads("Train a model")
    await visitor.reads("Fetch the data")


async def charts(visitor: Visitor) -> None:
    visitor.bought(650)
    for name, cost in (("Fetch the data", 12.5), ("Train a model", 241.75), ("Report", 7)):
        visitor.spends(name, cost)
    visitor.burns(visitor.runs("Notebook of today", 0.5, credits=60), 0.005)
    await visitor.come()
    await visitor.near("Credits over time")
    await expect(visitor.page.get_by_role("img")).to_have_count(2)


async def charts_as_tables(visitor: Visitor) -> None:
    await charts(visitor)
    for title in ("Credits over time", "Spending"):
        part = visitor.page.get_by_role("region", name=title, exact=True)
        await part.get_by_role("button", name="Table").click()
    await expect(visitor.page.get_by_role("table")).to_have_count(2)


async def buy(visitor: Visitor) -> None:
    await visitor.come("buy")
    await visitor.reads("Best value")


async def pay(visitor: Visitor) -> None:
    await visitor.choose(120)


async def pay_declined(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 402")
    await visitor.choose(120)
    await visitor.pay(DECLINED)
    await expect(visitor.form.get_by_role("alert")).to_have_text("Your card was declined.")


async def pay_asked(visitor: Visitor) -> None:
    await visitor.choose(120)
    await visitor.pay(ASKS)
    await visitor.form.get_by_text("Your bank asks: is it you?").wait_for()


async def pay_expired(visitor: Visitor) -> None:
    await visitor.page.clock.install()
    await visitor.choose(120)
    visitor.shop.stripe.control(f"sessions/{visitor.session()}/expire-now")
    await visitor.page.clock.fast_forward("00:20")
    await visitor.reads("This checkout has expired.")


async def pay_without_form(visitor: Visitor) -> None:
    visitor.watch.known.append("net::ERR_FAILED")
    await visitor.page.route("**/endive/stripe.js", lambda route: route.abort())
    await visitor.come(f"buy?package={visitor.packages[120]}")
    await visitor.reads("Stripe's payment form could not be loaded.")


async def not_on_sale(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 404")
    await visitor.come("buy?package=price_of_yesterday")
    await visitor.reads("This package is not on sale any more.")


async def returned_unpaid(visitor: Visitor) -> None:
    await visitor.come(f"buy/return?session_id={visitor.opened()}")
    await visitor.reads("This purchase is not paid yet.")


async def returned_paid(visitor: Visitor) -> None:
    visitor.shop.stripe.control("faults/deliveries", fault="hold")
    session = visitor.opened(120)
    visitor.shop.stripe.pay(session)
    await visitor.come(f"buy/return?session_id={session}")
    await visitor.reads("120 credits are on their way.")


async def returned_processing(visitor: Visitor) -> None:
    session = visitor.opened()
    visitor.shop.stripe.pay(session, "delayed_succeeds")
    await visitor.come(f"buy/return?session_id={session}")
    await visitor.reads("Your payment is being processed.")


async def returned_credited(visitor: Visitor) -> None:
    await visitor.come(f"buy/return?session_id={visitor.bought(120)}")
    await visitor.reads("120 credits were added.")


async def returned_failed(visitor: Visitor) -> None:
    async def days_later(route: Route) -> None:
        told = await route.fetch()
        await route.fulfill(response=told, json={**await told.json(), "state": "failed"})

    session = visitor.opened()
    await visitor.page.route("**/checkout/session/*", days_later)
    await visitor.come(f"buy/return?session_id={session}")
    await visitor.reads("The payment failed.")


async def returned_expired(visitor: Visitor) -> None:
    session = visitor.opened()
    visitor.shop.stripe.control(f"sessions/{session}/expire-now")
    await visitor.come(f"buy/return?session_id={session}")
    await visitor.reads("This checkout has expired.")


async def returned_unknown(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 404")
    await visitor.come("buy/return?session_id=cs_test_of_nobody")
    await visitor.reads("You have no purchase at this address.")


async def history_empty(visitor: Visitor) -> None:
    await visitor.come("history")
    await visitor.reads("Nothing has happened yet.")


async def history(visitor: Visitor) -> None:
    visitor.bought(650)
    for name, cost in (("Fetch the data", 12.5), ("Train a model", 241.75)):
        visitor.spends(name, cost)
    await visitor.come("history")
    await visitor.reads("Train a model")


async def purchases_empty(visitor: Visitor) -> None:
    await visitor.come("history/purchases")
    await visitor.reads("You have not bought anything yet.")


async def purchases(visitor: Visitor) -> None:
    visitor.opened(120)
    visitor.bought(650)
    waits = visitor.opened(50)
    visitor.shop.stripe.pay(waits, "delayed_succeeds")
    late = visitor.opened(50)
    visitor.shop.stripe.control(f"sessions/{late}/expire-now")
    for session, state in ((waits, "processing"), (late, "expired")):
        visitor.waits_for(session, state)
    await visitor.come("history/purchases")
    await visitor.reads("$50.00")


async def keys_none(visitor: Visitor) -> None:
    await visitor.come("keys")
    await visitor.reads("You have no keys.")


async def keys(visitor: Visitor) -> None:
    await keys_none(visitor)
    for name in ("my laptop", "night jobs"):
        await visitor.page.get_by_label("Name").fill(name)
        await visitor.press("Make a key")
        await visitor.reads(f"The key “{name}” is made.")
    await visitor.page.get_by_role("button", name="Revoke my laptop").wait_for()


async def nowhere(visitor: Visitor) -> None:
    await visitor.come("of/nothing")
    await visitor.reads("There is nothing at this address.")


VIEWS: dict[str, Show] = {
    show.__name__: show
    for show in (
        *(door, overview_empty, overview, charts, charts_as_tables, buy, pay, not_on_sale, nowhere),
        *(pay_declined, pay_asked, pay_expired, pay_without_form, returned_failed),
        *(returned_unpaid, returned_paid, returned_processing, returned_credited),
        *(returned_expired, returned_unknown, history_empty, history),
        *(purchases_empty, purchases, keys_none, keys),
    )
} | console_views.VIEWS
