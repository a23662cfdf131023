"""What an operator may choose about a simulated account."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stripe._api_version import _ApiVersion

CURRENT_VERSION: str = _ApiVersion.CURRENT


@dataclass(frozen=True)
class SimulatorConfig:
    """One simulated account. The defaults suit a developer's machine.

    ``database`` is a file, or ``:memory:`` for an account that ends with the process.
    ``public_url`` is where browsers find the simulator; without it, the address of the request.
    ``retry_seconds`` are the pauses before each new try of a delivery; real Stripe takes hours.
    ``retry_scale`` stretches or shrinks all of them. After the last one a delivery has failed.
    ``account_version`` is what a webhook endpoint and a request without ``Stripe-Version`` get.
    ``webhook_secret`` pins the secret of the first webhook endpoint that is created.
    ``delayed_seconds`` is how long a bank debit takes until it succeeds or fails.
    """

    api_key: str = "sk_test_simulator000000000000"
    publishable_key: str = "pk_test_simulator000000000000"
    database: str = ":memory:"
    public_url: str | None = None
    retry_seconds: tuple[float, ...] = (1, 2, 4, 8, 16, 32, 60, 60, 60, 60)
    retry_scale: float = 1.0
    delivery_timeout_seconds: float = 10.0
    deliveries_at_once: int = 4
    account_version: str = CURRENT_VERSION
    webhook_secret: str | None = None
    delayed_seconds: float = 2.0
    clock: Callable[[], float] = field(default=time.time, repr=False)

    def __post_init__(self) -> None:
        if not self.api_key.startswith(("sk_test_", "rk_test_")):
            raise ValueError("The simulator takes test keys only: sk_test_... or rk_test_...")
        if not self.publishable_key.startswith("pk_test_"):
            raise ValueError("The simulator takes a test publishable key only: pk_test_...")
        if self.webhook_secret is not None and not self.webhook_secret.startswith("whsec_"):
            raise ValueError("A webhook secret starts with whsec_")
