"""The gateway: our questions to Stripe's API, and its answers in our words."""

from __future__ import annotations  # else the types in signatures would load Stripe's SDK

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import msgspec
import structlog

from prepaid.core.checkouts import Checkout
from prepaid.core.errors import (
    StripeRefused,
    StripeUnavailable,
    UnknownCheckout,
    UnknownPackage,
    UnknownReceipt,
)
from prepaid.core.pricing import Price, TaxBehavior
from prepaid.payments.sdk import stripe
from prepaid.payments.sessions import OBJECT_ID, StripeSession, metadata

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

TIMEOUT_SECONDS = 20
"""The SDK waits 80 seconds by default; no buyer does."""

RETRIES = 2
"""The SDK's client retries nothing by default. Every POST carries an idempotency key."""

log = structlog.get_logger(__name__)


class CustomerGone(Exception):  # noqa: N818 - it is a fact, and the flow makes a new customer
    """The customer was deleted at Stripe."""


class RequestChanged(Exception):  # noqa: N818 - it is a fact, and the flow makes a new offer
    """The idempotency key was used before with other parameters, by other settings of ours."""


class KeySpent(Exception):  # noqa: N818 - it is a fact, and the flow asks under another key
    """Stripe failed, and keeps the failure under the idempotency key: it tells it for a day."""


class EmailRefused(Exception):  # noqa: N818 - it is a fact, and the flow does without
    """Stripe doesn't take the address for one: it is stricter than most platforms."""


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be made: everything that is sent, and the key that makes it once."""

    account_uid: str
    handle: str
    email: str | None
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection to Stripe, and what can be asked through it."""

    http: stripe.HTTPXClient
    v1: stripe.V1Services


class Gateway:
    """Stripe's API for one account and one product.

    All methods raise StripeUnavailable when Stripe doesn't answer, or not to us, and StripeRefused
    when it understood and said no. The SDK is loaded by the first question.
    """

    def __init__(self, api_key: str, product_id: str, api_base: str | None = None) -> None:
        self.product_id = product_id
        self.livemode = api_key.startswith(("sk_live_", "rk_live_"))
        self._connect = partial(_connect, api_key, api_base)
        self._line: _Line | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Closes the connections."""
        if self._line:
            await self._line.http.close_async()  # type: ignore[no-untyped-call]  # the SDK's gap

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[stripe.V1Services]:
        """What can be asked; Stripe's errors become ours. The SDK takes its time to load, and
        charges don't wait for it."""
        async with self._connecting:
            if self._line is None:
                self._line = await asyncio.to_thread(self._connect)
        with _translated():
            yield self._line.v1

    async def prices(self) -> list[Price]:
        """The product's active one-off prices, every page of them."""
        async with self.asking() as v1:
            page = await v1.prices.list_async(
                {"product": self.product_id, "active": True, "type": "one_time", "limit": 100}
            )
            return [price_of(price) async for price in _all(page)]

    async def price(self, price_id: str) -> Price:
        """One price, as it is now.

        Raises:
            UnknownPackage: Stripe has no such price.
        """
        if not re.match(OBJECT_ID, price_id):  # a browser sent it, and it would become a path
            raise UnknownPackage(f"There is no package {price_id[:100]!r}.")
        async with self.asking() as v1:
            try:
                return price_of(await v1.prices.retrieve_async(price_id))
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                raise UnknownPackage(f"There is no package {price_id!r}.") from error

    async def create_customer(self, new: NewCustomer) -> str:
        """The id of the customer, made now or when the same key was first sent.

        Raises:
            EmailRefused: Stripe has nothing against the customer but the address.
            KeySpent: the request failed for good under its key.
        """
        params: stripe.params.CustomerCreateParams = {
            "name": new.handle,
            "metadata": {"prepaid_account": new.account_uid},
        }
        if new.email:
            params["email"] = new.email
        async with self.asking() as v1:
            try:
                with _kept():
                    made = await v1.customers.create_async(
                        params, {"idempotency_key": new.idempotency_key}
                    )
            except stripe.InvalidRequestError as error:
                if error.param == "email" or error.code == "email_invalid":
                    raise EmailRefused from error
                raise
        return made.id

    async def open_session(self, checkout: Checkout, deployment: UUID) -> StripeSession:
        """The embedded session of a checkout, made now or when it was first asked for.

        Raises:
            CustomerGone: the checkout's customer was deleted at Stripe.
            RequestChanged: it was asked for before, with other parameters.
            KeySpent: it was asked for before, and that failed for good.
        """
        async with self.asking() as v1:
            try:
                with _kept():
                    made = await v1.checkout.sessions.create_async(
                        session_params(checkout, deployment),
                        {"idempotency_key": f"prepaid-checkout-{checkout.id}"},
                    )
            except stripe.IdempotencyError as error:
                raise RequestChanged from error
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing" and error.param == "customer":
                    raise CustomerGone from error
                raise
        return _session(made)

    async def session(self, session_id: str) -> StripeSession:
        """A session as it is now.

        Raises:
            UnknownCheckout: Stripe has no such session.
        """
        async with self.asking() as v1:
            try:
                return _session(await v1.checkout.sessions.retrieve_async(session_id))
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                raise UnknownCheckout(f"Stripe has no session {session_id!r}.") from error

    async def receipt_url(self, payment_intent: str) -> str | None:
        """Where Stripe shows the receipt of a payment; None while it has none.

        It is asked for each time: Stripe's links to receipts expire after a month.

        Raises:
            UnknownReceipt: Stripe has no such payment, or doesn't let us look at it.
        """
        async with self.asking() as v1:
            try:
                found = await v1.payment_intents.retrieve_async(
                    payment_intent, {"expand": ["latest_charge"]}
                )
            except stripe.PermissionError as error:
                log.warning("stripe_denied_us", error=error.user_message)
                raise UnknownReceipt(
                    "This service's key may not read receipts at Stripe. Ask the operator for it: "
                    "the key needs the permission to read payment intents and charges."
                ) from error
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                raise UnknownReceipt("Stripe does not know this payment any more.") from error
        charge = found.latest_charge
        return charge.receipt_url if isinstance(charge, stripe.Charge) else None


def _connect(api_key: str, api_base: str | None) -> _Line:
    http = stripe.HTTPXClient(timeout=TIMEOUT_SECONDS)
    client = stripe.StripeClient(
        api_key,
        http_client=http,
        max_network_retries=RETRIES,
        base_addresses={"api": api_base} if api_base else {},
    )
    return _Line(http, client.v1)


def session_params(checkout: Checkout, deployment: UUID) -> SessionCreateParams:
    """What a checkout's session is made of.

    The quantity is in credits: Stripe divides by the package's size itself. Nothing in it can be
    adjusted by the buyer, and the metadata says what was offered. The currency is the one that was
    shown: else Stripe takes the buyer's own where the price has an option for it.
    """
    described = metadata(checkout, deployment)
    params: SessionCreateParams = {
        "mode": "payment",
        "ui_mode": "embedded_page",
        "currency": checkout.price.currency,
        "line_items": [{"price": checkout.price_id, "quantity": checkout.units}],
        "customer": checkout.customer_id,
        "client_reference_id": checkout.account_uid,
        "return_url": with_session_id(checkout.return_url),
        "expires_at": _epoch(checkout.expires_at),
        "metadata": described,
        "payment_intent_data": {"metadata": described},
    }
    if checkout.automatic_tax:
        params["automatic_tax"] = {"enabled": True}
        params["customer_update"] = {"address": "auto", "name": "auto"}
    return params


def with_session_id(return_url: str) -> str:
    """The return URL with Stripe's placeholder for the session, unless it has it already."""
    if "{CHECKOUT_SESSION_ID}" in return_url:
        return return_url
    parts = urlsplit(return_url)
    query = "&".join(filter(None, (parts.query, "session_id={CHECKOUT_SESSION_ID}")))
    return urlunsplit(parts._replace(query=query))


@contextmanager
def _translated() -> Iterator[None]:
    """Stripe's errors as ours, in this one place."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        log.warning("stripe_denied_us", error=error.user_message, request_id=error.request_id)
        raise StripeUnavailable(
            "Stripe does not accept this service's API key; the operator has to look at it."
        ) from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        log.warning("stripe_away", error=str(error), request_id=error.request_id)
        raise StripeUnavailable("Stripe does not answer; try again in a moment.") from error
    except stripe.StripeError as error:
        log.warning("stripe_refused", error=str(error), request_id=error.request_id)
        raise StripeRefused(f"Stripe refused: {error.user_message}") from error


@contextmanager
def _kept() -> Iterator[None]:
    """A failure of Stripe's that comes from its memory of the key, told apart from a new one."""
    try:
        yield
    except stripe.APIError as error:
        if (error.headers or {}).get("idempotent-replayed") == "true":
            raise KeySpent from error
        raise


async def _all(page: stripe.ListObject[stripe.Price]) -> AsyncIterator[stripe.Price]:
    async for price in page.auto_paging_iter():
        yield price


def price_of(price: stripe.Price) -> Price:
    """The facts of a price that matter to us."""
    divisor = price.transform_quantity
    product = price.product
    return Price(
        id=price.id,
        product_id=product if isinstance(product, str) else product.id,
        active=price.active,
        type=price.type,
        billing_scheme=price.billing_scheme,
        unit_amount=price.unit_amount,
        currency=price.currency,
        divide_by=divisor.divide_by if divisor else None,
        description=price.nickname or "",
        tax_behavior=_tax_behavior(price.tax_behavior),
    )


def _tax_behavior(told: str | None) -> TaxBehavior:
    match told:
        case "inclusive" | "exclusive":
            return told
        case _:
            return "unspecified"


def _session(session: stripe.checkout.Session) -> StripeSession:
    return msgspec.convert(session.to_dict(), StripeSession)


def _epoch(at: datetime) -> int:
    return int(at.timestamp())
