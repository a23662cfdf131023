"""The history, as a list and as a file; and API keys, from their making to their end."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from local_service import CREDITS, House
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_history_tells_what_was_bought_and_spent_and_is_filtered(
    visitor: Visitor,
) -> None:
    visitor.bought(50)
    visitor.spends("Train a model", 12.5)
    await visitor.come("history")
    rows = visitor.page.get_by_role("row")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(1)).to_contain_text("-12.5")
    await expect(rows.nth(1)).to_contain_text("37.5")
    await expect(rows.nth(2)).to_contain_text("+50")
    await visitor.page.get_by_label("Spent on").fill("Train a model")
    await visitor.press("Filter")
    await expect(rows).to_have_count(2)
    await visitor.page.get_by_label("Spent on").fill("nothing of mine")
    await visitor.press("Filter")
    await visitor.reads("Nothing matches these filters.")
    await visitor.press("Show everything")
    await expect(rows).to_have_count(3)


async def test_the_history_is_filtered_by_kind_and_by_day(visitor: Visitor) -> None:
    visitor.bought(50)
    visitor.spends("Train a model", 12.5)
    await visitor.come("history")
    rows = visitor.page.locator("tbody tr")
    await expect(rows).to_have_count(2)
    await visitor.page.get_by_label("What").select_option("Bought")
    await visitor.press("Filter")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("+50")
    today = await visitor.page.evaluate("new Date().toISOString().slice(0, 10)")
    await visitor.page.get_by_label("What").select_option("Everything")
    await visitor.page.get_by_label("From day").fill(today)
    await visitor.page.get_by_label("To day").fill(today)
    await visitor.press("Filter")
    await expect(rows).to_have_count(2)
    assert visitor.page.url.endswith(f"/credits/history?since={today}&until={today}")
    await visitor.page.get_by_label("From day").fill("2020-01-01")
    await visitor.page.get_by_label("To day").fill("2020-01-31")
    await visitor.press("Filter")
    await visitor.reads("Nothing matches these filters.")


async def test_what_is_older_comes_on_demand(visitor: Visitor) -> None:
    visitor.bought(650)
    for number in range(50):
        visitor.spends(f"Job {number}", 1)
    await visitor.come("history")
    rows = visitor.page.locator("tbody tr")
    await expect(rows).to_have_count(50)
    await visitor.press("Show older")
    await expect(rows).to_have_count(51)
    await expect(rows.last).to_contain_text("+650")
    await expect(visitor.page.get_by_role("button", name="Show older")).to_have_count(0)


async def test_the_history_is_saved_as_a_file(visitor: Visitor, tmp_path: Path) -> None:
    visitor.bought(50)
    visitor.spends("Train a model", 12.5)
    await visitor.come("history")
    async with visitor.page.expect_download() as saving:
        await visitor.press("Save as CSV")
    file = tmp_path / "history.csv"
    await (await saving.value).save_as(file)
    head, spent, bought = file.read_text().splitlines()
    assert "credits" in head
    assert "-12.5" in spent
    assert "50" in bought


async def test_a_key_is_shown_once_copied_works_and_is_revoked(
    visitor: Visitor, shop: House
) -> None:
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.bought(50)
    await visitor.come("keys")
    await visitor.page.get_by_label("Name").fill("my laptop")
    await visitor.press("Make a key")
    await visitor.press("Copy the key")
    await visitor.reads("Copied.")
    secret = await visitor.page.evaluate("navigator.clipboard.readText()")
    assert shop.credits(secret) == 50
    await visitor.page.reload()
    await visitor.reads("my laptop")
    assert secret not in await visitor.page.content()
    await visitor.page.get_by_role("button", name="Revoke my laptop").click()
    await visitor.page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    await visitor.reads("revoked")
    assert shop.ask("GET", CREDITS, secret).status_code == 401
