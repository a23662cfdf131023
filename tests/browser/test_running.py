"""What burns ticks before one's eyes, and says when it has run out."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from local_stripe import wait_for
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

GATHER = """
window.shown = new Set();
new MutationObserver(() => {
    for (const line of document.body?.innerText.split("\\n") ?? []) window.shown.add(line);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Every line that the page shows is kept, however short it is there."""

HAS_SHOWN = "sentence => [...window.shown].some((line) => line.includes(sentence))"


async def test_what_runs_ticks_down_warns_and_runs_out(visitor: Visitor) -> None:
    visitor.bought(50)
    await visitor.page.add_init_script(GATHER)
    await visitor.come()
    await visitor.reads("Nothing is running, and nothing is reserved.")
    model = visitor.runs("Train a model", 0.1, credits=10)
    await visitor.reads("of 10 credits used")
    visitor.burns(model, 1.5)
    wait_for(lambda: visitor.used(model) >= 5)
    visitor.burns(model, 0.5)  # slowly enough that nobody misses a warning
    for sentence in ("Three quarters are used", "Nearly used up", "ran out"):
        await visitor.page.wait_for_function(HAS_SHOWN, arg=sentence)
    await visitor.reads("Nothing is running, and nothing is reserved.")
    await visitor.reads("Cost: 10 credits")
    await visitor.reads("its 10 credits were used up")
    await visitor.has(40)


async def test_what_runs_without_a_limit_moves_every_second(visitor: Visitor) -> None:
    visitor.bought(50)
    visitor.runs("Notebook", 0.01)
    await visitor.come()
    balance = visitor.page.locator("dt", has_text="Balance").locator("+ dd")
    await visitor.reads("as long as credits are available")
    await expect(visitor.page.get_by_role("img")).to_have_count(2)  # the charts have been asked for
    seen = await balance.inner_text()
    await visitor.page.route("**/api/**", lambda route: route.abort())  # it is counted, not asked
    await expect(balance).not_to_have_text(seen, timeout=3_000)


async def test_how_long_it_lasts_does_not_depend_on_the_visitors_clock(visitor: Visitor) -> None:
    await visitor.page.clock.install(time=datetime.now(UTC) + timedelta(hours=3))
    visitor.bought(50)
    visitor.runs("Notebook", 0.01)
    visitor.runs("Train a model", 0.01, credits=10)
    await visitor.come()
    await visitor.reads("1 hour ")
    await visitor.reads("16 minutes ")


async def test_what_was_settled_tells_what_it_has_cost(visitor: Visitor) -> None:
    visitor.bought(50)
    await visitor.come()
    await visitor.reads("Nothing has run yet.")
    visitor.ask_of(visitor.runs("Notebook", 0.01), "settlement")
    await visitor.reads("finished")
    await visitor.reads("Cost: 0.")
