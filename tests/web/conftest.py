"""One local Stripe for a process; services before it, shared or a test's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from local_service import House, running, token
from local_stripe import LocalStripe, local_stripe


@pytest.fixture(scope="session")
def running_stripe() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture
def stripe_account(running_stripe: LocalStripe) -> Iterator[LocalStripe]:
    """The process's one simulator; its faults end with the test."""
    yield running_stripe
    running_stripe.well()


@pytest.fixture(scope="session")
def package(running_stripe: LocalStripe) -> str:
    """Fifty credits for five dollars."""
    return running_stripe.package()


@pytest.fixture
def both(database_url: str, stripe_account: LocalStripe) -> Iterator[House]:
    """A service of the test's own, on SQLite and then on PostgreSQL."""
    with running(database_url, stripe_account) as house:
        yield house


@pytest.fixture(scope="session")
def shared(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, running_stripe: LocalStripe
) -> Iterator[House]:
    """One service for all tests that don't mind who else uses it."""
    file = tmp_path_factory.mktemp("shared") / "prepaid.db"
    shutil.copy(migrated_sqlite, file)
    with running(f"sqlite:///{file}", running_stripe) as house:
        yield house


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    """The shared service; Stripe's faults end with the test."""
    yield shared
    shared.stripe.well()


@pytest.fixture
def uid() -> str:
    """A user that no other test knows."""
    return f"user-{uuid4().hex}"


@pytest.fixture
def user(uid: str) -> str:
    """That user's token."""
    return token(uid)


@pytest.fixture
def fresh_database(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite database."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'prepaid.db')}"


@pytest.fixture
def fresh(fresh_database: str, stripe_account: LocalStripe) -> Iterator[House]:
    """A service of the test's own, of a product without prices."""
    product = stripe_account.product
    stripe_account.product = stripe_account.ask("POST", "/v1/products", name="Credits")["id"]
    with running(fresh_database, stripe_account) as house:
        yield house
    stripe_account.product = product
