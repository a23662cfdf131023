"""A running service, a proxy before it, accounts with credits, and clients of both kinds."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local_proxy import LocalProxy, local_proxy
from local_service import House, running
from local_stripe import LocalStripe, local_stripe
from prepaid.core.identity import Scope
from prepaid_client import AsyncClient, Client, Retries
from purses import Purse

QUICKLY = Retries(attempts=20, total_seconds=15, first_seconds=0.02, longest_seconds=0.1)
"""As patient as by default, and in less of a test's time."""


@pytest.fixture(scope="session")
def client_stripe() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture(scope="session")
def house(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, client_stripe: LocalStripe
) -> Iterator[House]:
    """One service for all tests of the client."""
    file = tmp_path_factory.mktemp("client") / "prepaid.db"
    shutil.copy(migrated_sqlite, file)
    with running(f"sqlite:///{file}", client_stripe) as house:
        yield house


@pytest.fixture(scope="session")
def admin(house: House) -> str:
    return house.admin()


@pytest.fixture(scope="session")
def platform(house: House) -> str:
    """The platform's own API key, which acts for every account."""
    return house.key(Scope.SERVICE).secret


@pytest.fixture
def purse(house: House, admin: str) -> Purse:
    """An account of the test's own, with a hundred credits."""
    return Purse(house, admin, f"user-{uuid4().hex}").give(100)


@pytest.fixture
def proxy(house: House) -> Iterator[LocalProxy]:
    with local_proxy(house.url) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: LocalProxy, platform: str) -> Iterator[Client]:
    """The platform's client, through the proxy."""
    with Client(proxy.url, platform, retries=QUICKLY) as client:
        yield client


@pytest.fixture
async def async_client(proxy: LocalProxy, platform: str) -> AsyncIterator[AsyncClient]:
    """The same for asyncio."""
    async with AsyncClient(proxy.url, platform, retries=QUICKLY) as client:
        yield client
