"""The page under a path: a proxy takes the path away, and the service knows nothing of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from local_mount import LocalMount, local_mount
from local_service import House
from local_shop import local_shop, stock
from local_stripe import LocalStripe, local_stripe
from visitors import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/some/path"


@pytest.fixture
def stripe() -> Iterator[LocalStripe]:
    """Stripe gives each webhook a secret of its own, so this shop has one to itself."""
    with local_stripe() as one:
        yield one


@pytest.fixture
def mount(migrated_sqlite: Path, tmp_path: Path, stripe: LocalStripe) -> Iterator[LocalMount]:
    """A shop behind a proxy; its own address is no page's."""
    url = f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'prepaid.db')}"
    with (
        local_mount(PATH) as mount,
        local_shop(url, stripe, PREPAID_PUBLIC_URL=mount.url) as house,
    ):
        mount.upstream = house.url
        yield mount


@pytest.fixture
def passer(mount: LocalMount, stripe: LocalStripe, visitor: Visitor) -> Visitor:
    """The visitor, for whom the shop is where the proxy has it."""
    visitor.shop = House(mount.url, visitor.shop.database_url, stripe)
    visitor.packages = stock(stripe)
    visitor.watch.origins = {mount.origin, stripe.url}
    return visitor


async def test_under_a_path_one_chooses_pays_and_has_the_credits(
    passer: Visitor, mount: LocalMount
) -> None:
    await passer.choose(50)
    await passer.pay()
    await passer.reads("50 credits were added.")
    assert passer.page.url.startswith(f"{mount.url}/credits/buy/return?session_id=cs_test_")
    await passer.has(50)
    await passer.press("Go to the overview")
    await passer.reads("Nothing is running, and nothing is reserved.")
    assert passer.page.url == f"{mount.url}/credits"
    passer.runs("Notebook", 0.01)  # the stream comes through the proxy too
    await passer.reads("as long as credits are available")
    assert mount.strays == []


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "You have no credits yet."),
        ("buy", "Best value"),
        ("buy?package={package}", "50 credits for $5"),
        ("buy/return?session_id={session}", "This purchase is not paid yet."),
        ("history", "Nothing has happened yet."),
        ("keys", "You have no keys."),
    ],
)
async def test_under_a_path_each_view_has_its_address(
    passer: Visitor, mount: LocalMount, place: str, sentence: str
) -> None:
    session = passer.opened() if "session" in place else ""
    await passer.come(place.format(package=passer.packages[50], session=session))
    await passer.reads(sentence)
    await passer.page.reload()
    await passer.reads(sentence)
    assert mount.strays == []


async def test_under_a_path_the_operators_route_and_the_front_lead_to_the_page(
    passer: Visitor, mount: LocalMount
) -> None:
    await passer.page.goto(f"{mount.url}/checkout?package={passer.packages[50]}")
    await expect(passer.page.get_by_role("button", name="Open as the demo user")).to_be_visible()
    assert passer.page.url == f"{mount.url}/credits/buy?package={passer.packages[50]}"
    await passer.page.goto(f"{mount.url}/")
    await passer.page.wait_for_url(f"{mount.url}/credits")
    await passer.press("Open as the demo user")
    await passer.reads("Overview")
    assert mount.strays == []
