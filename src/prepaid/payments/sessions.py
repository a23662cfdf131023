"""Checkout sessions: what we write into one, and what one says when it comes back.

Writing and reading the metadata stand side by side here, so that they can't drift apart.
"""

from typing import Annotated
from uuid import UUID

import msgspec

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, Claim
from prepaid.core.errors import InvalidCredits

OBJECT_ID = r"\A[A-Za-z0-9_]{1,255}\Z"
"""Any id of Stripe's."""

ObjectId = Annotated[str, msgspec.Meta(pattern=OBJECT_ID)]
"""Text that is one."""

Minor = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
"""An amount in minor units; Stripe's own limit is lower."""


class _Purchase(msgspec.Struct):
    price_id: str
    units: int
    credits: str
    amount: int
    currency: str


_PURCHASES = msgspec.json.Decoder(list[_Purchase])


class _Reference(msgspec.Struct):
    id: ObjectId


class _Customer(msgspec.Struct):
    id: str


class StripeSession(msgspec.Struct, kw_only=True):
    """The fields of a Checkout Session that we rely on, all of them stable across API versions.

    Amounts are in the currency's minor unit; `metadata` has only strings.
    """

    id: ObjectId
    livemode: bool
    mode: str
    status: str | None = None
    payment_status: str
    amount_subtotal: Minor | None = None
    amount_total: Minor | None = None
    currency: str | None = None
    client_secret: str | None = None
    customer: str | _Customer | None = None  # another program's may have any id, as an address
    payment_intent: ObjectId | _Reference | None = None
    metadata: dict[str, str] | None = None


def metadata(checkout: Checkout, deployment: UUID) -> dict[str, str]:
    """The purchases of a checkout as a session's metadata.

    The same goes onto the payment intent, because Stripe copies a session's metadata nowhere: a
    refund or dispute could not be traced to the account otherwise. Stripe's limits: 50 keys of 40
    characters, values of 500.
    """
    purchase = _Purchase(
        price_id=checkout.price_id,
        units=checkout.units,
        credits=str(checkout.credits),
        amount=checkout.price.minor,
        currency=checkout.price.currency,
    )
    return {
        "prepaid_deployment": str(deployment),
        "prepaid_checkout": str(checkout.id),
        "prepaid_account": checkout.account_uid,
        "prepaid_purchases": msgspec.json.encode([purchase]).decode(),
    }


def deployment_of(session: StripeSession) -> str:
    """Which deployment of prepaid opened the session; empty if none did."""
    return (session.metadata or {}).get("prepaid_deployment", "")


def claim_of(session: StripeSession) -> Claim:
    """What a session says of itself. What can't be read is left empty, and so matches nothing."""
    told = session.metadata or {}
    purchase = _purchase(told.get("prepaid_purchases", ""))
    currency = session.currency or ""
    return Claim(
        session_id=session.id,
        checkout_id=_uuid(told.get("prepaid_checkout", "")),
        account_uid=told.get("prepaid_account", ""),
        price_id=purchase.price_id,
        credits=_credits(purchase.credits),
        subtotal=Money(session.amount_subtotal or 0, currency),
        total=Money(session.amount_total or 0, currency),
        mode=session.mode,
        livemode=session.livemode,
        customer_id=_id(session.customer),
        payment_intent=_id(session.payment_intent),
    )


def _purchase(written: str) -> _Purchase:
    """The one purchase of a session: we put exactly one package into each."""
    try:
        (purchase,) = _PURCHASES.decode(written)
    except (msgspec.DecodeError, ValueError):
        return _Purchase(price_id="", units=0, credits="", amount=0, currency="")
    return purchase


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None


def _credits(written: str) -> Credits:
    try:
        return Credits.read(written)
    except InvalidCredits:
        return Credits(0)


def _id(thing: str | _Reference | _Customer | None) -> str | None:
    """An expandable field is an id, or the object it stands for."""
    return thing.id if isinstance(thing, _Reference | _Customer) else thing
