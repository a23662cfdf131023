"""Makes pictures of the page, of a shop that is set up for it and goes again: `tools/screenshots`.

The page has to be built, and Chromium to be there. Views that are named are the only ones of which
pictures are made.
"""

import asyncio
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import chromium
import structlog
from playwright.async_api import Browser, FloatRect, Page, ViewportSize, expect

from local_browser import Watch
from local_browser import chromium as running
from local_platform import LocalPlatform, local_platform
from local_service import House
from local_shop import DEBIT_SECONDS, local_shop, stock
from local_stripe import local_stripe
from prepaid.storage.schema import migrate
from views import VIEWS, Show
from visitors import Visitor

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTHS: dict[str, ViewportSize] = {
    "wide": {"width": 1024, "height": 500},
    "narrow": {"width": 360, "height": 500},
}
SCHEMES = ("light", "dark")
HIGHEST = 1400
"""Of a view that goes on, the rest looks the same."""

EMBEDDED = "embedded"

HEAD = """# Every view

`tools/screenshots` makes these pictures, of the built page and a shop that is set up for it.
"""


def main() -> None:
    path = chromium.found()
    if path is None:
        sys.exit(f"{chromium.NOT_THERE}.")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the shop's log, unread
    with (
        TemporaryDirectory() as folder,
        local_stripe(delayed_seconds=DEBIT_SECONDS) as stripe,
        local_platform() as platform,
    ):
        database_url = f"sqlite+aiosqlite:///{folder}/prepaid.db"
        migrate(database_url)
        packages = stock(stripe)
        with local_shop(database_url, stripe, PREPAID_RETURN_ORIGINS=platform.url) as shop:
            platform.service, platform.package = shop.url, packages[50]
            shows = VIEWS | {EMBEDDED: embedded(platform)}
            wanted = {name: shows[name] for name in sys.argv[1:] or shows}
            asyncio.run(picture_all(path, shop, packages, wanted))
    (FOLDER / "README.md").write_text(gallery([*shows]))


def embedded(platform: LocalPlatform) -> Show:
    """A page that isn't ours, with our elements on it."""

    async def show(visitor: Visitor) -> None:
        visitor.bought(50)
        visitor.runs("Notebook", 0.01)
        platform.token = visitor.token
        await visitor.page.goto(platform.url)
        await visitor.page.get_by_text("Burn rate").wait_for()
        await visitor.page.get_by_role("link", name="Buy 50 credits").wait_for()

    return show


async def picture_all(
    path: str, shop: House, packages: dict[int, str], shows: dict[str, Show]
) -> None:
    """Each view and each width has a browser's context and a user of its own."""
    FOLDER.mkdir(exist_ok=True)
    async with running(path) as browser:
        for name, show in shows.items():
            for width in WIDTHS:
                await picture(browser, shop, packages, name, show, width)


async def picture(  # noqa: PLR0913, PLR0917 - a picture is of this much
    browser: Browser, shop: House, packages: dict[int, str], name: str, show: Show, width: str
) -> None:
    """One view, by day and by night."""
    context = await browser.new_context(
        locale="en-US", timezone_id="UTC", reduced_motion="reduce", viewport=WIDTHS[width]
    )
    watch = Watch(context, {shop.url, shop.stripe.url})
    uid = f"user-{name}-{width}"
    visitor = Visitor(context, await context.new_page(), shop, packages, uid, watch)
    await show(visitor)
    await at_rest(visitor.page)
    for scheme in SCHEMES:
        await visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        file = FOLDER / f"{name}-{width}-{scheme}.png"
        if await visitor.page.locator("[role$=dialog]").count():  # it covers the window, no more
            await visitor.page.screenshot(path=file, animations="disabled")
            continue
        high = min(HIGHEST, await visitor.page.evaluate("document.documentElement.scrollHeight"))
        whole: FloatRect = {"x": 0, "y": 0, "width": WIDTHS[width]["width"], "height": high}
        await visitor.page.screenshot(path=file, animations="disabled", full_page=True, clip=whole)
    await context.close()
    shop.stripe.control("deliveries/release", type="*")


async def at_rest(page: Page) -> None:
    """Nothing is hovered over, all has come that comes when one scrolls, and the header knows who
    is there."""
    await page.mouse.move(0, 0)
    if not await page.locator("[role$=dialog]").count():
        await page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        await expect(page.locator(".loading")).to_have_count(0)
        await page.evaluate("window.scrollTo(0, 0)")
    if await page.locator("header nav").count():
        await expect(page.locator(".who")).to_have_text(re.compile("Lovelace|operator"))
        await expect(page.locator(".available")).to_have_text(re.compile("credit|^$"))


def gallery(names: list[str]) -> str:
    """The page that shows all pictures of these views."""
    return HEAD + "".join(f"\n## {name.replace('_', ' ')}\n\n{pictures(name)}\n" for name in names)


def pictures(name: str) -> str:
    """The pictures of one view, each of which leads to itself."""
    files = [f"{name}-{width}-{scheme}.png" for width in WIDTHS for scheme in SCHEMES]
    return " ".join(f"[![{words(file)}]({file})]({file})" for file in files)


def words(file: str) -> str:
    """What a picture is of: "returned paid, narrow, dark"."""
    return ", ".join(file.removesuffix(".png").replace("_", " ").split("-"))


if __name__ == "__main__":
    main()
