"""Every view of the operator's console, in each of its states: how an operator comes to see it."""

from collections.abc import Awaitable, Callable

from visitors import Visitor


async def for_operators(visitor: Visitor) -> None:
    await visitor.come("console")
    await visitor.reads("This part is for those who operate the service")


async def no_account(visitor: Visitor) -> None:
    await visitor.operate("buy")
    await visitor.reads("You are here as an operator, and have no credits of your own.")


async def console(visitor: Visitor) -> None:
    visitor.bought(650)
    visitor.granted(20)
    visitor.spends("Train a model", 241.75)
    await visitor.operate()
    await visitor.reads("Still outstanding")


async def console_accounts(visitor: Visitor) -> None:
    visitor.granted(12.5)
    visitor.runs("Notebook of today", 0.005, credits=10)
    await visitor.operate(f"console/accounts?search={visitor.uid}")
    await visitor.reads("Ada Lovelace")


async def console_accounts_none(visitor: Visitor) -> None:
    await visitor.operate("console/accounts?search=nobody-at-all")
    await visitor.reads("Nobody has a uid, handle, e-mail or name that begins with")


async def console_account(visitor: Visitor) -> None:
    visitor.bought(120)
    visitor.granted(20, expires_at="2036-12-31T23:00:00Z")
    visitor.spends("Fetch the data", 12.5)
    visitor.runs("Notebook of today", 0.005, credits=10)
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await visitor.reads("Notebook of today")
    await visitor.reads("Fetch the data")
    await visitor.page.get_by_role("button", name="Take back from 7.5 credits").click()
    await visitor.page.get_by_label("Credits to take back").wait_for()


async def console_account_new(visitor: Visitor) -> None:
    visitor.owns()  # now they have an account
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await visitor.reads("Of no grant is anything left.")
    await visitor.reads("Nothing has been bought, granted or spent yet.")


async def console_account_unknown(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 404")
    await visitor.operate("console/accounts/nobody-at-all")
    await visitor.reads("There is no account “nobody-at-all”.")


async def console_grant(visitor: Visitor) -> None:
    """About to be granted: what will happen is said."""
    visitor.owns()  # now they have an account
    await visitor.operate(f"console/accounts/{visitor.uid}")
    form = visitor.page.get_by_role("form", name="Grant credits")
    await form.get_by_label("Credits").fill("12.5")
    await form.get_by_label("Reason").fill("A welcome")
    await visitor.press("Grant…")
    await (
        visitor.page.get_by_role("alertdialog").get_by_text("gets 12.5 credits at once").wait_for()
    )


async def console_checkouts(visitor: Visitor) -> None:
    visitor.opened(650)
    visitor.bought(120)
    await visitor.operate(f"console/checkouts?account={visitor.uid}")
    await visitor.page.get_by_role("cell", name="credited").first.wait_for()


async def console_checkouts_none(visitor: Visitor) -> None:
    await visitor.operate("console/checkouts?account=nobody-at-all")
    await visitor.reads("No checkout matches these filters.")


async def console_events(visitor: Visitor) -> None:
    visitor.put_aside()
    await visitor.operate("console/events")
    await visitor.reads("the checkout has 500")


async def console_event(visitor: Visitor) -> None:
    event = visitor.put_aside()
    await visitor.operate(f"console/events/{event['id']}")
    await visitor.reads("amount_subtotal")


async def console_event_unknown(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 404")
    await visitor.operate("console/events/evt_of_nobody")
    await visitor.reads("There is no such event in the inbox.")


async def console_doctor(visitor: Visitor) -> None:
    await visitor.operate("console/doctor")
    await visitor.press("Look now")
    await visitor.reads("Stripe accepts the API key", seconds=30)


VIEWS: dict[str, Callable[[Visitor], Awaitable[None]]] = {
    show.__name__: show
    for show in (
        *(for_operators, no_account, console, console_accounts, console_accounts_none),
        *(console_account, console_account_new, console_account_unknown, console_grant),
        *(console_checkouts, console_checkouts_none, console_events, console_event),
        *(console_event_unknown, console_doctor),
    )
}
