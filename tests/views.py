"""Every view of the page, in each of its states: how a visitor comes to see it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from visitors import Visitor

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


async def buy(visitor: Visitor) -> None:
    await visitor.come("buy")
    await visitor.reads("Best value")


async def pay(visitor: Visitor) -> None:
    await visitor.choose(120)


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
        *(door, overview_empty, overview, buy, pay, not_on_sale, nowhere),
        *(returned_unpaid, returned_paid, returned_processing, returned_credited),
        *(returned_expired, returned_unknown, history_empty, history),
        *(purchases_empty, purchases, keys_none, keys),
    )
}
