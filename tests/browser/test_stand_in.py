"""The stand-in for Stripe.js, on a page that has nothing else: it is as strict as Stripe.js is."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local_service import serving
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

BLANK = """<!doctype html>
<html lang="en"><title>A page</title><link rel="icon" href="data:,"><div id="here"></div></html>
"""
WORKBENCH = """
(key) => {
    window.stripe = Stripe(key);
    window.tried = async (work) => {
        try { await work(); return "done"; } catch (problem) { return problem.message; }
    };
    window.make = (secret, more) => stripe.createEmbeddedCheckoutPage({
        fetchClientSecret: async () => secret, ...more,
    });
}
"""


@pytest.fixture(scope="module")
def blank() -> Iterator[str]:
    """Where there is an empty page."""

    async def page(_: Request) -> Response:
        return HTMLResponse(BLANK)

    with serving(Starlette(routes=[Route("/", page)])) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def page(blank: str, visitor: Visitor) -> AsyncIterator[Page]:
    """The empty page, with the stand-in on it."""
    visitor.watch.origins.add(blank)
    await visitor.page.goto(blank)
    await visitor.page.add_script_tag(url=f"{visitor.shop.stripe.url}/endive/stripe.js")
    await visitor.page.evaluate(WORKBENCH, visitor.shop.stripe.config.publishable_key)
    yield visitor.page
    await visitor.page.goto("about:blank")


def secret(visitor: Visitor, **more: object) -> str:
    """The client secret of a session for a package."""
    asked: dict[str, object] = {
        "mode": "payment",
        "ui_mode": "embedded_page",
        "line_items[0][price]": visitor.packages[50],
        "line_items[0][quantity]": 50,
        **(more or {"redirect_on_completion": "never"}),
    }
    session = visitor.shop.stripe.ask("POST", "/v1/checkout/sessions", **asked)
    return str(session["client_secret"])


async def test_there_is_one_form_at_a_time_until_it_is_destroyed(
    page: Page, visitor: Visitor
) -> None:
    said = await page.evaluate(
        """async (secret) => {
            const first = make(secret);
            const early = await tried(() => make(secret));
            const form = await first;
            const late = await tried(() => make(secret));
            form.destroy();
            return [early, late, await tried(() => make(secret))];
        }""",
        secret(visitor),
    )
    multiple = "You cannot have multiple Embedded Checkout objects."
    assert said == [multiple, multiple, "done"]


async def test_a_form_is_mounted_and_unmounted_until_it_is_destroyed(
    page: Page, visitor: Visitor
) -> None:
    said = await page.evaluate(
        """async (secret) => {
            const form = await make(secret);
            return [
                await tried(() => form.mount("#nowhere")),
                await tried(() => form.mount("#here")),
                await tried(() => form.mount("#here")),
                await tried(() => form.unmount()),
                await tried(() => form.mount(document.querySelector("#here"))),
                await tried(() => form.destroy()),
                await tried(() => form.mount("#here")),
                await tried(() => form.destroy()),
            ];
        }""",
        secret(visitor),
    )
    assert said == [
        "Nothing on the page matches #nowhere.",
        "done",
        "This Embedded Checkout is mounted already.",
        *("done", "done", "done"),
        "This Embedded Checkout was destroyed, and can't be mounted again.",
        "This Embedded Checkout was destroyed already.",
    ]
    await expect(page.locator("iframe")).to_have_count(0)


async def test_a_secret_is_needed_and_one_that_fails_leaves_the_place_free(
    page: Page, visitor: Visitor
) -> None:
    visitor.watch.known.append("knows no option colour")
    said = await page.evaluate(
        """async (secret) => [
            await tried(() => stripe.createEmbeddedCheckoutPage({})),
            await tried(() => make(secret, { clientSecret: secret })),
            await tried(() => make("cs_test_1")),
            await tried(() => make("", { fetchClientSecret: () => Promise.reject(Error("away")) })),
            await tried(() => make(secret, { colour: "red" })),
        ]""",
        secret(visitor),
    )
    one = "You must provide one of fetchClientSecret and clientSecret."
    none = "fetchClientSecret must resolve to the client secret of a Checkout Session."
    assert said == [one, one, none, "away", "done"]
    assert any("knows no option colour" in line for line in visitor.watch.seen)


async def test_the_old_name_is_refused_by_the_trains_that_renamed_it(
    page: Page, visitor: Visitor
) -> None:
    renamed = "initEmbeddedCheckout is called createEmbeddedCheckoutPage now."
    assert await page.evaluate("tried(() => stripe.initEmbeddedCheckout({}))") == renamed
    await page.add_script_tag(url=f"{visitor.shop.stripe.url}/clover/stripe.js")
    key = visitor.shop.stripe.config.publishable_key
    names = (
        "key => ['initEmbeddedCheckout', 'createEmbeddedCheckoutPage'].map(n => n in Stripe(key))"
    )
    assert await page.evaluate(names, key) == [True, False]
    live = await page.evaluate("tried(() => Stripe('pk_live_1'))")
    assert "takes a test publishable key only" in live


@pytest.mark.parametrize(
    ("redirects", "ends"), [("never", "told"), ("if_required", "told"), ("always", "led away")]
)
async def test_who_has_paid_is_told_of_or_led_to_the_return_url(
    page: Page, visitor: Visitor, blank: str, redirects: str, ends: str
) -> None:
    there = f"{blank}/?session={{CHECKOUT_SESSION_ID}}"
    back = {"redirect_on_completion": redirects}
    if redirects != "never":
        back["return_url"] = there
    await page.evaluate(
        """async (secret) => {
            const form = await make(secret, { onComplete: () => { document.title = "told"; } });
            form.mount("#here");
        }""",
        secret(visitor, **back),
    )
    await visitor.pay()
    if ends == "told":
        await expect(page).to_have_title("told")
        await expect(visitor.form.get_by_text("The simulated payment succeeded.")).to_be_visible()
    else:
        await page.wait_for_url(f"{blank}/?session=cs_test_*")
