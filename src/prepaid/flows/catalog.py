"""The catalog: what can be bought now."""

import asyncio
from collections.abc import Sequence

import structlog

from prepaid.core.errors import PackageNotSold
from prepaid.core.pricing import NotSold, Package, Price, package_of
from prepaid.payments.gateway import Gateway

FRESH_SECONDS = 30
"""How old a list of packages may be. A checkout reads its own price afresh, so that an old list
can show a price that is gone, and never sell one."""

log = structlog.get_logger(__name__)


class Catalog:
    """The packages of the product, smallest amount first, remembered for a short while."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._reading: asyncio.Task[list[Package]] | None = None
        self._read_at = float("-inf")
        self._named: set[NotSold] = set()

    async def packages(self) -> list[Package]:
        """What can be bought, as Stripe said at most FRESH_SECONDS ago."""
        # Whoever comes while Stripe is asked waits for that answer, good or bad: when Stripe
        # hangs, a hundred visitors must not ask it one after the other.
        now = asyncio.get_running_loop().time()
        if self._reading is None or (self._reading.done() and self._is_old(self._reading, now)):
            self._read_at = now
            self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(self._reading)

    async def package(self, price_id: str) -> Package:
        """One package, as it is at Stripe now.

        Raises:
            UnknownPackage: Stripe has no such price.
            PackageNotSold: it has, and the price can't be sold.
        """
        price = await self._gateway.price(price_id)
        offer = package_of(price, self._gateway.product_id)
        if isinstance(offer, NotSold):
            raise PackageNotSold(f"The price {price_id!r} can't be bought: {offer.why}.")
        return offer

    async def _read(self) -> list[Package]:
        return self._sold(await self._gateway.prices())

    def _is_old(self, reading: asyncio.Task[list[Package]], now: float) -> bool:
        failed = reading.cancelled() or reading.exception() is not None
        return failed or now - self._read_at > FRESH_SECONDS

    def _sold(self, prices: Sequence[Price]) -> list[Package]:
        offers = [package_of(price, self._gateway.product_id) for price in prices]
        for offer in offers:
            if isinstance(offer, NotSold) and offer not in self._named:
                self._named.add(offer)
                log.warning("price_not_sold", price_id=offer.price_id, why=offer.why)
        sold = [offer for offer in offers if isinstance(offer, Package)]
        return sorted(sold, key=lambda package: (package.price.minor, package.price_id))
