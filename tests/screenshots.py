"""Makes pictures of the page, of a shop that is set up for it and goes again: `tools/screenshots`.

The page has to be built, and Chromium to be there.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import chromium
import structlog
from playwright.async_api import Browser, ViewportSize, expect

from local_browser import Watch
from local_browser import chromium as running
from local_service import House
from local_shop import DEBIT_SECONDS, local_shop, stock
from local_stripe import local_stripe
from prepaid.storage.schema import migrate
from views import VIEWS
from visitors import Visitor

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
SHOWN = ("door", "overview", "buy", "pay", "returned_paid", "history", "keys")
WIDTHS: dict[str, ViewportSize] = {
    "wide": {"width": 1024, "height": 500},
    "narrow": {"width": 360, "height": 500},
}


def main() -> None:
    path = chromium.found()
    if path is None:
        sys.exit(f"{chromium.NOT_THERE}.")
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the shop's log, unread
    with TemporaryDirectory() as folder, local_stripe(delayed_seconds=DEBIT_SECONDS) as stripe:
        database_url = f"sqlite+aiosqlite:///{folder}/prepaid.db"
        migrate(database_url)
        packages = stock(stripe)
        with local_shop(database_url, stripe) as shop:
            asyncio.run(picture_all(path, shop, packages))


async def picture_all(path: str, shop: House, packages: dict[int, str]) -> None:
    """Each view and each width has a browser's context and a user of its own."""
    FOLDER.mkdir(exist_ok=True)
    async with running(path) as browser:
        for view in SHOWN:
            for width in WIDTHS:
                await picture(browser, shop, packages, view, width)


async def picture(
    browser: Browser, shop: House, packages: dict[int, str], view: str, width: str
) -> None:
    """One view, by day and by night."""
    context = await browser.new_context(
        locale="en-US", timezone_id="UTC", reduced_motion="reduce", viewport=WIDTHS[width]
    )
    watch = Watch(context, {shop.url, shop.stripe.url})
    uid = f"user-{view}-{width}"
    visitor = Visitor(context, await context.new_page(), shop, packages, uid, watch)
    await VIEWS[view](visitor)
    if view != "door":
        await expect(visitor.page.get_by_test_id("available")).to_be_visible()
    for scheme in ("light", "dark"):
        await visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await visitor.page.screenshot(
            path=FOLDER / f"{view}-{width}-{scheme}.png", full_page=True, animations="disabled"
        )
    await context.close()
    shop.stripe.control("deliveries/release", type="*")


if __name__ == "__main__":
    main()
