"""The elements for pages that aren't ours, on a platform's page at another origin."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Route, expect

from local_platform import LocalPlatform
from local_service import House
from looks import PHONE, is_dark, too_wide, violations
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVICE = "**/api/iam/**"
NOT_LET_IN = "status of 401"

MOST_PURCHASES = 5
"""The machine does other things too: what comes soonest, of so many, is how soon it comes."""

SHADOW = 'document.querySelector("prepaid-balance").shadowRoot'
AVAILABLE = f"""[...{SHADOW}.querySelectorAll("dd")].some(
    (one) => one.textContent.trim() === "{{credits}} credits"
)"""

EVERYTHING = """
() => {
    const written = (root) => [...root.querySelectorAll("*")].flatMap((one) => [
        one.shadowRoot?.innerHTML ?? "",
        ...(one.shadowRoot ? written(one.shadowRoot) : []),
    ]);
    return [document.documentElement.outerHTML, ...written(document)].join();
}
"""
"""All that a document has written in it, in its shadows too."""


@pytest.fixture
def platform(one_platform: LocalPlatform, visitor: Visitor) -> LocalPlatform:
    """A platform on which the visitor is signed in."""
    visitor.watch.origins.add(one_platform.url)
    one_platform.service = visitor.shop.url
    one_platform.package = visitor.packages[50]
    one_platform.token = visitor.token
    return one_platform


def balance(visitor: Visitor) -> Locator:
    return visitor.page.locator("prepaid-balance")


def buying(visitor: Visitor) -> Locator:
    return visitor.page.locator("prepaid-buy")


def figure(visitor: Visitor, name: str) -> Locator:
    """The figure of this name, as it is shown."""
    return balance(visitor).locator("dt", has_text=name).locator("+ dd")


def said(visitor: Visitor) -> Locator:
    """What a screen reader was told last."""
    return balance(visitor).locator(".hidden[role=status]")


async def test_the_balance_rises_with_the_webhook_and_without_reloading(
    visitor: Visitor, platform: LocalPlatform, shop: House
) -> None:
    took = list[float]()
    while len(took) < MOST_PURCHASES and min(took, default=1) >= 1:
        had = 50 * len(took)
        shop.stripe.control("faults/deliveries", fault="hold")
        session = visitor.opened(50)
        await visitor.page.goto(platform.url)
        nothing = "You have no credits yet."
        await expect(balance(visitor)).to_contain_text(f"{had} credits" if had else nothing)
        await visitor.page.evaluate("window.stillHere = true")
        shop.stripe.pay(session)
        await expect(figure(visitor, "Available")).to_have_text(f"{had} credits")
        await visitor.notes(AVAILABLE.format(credits=had + 50), SHADOW)
        shop.stripe.control("deliveries/release", type="*")
        released = time.time()
        await expect(figure(visitor, "Available")).to_have_text(f"{had + 50} credits")
        took.append(await visitor.noted() - released)
        words = f"Credits were added: {had + 50} credits available."
        await expect(said(visitor)).to_have_text(words)
        assert await visitor.page.evaluate("window.stillHere"), "the page was loaded again"
    assert min(took) < 1, took


async def test_the_link_leads_to_the_payment_as_the_same_user(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    await visitor.page.goto(platform.url)
    await buying(visitor).get_by_role("link", name="Buy 50 credits for $5.00").click()
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert "token" not in visitor.page.url
    assert visitor.owns() == 50


async def test_in_a_new_tab_one_pays_and_the_platforms_page_knows(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    await visitor.page.goto(platform.url)
    first = visitor.page
    await buying(visitor).evaluate("one => one.setAttribute('target', '_blank')")
    async with visitor.context.expect_page() as opening:
        await buying(visitor).get_by_role("link", name="opens in a new tab").click()
    visitor.page = await opening.value
    await visitor.pay()
    await visitor.reads("50 credits were added.")
    assert await visitor.page.evaluate("window.opener") is None
    visitor.page = first
    await visitor.page.bring_to_front()
    await expect(figure(visitor, "Available")).to_have_text("50 credits")


async def test_nothing_writes_the_token_into_the_page(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    await visitor.page.goto(platform.url)
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    await expect(buying(visitor).get_by_role("link")).to_be_visible()
    written = await visitor.page.evaluate(EVERYTHING)
    assert "50 credits" in written
    assert visitor.token not in written


async def test_what_burns_ticks_and_is_not_read_out_each_second(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    await visitor.page.goto(platform.url)
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    await expect(figure(visitor, "Burn rate")).to_be_hidden()
    visitor.runs("Notebook", 0.01)
    await expect(figure(visitor, "Burn rate")).to_have_text("36 credits an hour")
    await expect(figure(visitor, "Time left")).to_contain_text("1 hour 2")
    await expect(said(visitor)).to_have_text("Credits burn now: 36 credits an hour.")
    seen = await figure(visitor, "Balance").inner_text()
    await visitor.page.route(SERVICE, lambda route: route.abort())  # it is counted, not asked
    await expect(figure(visitor, "Balance")).not_to_have_text(seen, timeout=3_000)
    await expect(said(visitor)).to_have_text("Credits burn now: 36 credits an hour.")


async def test_ten_minutes_before_the_end_the_time_left_stands_out(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    run = visitor.runs("Train a model", 0.01)
    await visitor.page.goto(platform.url)
    left = figure(visitor, "Time left")
    await expect(left).to_contain_text("1 hour 2")
    calm = await left.evaluate("one => getComputedStyle(one).color")
    visitor.burns(run, 0.1)
    await expect(left).to_contain_text("8 minutes")
    await expect(said(visitor)).to_have_text("Credits run out in less than 10 minutes.")
    assert await left.evaluate("one => getComputedStyle(one).color") != calm


async def test_what_burns_ticks_down_until_it_has_run_out(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    await visitor.page.goto(platform.url)
    run = visitor.runs("Train a model", 0.5, credits=3)
    await expect(figure(visitor, "Available")).to_have_text("47.00 credits")
    visitor.burns(run, 2)
    await expect(said(visitor)).to_have_text("Nothing burns any more: 47 credits available.")
    await expect(figure(visitor, "Burn rate")).to_be_hidden()
    await expect(figure(visitor, "Available")).to_have_text("47 credits")


async def test_a_token_that_is_refused_is_told_and_a_better_one_helps(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.watch.known.append(NOT_LET_IN)
    visitor.bought(50)
    platform.token = "of-yesterday"
    await visitor.page.goto(platform.url)
    await expect(balance(visitor)).to_contain_text("your sign-in is not accepted any more")
    await expect(balance(visitor).locator("dl")).to_be_hidden()
    platform.token = visitor.token
    await balance(visitor).get_by_role("button", name="Try again").click()
    await expect(figure(visitor, "Available")).to_have_text("50 credits")


async def test_a_token_may_be_a_text_and_come_before_the_script(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    await visitor.page.route("**/app.js", lambda route: route.abort())
    visitor.watch.known.append("net::ERR_FAILED")
    late = asyncio.get_running_loop().create_future()

    async def later(route: Route) -> None:
        late.set_result(route)

    await visitor.page.route("**/embed.js", later)
    await visitor.page.goto(platform.url, wait_until="commit")
    await balance(visitor).evaluate("(one, token) => { one.token = token; }", visitor.token)
    assert await balance(visitor).evaluate("one => one.shadowRoot") is None
    await (await late).continue_()
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    assert platform.token not in await visitor.page.evaluate(EVERYTHING)


async def test_who_is_not_signed_in_is_asked_to(visitor: Visitor, platform: LocalPlatform) -> None:
    platform.token = ""
    await visitor.page.goto(platform.url)
    await expect(balance(visitor)).to_contain_text("Sign in to see your credits.")
    await expect(buying(visitor).get_by_role("link", name="Buy 50 credits")).to_be_visible()


async def test_a_lost_connection_is_told_and_what_was_known_stays(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.watch.known.extend(["net::ERR_", "status of 503"])
    visitor.bought(50)
    await visitor.page.goto(platform.url)
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    await visitor.context.set_offline(True)
    await expect(balance(visitor)).to_contain_text("The connection is lost.")
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    await visitor.context.set_offline(False)
    visitor.spends("Train a model", 10)
    await expect(figure(visitor, "Available")).to_have_text("40 credits")
    await expect(balance(visitor)).not_to_contain_text("The connection is lost.")


async def test_a_page_that_the_service_does_not_know_is_told_so(
    visitor: Visitor, platform: LocalPlatform, strict_shop: House
) -> None:
    visitor.watch.known.extend(["blocked by CORS policy", "net::ERR_FAILED"])
    visitor.watch.origins.add(strict_shop.url)
    platform.service = strict_shop.url
    await visitor.page.goto(platform.url)
    await expect(balance(visitor)).to_contain_text("Your credits can't be shown now.")
    await expect(buying(visitor)).to_contain_text("The package can't be shown now.")


async def test_a_package_that_is_gone_leads_to_the_others(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    platform.package = "price_of_yesterday"
    await visitor.page.goto(platform.url)
    await expect(buying(visitor)).to_contain_text("This package is not on sale any more.")
    await buying(visitor).get_by_role("link", name="See the packages").click()
    await visitor.reads("Best value")


async def test_amounts_are_written_as_the_page_wants_them(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    await visitor.page.goto(platform.url)
    await buying(visitor).evaluate("one => one.setAttribute('locale', 'de-AT')")
    await expect(buying(visitor).get_by_role("link")).to_have_text("Buy 50 credits for $ 5,00")
    await buying(visitor).evaluate("one => one.setAttribute('locale', 'no locale')")
    await expect(buying(visitor).get_by_role("link")).to_have_text("Buy 50 credits for $5.00")
    await buying(visitor).evaluate("one => one.append('Top up')")
    await expect(buying(visitor).get_by_role("link", name="Top up")).to_be_visible()


async def test_the_keyboard_alone_follows_the_link(
    visitor: Visitor, platform: LocalPlatform
) -> None:
    visitor.bought(50)
    await visitor.page.goto(platform.url)
    await expect(figure(visitor, "Available")).to_have_text("50 credits")
    await expect(buying(visitor).get_by_role("link")).to_be_visible()
    await visitor.page.keyboard.press("Tab")
    await expect(buying(visitor).get_by_role("link")).to_be_focused()
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.form.get_by_label("Email")).to_be_visible()


Stand = Callable[[Visitor, LocalPlatform], Awaitable[None]]


async def full(visitor: Visitor, platform: LocalPlatform) -> None:
    visitor.bought(50)
    visitor.runs("Notebook", 0.1)
    await visitor.page.goto(platform.url)
    await expect(figure(visitor, "Time left")).to_be_visible()


async def empty(visitor: Visitor, platform: LocalPlatform) -> None:
    await visitor.page.goto(platform.url)
    await expect(balance(visitor)).to_contain_text("You have no credits yet.")


async def refused(visitor: Visitor, platform: LocalPlatform) -> None:
    visitor.watch.known.append(NOT_LET_IN)
    platform.token = "of-yesterday"
    platform.package = "price_of_yesterday"
    await visitor.page.goto(platform.url)
    await expect(balance(visitor).get_by_role("button", name="Try again")).to_be_visible()
    await expect(buying(visitor)).to_contain_text("not on sale any more")


async def waiting(visitor: Visitor, platform: LocalPlatform) -> None:
    async def never(_: Route) -> None:
        """No answer comes."""

    await visitor.page.route(SERVICE, never)
    await visitor.page.goto(platform.url)
    await expect(balance(visitor)).to_contain_text("Loading your credits")
    await expect(buying(visitor)).to_contain_text("Loading the package")


@pytest.mark.parametrize("stand", [full, empty, refused, waiting])
async def test_a_face_fits_a_phone_and_axe_finds_nothing_by_day_or_night(
    visitor: Visitor, platform: LocalPlatform, stand: Stand
) -> None:
    await visitor.page.set_viewport_size(PHONE)
    await stand(visitor, platform)
    assert await too_wide(visitor.page) == []
    for scheme in ("light", "dark"):
        await visitor.page.emulate_media(color_scheme=scheme)
        card = balance(visitor).locator(".card")
        ground = await card.evaluate("one => getComputedStyle(one).backgroundColor")
        assert is_dark(ground) == (scheme == "dark"), ground
        assert await violations(visitor.page.main_frame) == [], scheme


async def test_a_page_may_choose_the_colours(visitor: Visitor, platform: LocalPlatform) -> None:
    await visitor.page.goto(platform.url)
    card = balance(visitor).locator(".card")
    await visitor.page.evaluate("""
        () => {
            const sheet = new CSSStyleSheet();
            sheet.replaceSync(`
                prepaid-balance { --prepaid-background: rgb(1, 2, 3); }
                prepaid-balance::part(card) { padding: 77px; }
            `);
            document.adoptedStyleSheets = [sheet];
        }
    """)
    await expect(card).to_have_css("background-color", "rgb(1, 2, 3)")
    await expect(card).to_have_css("padding-left", "77px")
