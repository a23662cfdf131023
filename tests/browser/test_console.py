"""The operator's console: accounts are found, credits granted once and taken back, and what needs a
person is seen."""

import json

import pytest
from playwright.async_api import Locator, Route, expect

from local_service import House
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROBLEM = {"code": "unavailable", "detail": "The database is away. Try again in a little while."}
GRANTS = "**/accounts/*/grants"


def field(visitor: Visitor, form: str, label: str) -> Locator:
    return visitor.page.get_by_role("form", name=form).get_by_label(label)


async def confirm(visitor: Visitor, *sentences: str) -> Locator:
    """What is about to happen is said; the button that does it."""
    dialog = visitor.page.get_by_role("alertdialog")
    for sentence in sentences:
        await expect(dialog).to_contain_text(sentence)
    return dialog.get_by_role("button").last


async def granting(visitor: Visitor, credits: str, reason: str) -> None:  # noqa: A002
    await field(visitor, "Grant credits", "Credits").fill(credits)
    await field(visitor, "Grant credits", "Reason").fill(reason)
    await visitor.press("Grant…")


async def test_an_account_is_found_by_a_name_and_opened_by_the_keyboard(visitor: Visitor) -> None:
    visitor.granted(12.5)
    await visitor.operate("console/accounts")
    await visitor.page.get_by_label("name begins with").fill(visitor.uid.upper())
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.page.get_by_role("row")).to_have_count(2)
    link = visitor.page.get_by_role("main").get_by_role("link", name="Ada Lovelace")
    await link.focus()
    await visitor.page.keyboard.press("Enter")
    await visitor.reads("welcome")
    assert visitor.page.url.endswith(f"/credits/console/accounts/{visitor.uid}")


async def test_credits_are_granted_once_however_often_one_clicks(visitor: Visitor) -> None:
    assert visitor.owns() == 0
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await granting(visitor, "12.5", "A welcome")
    yes = await confirm(
        visitor,
        "Grant 12.5 credits to Ada Lovelace?",
        f"The account {visitor.uid} gets 12.5 credits at once",
        "“A welcome”",
    )
    await yes.dblclick()
    await visitor.reads("12.5 credits were granted to Ada Lovelace.")
    await visitor.reads("A welcome")
    row = visitor.page.get_by_role("row").nth(1)
    await expect(row).to_contain_text("operator")
    assert visitor.owns() == "12.5"
    await expect(visitor.page.get_by_role("row")).to_have_count(2)


async def test_an_answer_that_is_lost_is_asked_for_again_without_granting_twice(
    visitor: Visitor,
) -> None:
    """The service grants, and its answer doesn't come."""
    visitor.watch.known.append("net::ERR_FAILED")
    assert visitor.owns() == 0

    async def lost(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await visitor.page.route(GRANTS, lost)
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await visitor.page.unroute(GRANTS)
    await visitor.page.route(GRANTS, lambda route: only_posts(route, lost))
    await granting(visitor, "10", "A gift")
    await (await confirm(visitor, "Grant 10 credits")).click()
    await visitor.reads("It is not known whether that was done.")
    await visitor.page.unroute(GRANTS)
    await visitor.press("Grant…")
    await (await confirm(visitor, "Grant 10 credits")).click()
    await visitor.reads("10 credits had been granted before to Ada Lovelace.")
    assert visitor.owns() == 10


async def only_posts(route: Route, answer: object) -> None:
    assert callable(answer)
    if route.request.method == "POST":
        await answer(route)
    else:
        await route.continue_()


async def test_what_is_refused_is_told_and_nothing_changes(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 409")
    visitor.granted(900_000_000)
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await granting(visitor, "900000000", "Too much")
    await (await confirm(visitor, "Grant 900,000,000 credits")).click()
    await visitor.reads("Nothing was granted. Nothing has changed.")
    await visitor.reads("an account holds at most")
    assert visitor.owns() == 900_000_000


async def test_a_grant_is_taken_back_with_a_reason(visitor: Visitor) -> None:
    visitor.granted(20)
    visitor.spends("Train a model", 2.5)
    await visitor.operate(f"console/accounts/{visitor.uid}")
    await visitor.page.get_by_role("button", name="Take back from 17.5 credits").click()
    await field(visitor, "Take back", "Credits to take back").fill("7.5")
    await field(visitor, "Take back", "Reason").fill("by mistake")
    await visitor.press("Go on")
    yes = await confirm(visitor, f"{visitor.uid} loses 7.5 credits of the 17.5 credits left")
    await yes.click()
    await visitor.reads("7.5 credits were taken back.")
    await visitor.reads("by mistake")
    await visitor.page.get_by_role("button", name="Take back from 10 credits").click()
    await field(visitor, "Take back", "Reason").fill("all of it")
    await visitor.press("Go on")
    await (await confirm(visitor, "all that is left and not reserved")).click()
    await visitor.reads("10 credits were taken back.")
    assert visitor.owns() == 0


async def test_what_is_in_quarantine_says_why_and_is_granted_by_hand(visitor: Visitor) -> None:
    event = visitor.put_aside()
    await visitor.operate("console/events?verdict=quarantined")
    await visitor.reads("amount is 1, the checkout has 500")
    await visitor.reads("Compare the session at Stripe with the checkout")
    await visitor.page.get_by_role("link", name=f"Grant by hand for {event['id']}").click()
    reason = field(visitor, "Grant credits", "Reason")
    session = event["data"]["object"]["id"]
    await expect(reason).to_have_value(f"paid with {session}, event {event['id']} in quarantine")
    await granting(visitor, "50", await reason.input_value())
    await (await confirm(visitor, "Grant 50 credits", "an adjustment")).click()
    await visitor.reads("50 credits were granted to Ada Lovelace.")
    assert visitor.owns() == 100


async def test_the_ledger_of_an_account_is_filtered_in_its_address(visitor: Visitor) -> None:
    visitor.granted(20)
    visitor.spends("Train a model", 2.5)
    await visitor.operate(f"console/accounts/{visitor.uid}?kind=charge")
    await visitor.reads("Train a model")
    await expect(visitor.page.get_by_role("row")).to_have_count(2)


async def test_a_user_sees_nothing_of_the_console(visitor: Visitor) -> None:
    await visitor.come("console/accounts")
    await visitor.reads("This part is for those who operate the service")
    tabs = visitor.page.get_by_role("navigation").get_by_role("link")
    assert "Accounts" not in await tabs.all_inner_texts()


async def test_a_key_without_an_account_is_asked_for_none(visitor: Visitor) -> None:
    """Neither a balance nor a stream nor a purchase: each would be refused."""
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    await visitor.operate("history")
    await visitor.reads("You are here as an operator")
    await visitor.press("Open the console")
    await visitor.reads("Totals")
    assert not [url for url in asked if "/usage/" in url]


async def test_the_demo_opens_as_the_operator_with_one_click(visitor: Visitor) -> None:
    await visitor.page.goto(f"{visitor.shop.url}/credits")
    await visitor.press("Open as the operator")
    await expect(visitor.page.get_by_role("heading", name="Totals")).to_be_visible()
    assert visitor.page.url == f"{visitor.shop.url}/credits/console"
    await visitor.page.get_by_role("button", name="Leave the demo").click()
    await expect(visitor.page.get_by_role("button", name="Open as the operator")).to_be_visible()


async def test_a_users_own_key_opens_their_page(visitor: Visitor, shop: House) -> None:
    visitor.bought(50)
    asked = {"name": "my laptop"}
    told = shop.post("/api/iam/v1/api-keys", visitor.token, asked, 201)
    await visitor.page.goto(f"{shop.url}/credits#token={told['token']}")
    await visitor.reads("Overview")
    await visitor.has(50)


async def test_an_operators_key_opens_the_console_at_the_pages_home(visitor: Visitor) -> None:
    await visitor.operate("")
    await expect(visitor.page.get_by_role("heading", name="Totals")).to_be_visible()
    assert visitor.page.url == f"{visitor.shop.url}/credits/console"


VIEWS = {
    "totals": ("console", "**/v1/totals", "the totals", "The totals"),
    "accounts": ("console/accounts", "**/v1/accounts?*", "the accounts", "The accounts"),
    "account": ("console/accounts/{uid}", "**/v1/accounts/*", "the account", "The account"),
    "balance": ("console/accounts/{uid}", "**/credits/users/*", "the balance", "The balance"),
    "grants": ("console/accounts/{uid}", GRANTS, "the grants", "The grants"),
    "ledger": ("console/accounts/{uid}", "**/usage/entries*", "the history", "The history"),
    "checkouts": ("console/checkouts", "**/v1/checkouts?*", "the checkouts", "The checkouts"),
    "events": ("console/events", "**/v1/events?*", "the events", "The events"),
    "event": ("console/events/evt_1", "**/v1/events/*", "the event", "The event"),
    "whoever it is": ("console", "**/v1/whoami", "who you are", "This page"),
}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_says_what_it_waits_for(visitor: Visitor, view: str) -> None:
    place, asked, what, _ = VIEWS[view]
    visitor.granted(1)
    await visitor.page.route(asked, never)
    await visitor.operate(place.format(uid=visitor.uid))
    await visitor.reads(f"Loading {what}")


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_says_what_is_wrong_and_tries_again(visitor: Visitor, view: str) -> None:
    place, asked, _, what = VIEWS[view]
    visitor.watch.known += ["status of 503", "status of 404"]
    visitor.granted(1)
    await visitor.troubled(asked, away)
    await visitor.operate(place.format(uid=visitor.uid))
    await visitor.reads(f"{what} can't be shown now.")
    await expect(visitor.page.get_by_role("alert")).to_contain_text(PROBLEM["detail"])
    await visitor.press("Try again")
    await expect(visitor.page.get_by_role("alert")).to_have_count(0)


async def test_the_doctor_that_cant_look_says_so_and_looks_again(visitor: Visitor) -> None:
    visitor.watch.known.append("status of 503")
    await visitor.page.route("**/v1/doctor", away)
    await visitor.operate("console/doctor")
    await visitor.press("Look now")
    await visitor.reads("What the doctor sees can't be shown now.")
    await visitor.page.unroute("**/v1/doctor")
    await visitor.press("Try again")
    await visitor.reads("Stripe accepts the API key", seconds=30)


async def test_the_console_is_loaded_for_operators_alone(visitor: Visitor, shop: House) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    await visitor.come("buy")
    await visitor.reads("Best value")
    assert not [url for url in asked if "/Console-" in url]
    await visitor.page.goto("about:blank")
    await visitor.operate()
    await visitor.reads("Totals")
    assert [url for url in asked if url.startswith(f"{shop.url}/credits/assets/Console-")]


async def away(route: Route) -> None:
    await route.fulfill(
        status=503, content_type="application/problem+json", body=json.dumps(PROBLEM)
    )


async def never(_: Route) -> None:
    """No answer comes, as long as one waits."""
