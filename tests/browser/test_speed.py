"""How soon the page can be used, and how much a browser gets for it."""

from collections.abc import Callable

import pytest
from playwright.async_api import CDPSession, expect

from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

USABLE_SECONDS = 1
MOST_VISITS = 10
"""Others test at the same time: the soonest of so many visits is what the page can do."""

NOTE_WHEN_USABLE = """
const look = () => {
    const isThere = (one) =>
        (one.ariaLabel ?? one.innerText).includes("NAME") && one.checkVisibility();
    if ([...document.querySelectorAll("main a")].some(isThere)) {
        window.usableAfter = performance.now() / 1000;
    } else {
        requestAnimationFrame(look);
    }
};
requestAnimationFrame(look);
"""
"""The page looks itself, at each of its frames."""

MOST_BYTES = 250_000
"""Of compressed JavaScript, until the first view can be used."""

MOST_EMBEDDED_BYTES = 8_000
"""The same for what pages of others load."""


async def test_the_first_view_is_small(
    visitor: Visitor, record_property: Callable[[str, object], None]
) -> None:
    session = await visitor.context.new_cdp_session(visitor.page)
    scripts = await counted(session)
    await visitor.come("buy")
    await expect(visitor.page.get_by_role("link", name="Buy 50 credits for")).to_be_visible()
    record_property("script_bytes", sum(scripts.values()))
    assert 0 < sum(scripts.values()) < MOST_BYTES


@pytest.mark.parametrize(("place", "name"), [("", "Buy credits"), ("buy", "Buy 50 credits for")])
async def test_a_view_is_usable_within_a_second(
    visitor: Visitor, place: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    took = list[float]()
    await visitor.context.add_init_script(NOTE_WHEN_USABLE.replace("NAME", name))
    while len(took) < MOST_VISITS and min(took, default=USABLE_SECONDS) >= USABLE_SECONDS:
        page = await visitor.context.new_page()
        visitor.page = page
        await visitor.come(place)
        await page.get_by_role("main").get_by_role("link", name=name).wait_for()
        await page.wait_for_function("window.usableAfter")
        took.append(await page.evaluate("window.usableAfter"))
        await page.close()
    record_property("usable_after_seconds", min(took))
    assert min(took) < USABLE_SECONDS


async def test_what_other_pages_load_is_a_few_kilobytes(visitor: Visitor) -> None:
    answer = visitor.shop.ask("GET", "/credits/embed.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert 0 < int(answer.headers["content-length"]) < MOST_EMBEDDED_BYTES
    assert "react" not in answer.text.lower()


async def test_the_overview_is_small_too_and_what_draws_charts_comes_when_one_is_near(
    visitor: Visitor, record_property: Callable[[str, object], None]
) -> None:
    session = await visitor.context.new_cdp_session(visitor.page)
    scripts = await counted(session)
    await visitor.page.set_viewport_size({"width": 360, "height": 300})
    await visitor.come()
    await visitor.reads("Nothing has run yet.")
    before = sum(scripts.values())
    assert 0 < before < MOST_BYTES
    await visitor.near("Spending")
    record_property("script_bytes_with_charts", sum(scripts.values()))
    assert sum(scripts.values()) > before


async def counted(session: CDPSession) -> dict[str, int]:
    """Fills with the bytes on the wire of each script that is loaded from now on."""
    scripts = dict[str, int]()

    def begins(told: dict[str, object]) -> None:
        if told["type"] == "Script":
            scripts[str(told["requestId"])] = 0

    def ends(told: dict[str, object]) -> None:
        if (name := str(told["requestId"])) in scripts:
            scripts[name] = int(str(told["encodedDataLength"]))

    session.on("Network.responseReceived", begins)
    session.on("Network.loadingFinished", ends)
    await session.send("Network.enable")
    return scripts
