"""Charts of what there was and what it went to, and the tables that say the same."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from holders import USAGE
from local_service import House
from views import charts
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


def part(visitor: Visitor, title: str) -> Locator:
    return visitor.page.get_by_role("region", name=title, exact=True)


async def as_table(visitor: Visitor, title: str) -> list[list[str]]:
    """The rows of a chart's table, cell by cell."""
    await part(visitor, title).get_by_role("button", name="Table").click()
    rows = await part(visitor, title).locator("tbody tr").all()
    return [await row.locator("th, td").all_inner_texts() for row in rows]


async def test_the_balance_over_time_is_drawn_and_told_as_the_service_has_it(
    visitor: Visitor, shop: House
) -> None:
    await charts(visitor)
    drawn = part(visitor, "Credits over time").get_by_role("img")
    await expect(drawn).to_have_accessible_name(
        re.compile("Credits over the last 7 days: from 650 to 388.75 credits.")
    )
    told = shop.get(f"{USAGE}/balance-history?since=2020-01-01T00:00:00Z", visitor.token)
    balances = [str(one["balance"]) for one in told["points"]][1:]
    assert balances == ["650", "637.5", "395.75", "388.75", "388.75"]
    assert [row[1] for row in await as_table(visitor, "Credits over time")] == balances[::-1]


async def test_spending_is_drawn_and_told_by_resource_and_by_type(visitor: Visitor) -> None:
    await charts(visitor)
    spending = part(visitor, "Spending")
    await expect(spending.get_by_role("img")).to_have_accessible_name(
        re.compile("most on Train a model, 241.75 credits")
    )
    for words in ("Train a model", "241.75", "Fetch the data", "12.5", "Running now"):
        await expect(spending.get_by_text(words, exact=True).first).to_be_visible()
    rows = await as_table(visitor, "Spending")
    assert rows[:3] == [
        ["Train a model", "job", "241.75", "241.75", "0"],
        ["Fetch the data", "job", "12.5", "12.5", "0"],
        ["Report", "job", "7", "7", "0"],
    ]
    assert rows[3][:2] == ["Notebook of today", "runtime"]
    assert rows[3][2] == rows[3][4] != "0"
    await spending.get_by_role("button", name="By type").click()
    await expect(spending.locator("tbody tr")).to_have_count(2)
    await expect(spending.locator("tbody tr").first).to_contain_text("261.25")


async def test_what_arrives_is_soon_drawn_without_a_reload(visitor: Visitor) -> None:
    await visitor.come()
    await visitor.near("Credits over time")
    await visitor.reads("You had no credits in the last 7 days.")
    visitor.bought(50)
    await visitor.page.get_by_role("button", name="24 hours").click()
    await expect(part(visitor, "Credits over time").get_by_role("img")).to_be_visible()


async def test_charts_are_chosen_by_the_keyboard(visitor: Visitor) -> None:
    await charts(visitor)
    button = part(visitor, "Credits over time").get_by_role("button", name="Table")
    await button.focus()
    await visitor.page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await visitor.page.keyboard.press("Tab")
    table = visitor.page.get_by_role("region", name="Credits over time, newest first")
    await expect(table).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_chart_is_drawn_in_the_colours_of_the_scheme(visitor: Visitor, scheme: str) -> None:
    await charts(visitor)
    await visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    line = part(visitor, "Credits over time").locator(".recharts-area-curve")
    colour = {"light": "rgb(0, 110, 219)", "dark": "rgb(5, 118, 255)"}[scheme]
    await expect(line).to_have_css("stroke", colour)


FRAME_MILLISECONDS = 16

WATCH_THE_LONGEST_BAR = """
window.seen = [];
new MutationObserver(() => {
    const bar = document.querySelector(".recharts-bar-rectangle path");
    if (bar) window.seen.push(bar.getBBox().width);
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


@asynccontextmanager
async def frame_by_frame(page: Page) -> AsyncIterator[None]:
    """Time goes by in the page a frame at a time: however slow it is, it leaves none out."""
    began = datetime.now(UTC)
    await page.clock.install(time=began)
    await page.clock.pause_at(began + timedelta(seconds=1))

    async def go_on() -> None:
        while True:
            await page.clock.run_for(FRAME_MILLISECONDS)

    going = asyncio.create_task(go_on())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.wait({going})


@pytest.mark.parametrize(("wanted", "grows"), [("reduce", False), ("no-preference", True)])
async def test_charts_grow_only_for_who_minds_no_motion(
    visitor: Visitor, wanted: str, *, grows: bool
) -> None:
    await visitor.page.emulate_media(
        reduced_motion="reduce" if wanted == "reduce" else "no-preference"
    )
    await visitor.page.add_init_script(WATCH_THE_LONGEST_BAR)
    async with frame_by_frame(visitor.page):
        await charts(visitor)
        await visitor.page.wait_for_function("() => window.seen.at(-1) > 100")
    seen = await visitor.page.evaluate("window.seen")
    assert (min(seen) < max(seen) / 2) is grows
