"""One Chromium and one shop for a process; a visitor, with a browser's context, for each test."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import chromium as this_machines
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ViewportSize, expect

from local_browser import Watch, chromium
from local_clock import LocalClock
from local_platform import LocalPlatform, local_platform
from local_service import House
from local_shop import DEBIT_SECONDS, local_shop, stock
from local_stripe import LocalStripe, local_stripe
from prepaid.web import page
from visitors import PATIENCE_SECONDS, Visitor

WIDE: ViewportSize = {"width": 1280, "height": 800}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = this_machines.found()
    if path is None:
        pytest.skip(this_machines.NOT_THERE)
    if not (page.FOLDER / "index.html").exists():
        pytest.skip("the page is not built: npm run build --prefix ui")
    expect.set_options(timeout=PATIENCE_SECONDS * 1_000)
    async with chromium(path) as running:
        yield running


@pytest.fixture(scope="session")
def bank() -> LocalClock:
    """The clock by which banks decide of debits: they take `DEBIT_SECONDS`."""
    return LocalClock()


@pytest.fixture(scope="session")
def shops_stripe(bank: LocalClock) -> Iterator[LocalStripe]:
    with local_stripe(delayed_seconds=DEBIT_SECONDS, clock=lambda: bank().timestamp()) as stripe:
        yield stripe


@pytest.fixture(scope="session")
def packages(shops_stripe: LocalStripe) -> dict[int, str]:
    """Prices' ids by their credits."""
    return stock(shops_stripe)


@pytest.fixture(scope="session")
def one_platform() -> Iterator[LocalPlatform]:
    with local_platform() as platform:
        yield platform


@pytest.fixture(scope="session")
def one_shop(
    migrated_sqlite: Path,
    tmp_path_factory: pytest.TempPathFactory,
    shops_stripe: LocalStripe,
    one_platform: LocalPlatform,
) -> Iterator[House]:
    file = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("shop") / "prepaid.db")
    url = f"sqlite:///{file}"
    with local_shop(url, shops_stripe, PREPAID_RETURN_ORIGINS=one_platform.url) as house:
        yield house


@pytest.fixture
def shop(one_shop: House) -> Iterator[House]:
    """The shop; Stripe's faults end with the test, and nothing is held back any more."""
    yield one_shop
    one_shop.stripe.well()
    one_shop.stripe.control("deliveries/release", type="*")


@pytest.fixture
def strict_shop(
    migrated_sqlite: Path, tmp_path: Path, shops_stripe: LocalStripe
) -> Iterator[House]:
    """A shop that is no demo: only a platform's users get in."""
    file = shutil.copy(migrated_sqlite, tmp_path / "prepaid.db")
    with local_shop(f"sqlite:///{file}", shops_stripe, demo=False) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    browser: Browser, shop: House, packages: dict[int, str]
) -> AsyncIterator[Visitor]:
    """Somebody whom no other test knows. What went wrong on their pages, and was not to, fails."""
    context = await browser.new_context(
        locale="en-US", timezone_id="UTC", reduced_motion="reduce", viewport=WIDE
    )
    watch = Watch(context, {shop.url, shop.stripe.url})
    tab = await context.new_page()
    yield Visitor(context, tab, shop, packages, f"user-{uuid4().hex}", watch)
    await context.close()
    assert watch.wrong() == []
