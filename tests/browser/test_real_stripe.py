"""With real keys: Stripe.js comes from Stripe, and nothing of the simulator is there."""

import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Request, Route, expect

from local_service import House
from local_shop import local_shop
from local_stripe import LocalStripe
from visitors import Visitor

one_loop = pytest.mark.asyncio(loop_scope="session")

STRIPE_JS = "https://js.stripe.com/endive/stripe.js"
PRICE = {
    "id": "price_1",
    "name": "50 credits",
    "description": "50 credits",
    "amount": 500,
    "currency": "usd",
    "credits": 50,
    "tax_behavior": "exclusive",
}
OPENED: dict[str, object] = {"client_secret": "cs_test_1_secret_1", "session_id": "cs_test_1"}
STANDS: dict[str, object] = {
    "state": "open",
    "credits": 50,
    "amount": 500,
    "currency": "usd",
    "price_id": "price_1",
}

REAL = """
window.Stripe = (key) => ({
    elements() {}, createToken() {}, createPaymentMethod() {}, confirmCardPayment() {},
    async createEmbeddedCheckoutPage({ fetchClientSecret }) {
        if (window.stripeIsAway) throw new Error("Stripe is away");
        const form = document.createElement("p");
        form.textContent = `Stripe's form: ${key} ${await fetchClientSecret()}`;
        return {
            mount: (place) => place.append(form),
            unmount: () => form.remove(),
            destroy: () => form.remove(),
        };
    },
});
window.Stripe.version = "endive";
"""
"""What Stripe's servers would answer, of which none are in reach."""


@pytest.fixture
def real_shop(migrated_sqlite: Path, tmp_path: Path, shops_stripe: LocalStripe) -> Iterator[House]:
    """A shop as an operator has it, with test keys of Stripe's own."""
    file = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    with local_shop(
        f"sqlite:///{file}", shops_stripe, demo=False, PREPAID_STRIPE_API_BASE=""
    ) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(real_shop: House, visitor: Visitor) -> Visitor:
    """The visitor, before whom Stripe's servers answer."""
    visitor.shop = real_shop
    visitor.watch.origins = {real_shop.url, "https://js.stripe.com"}
    answers: dict[str, dict[str, object]] = {
        "**/stripe/v1/prices": {"prices": [PRICE]},
        "**/checkout/session": OPENED,
        "**/checkout/session/*": STANDS,
    }
    for asked, told in answers.items():
        await visitor.page.route(asked, answering({"success": True, "message": "OK", **told}))
    script = {"content_type": "text/javascript", "body": REAL}
    await visitor.page.route(STRIPE_JS, lambda route: route.fulfill(**script))
    return visitor


def answering(told: dict[str, object]) -> Callable[[Route], Awaitable[None]]:
    async def answer(route: Route) -> None:
        await route.fulfill(json=told)

    return answer


@one_loop
async def test_with_real_keys_the_page_loads_stripes_own_script_and_no_stand_in(
    buyer: Visitor,
) -> None:
    seen = list[str]()

    def note(request: Request) -> None:
        seen.append(request.url)

    buyer.page.on("request", note)
    await buyer.come("buy?package=price_1")
    await buyer.reads("Stripe's form: pk_test_")
    await buyer.reads("cs_test_1_secret_1")
    assert [url for url in seen if urlsplit(url).netloc == "js.stripe.com"] == [STRIPE_JS]
    await expect(buyer.page.get_by_label("Simulator")).to_have_count(0)


@one_loop
async def test_a_form_that_stripe_can_not_make_is_told_of_and_asked_for_again(
    buyer: Visitor,
) -> None:
    await buyer.page.add_init_script("window.stripeIsAway = true;")
    await buyer.come("buy?package=price_1")
    await buyer.reads("Stripe's payment form could not be loaded.")
    await buyer.page.evaluate("window.stripeIsAway = false")
    await buyer.press("Try again")
    await buyer.reads("Stripe's form: pk_test_")


@pytest.mark.parametrize(
    "path",
    [
        *("/endive/stripe.js", "/v3/", "/_simulator/state", "/_simulator/controller"),
        *("/_simulator/checkout/cs_test_1", "/_simulator/assets/checkout.js", "/v1/prices"),
    ],
)
def test_with_real_keys_nothing_of_the_simulator_is_served(real_shop: House, path: str) -> None:
    assert real_shop.ask("GET", path).status_code == 404
