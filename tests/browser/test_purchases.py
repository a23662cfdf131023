"""What was bought, as a list and as a file, with Stripe's receipt in a tab of its own."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from local_service import House
from views import purchases
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_purchase_says_how_it_stands_and_what_was_paid(visitor: Visitor) -> None:
    await purchases(visitor)
    rows = visitor.page.locator("tbody tr")
    await expect(rows).to_have_count(4)
    for row, told in enumerate(
        (
            ("50 credits", "nothing", "Not paid in time"),
            ("50 credits", "not known yet", "Payment being processed", "See where it stands"),
            ("650 credits", "$50.00", "Paid, credits added", "Receipt"),
            ("120 credits", "not known yet", "Not finished", "See where it stands"),
        )
    ):
        for words in told:
            await expect(rows.nth(row)).to_contain_text(words)


async def test_purchases_are_filtered_and_saved(visitor: Visitor, tmp_path: Path) -> None:
    await purchases(visitor)
    rows = visitor.page.locator("tbody tr")
    await visitor.page.get_by_label("State").select_option("Paid, credits added")
    await visitor.press("Filter")
    await expect(rows).to_have_count(1)
    assert visitor.page.url.endswith("/credits/history/purchases?state=credited")
    async with visitor.page.expect_download() as saving:
        await visitor.press("Save as CSV")
    file = tmp_path / "purchases.csv"
    await (await saving.value).save_as(file)
    head, bought = file.read_text().splitlines()
    assert "paid_currency" in head
    assert "50.00,usd" in bought
    await visitor.page.get_by_label("From day").fill("2099-01-01")
    await visitor.press("Filter")
    await visitor.reads("No purchase matches these filters.")
    await visitor.press("Show everything")
    await expect(rows).to_have_count(4)


async def test_a_receipt_opens_in_a_tab_that_cannot_reach_the_page(visitor: Visitor) -> None:
    visitor.bought(50)
    await visitor.come("history")
    await visitor.page.get_by_role("link", name="Purchases").click()
    async with visitor.context.expect_page() as opening:
        await visitor.page.get_by_role("button", name="Receipt of 50 credits").click()
    receipt = await opening.value
    await expect(receipt.get_by_text("Stripe simulator")).to_be_visible()
    await expect(receipt.get_by_text("5.00 USD")).to_be_visible()
    assert await receipt.evaluate("window.opener") is None
    await receipt.close()
    link = visitor.page.get_by_role("link", name="Open the receipt of 50 credits")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")


async def test_without_stripe_the_list_stays_and_says_why_there_is_no_receipt(
    visitor: Visitor, shop: House
) -> None:
    visitor.watch.known.append("status of 503")
    visitor.bought(50)
    shop.stripe.fault("server_error", path="/v1/payment_intents/*", count=100)
    await visitor.come("history/purchases")
    await visitor.page.get_by_role("button", name="Receipt of 50 credits").click()
    await expect(visitor.page.get_by_role("alert")).to_contain_text("Stripe does not answer")
    await visitor.reads("$5.00")
    shop.stripe.well()
    await visitor.page.get_by_role("button", name="Receipt of 50 credits").click()
    await expect(visitor.page.get_by_role("link", name="Open the receipt")).to_be_visible()


async def test_purchases_older_than_a_page_come_on_demand(visitor: Visitor) -> None:
    for credits_ in (50, 120, 650) * 17:
        visitor.shop.stripe.control(f"sessions/{visitor.opened(credits_)}/expire-now")
    await visitor.come("history/purchases")
    rows = visitor.page.locator("tbody tr")
    await expect(rows).to_have_count(50)
    await visitor.press("Show older")
    await expect(rows).to_have_count(51)
    await expect(visitor.page.get_by_role("button", name="Show older")).to_have_count(0)
