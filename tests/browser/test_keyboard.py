"""Buying with the keyboard alone, from the first view to the payment."""

import pytest
from playwright.async_api import Locator

from visitors import GOOD, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

FARTHEST = 30
"""More presses of Tab than any view takes from its first thing to its last."""

FOCUSED = "one => one === document.activeElement && document.hasFocus()"


async def test_the_keyboard_alone_buys(visitor: Visitor) -> None:
    page, main, form = visitor.page, visitor.page.get_by_role("main"), visitor.form
    await visitor.come()
    await visitor.reads("You have no credits yet.")
    await reach(visitor, main.get_by_role("link", name="Buy credits"))
    await page.keyboard.press("Enter")
    await reach(visitor, main.get_by_role("link", name="Buy 120 credits for"))
    await page.keyboard.press("Enter")
    await reach(visitor, form.get_by_label("Email"))
    await page.keyboard.type("ada@example.com")
    await reach(visitor, form.get_by_label("Card number"))
    await page.keyboard.type(GOOD)
    await reach(visitor, form.get_by_label("Expiry date"))
    await page.keyboard.type("12 / 34")
    await reach(visitor, form.get_by_label("Security code"))
    await page.keyboard.type("123")
    await reach(visitor, form.get_by_role("button", name="Pay $"))
    await page.keyboard.press("Enter")
    await visitor.reads("120 credits were added.")
    await reach(visitor, main.get_by_role("link", name="Go to the overview"))
    await page.keyboard.press("Enter")
    await visitor.reads("Nothing is running, and nothing is reserved.")
    await visitor.has(120)


async def reach(visitor: Visitor, wanted: Locator) -> None:
    """Tab leads to it."""
    await wanted.wait_for()
    for _ in range(FARTHEST):
        await visitor.page.keyboard.press("Tab")
        if await wanted.evaluate(FOCUSED):
            return
    pytest.fail(f"Tab doesn't lead to {wanted}")
