"""What services of these tests have in common."""

from collections.abc import Iterator

import pytest

from local_stripe import LocalStripe, local_stripe


@pytest.fixture(scope="session")
def quiet_stripe() -> Iterator[LocalStripe]:
    """For services at which nobody buys anything."""
    with local_stripe() as stripe:
        yield stripe
