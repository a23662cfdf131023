"""Checkouts: what was offered to a buyer, and what Stripe has said of it since."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import Credits, Money
from prepaid.core.values import Value


class State(StrEnum):
    """Where a checkout stands, as far as the signed webhook has told us."""

    OPEN = "open"
    PROCESSING = "processing"
    CREDITED = "credited"
    FAILED = "failed"
    EXPIRED = "expired"


class News(StrEnum):
    """What an event says of a checkout."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    FREE = "free"


class Checkout(Value, frozen=True):
    """An offer, frozen when it was made: these credits, for this price, to this account.

    `session_id` is None until Stripe has told us the session it made. `paid_total` is what the
    buyer paid with tax, once known.
    """

    id: UUID
    account_uid: str
    state: State
    price_id: str
    credits: Credits
    units: int
    price: Money
    livemode: bool
    customer_id: str
    return_url: str
    automatic_tax: bool
    created_at: datetime
    expires_at: datetime
    session_id: str | None = None
    payment_intent: str | None = None
    paid_total: Money | None = None
    credited_at: datetime | None = None


class Claim(Value, frozen=True):
    """What a Stripe session says it is: our metadata, read back, and Stripe's own fields.

    `checkout_id` is None where the metadata has none that can be read; the other metadata fields
    are then empty.
    """

    session_id: str
    checkout_id: UUID | None
    account_uid: str
    price_id: str
    credits: Credits
    subtotal: Money
    total: Money
    mode: str
    livemode: bool
    customer_id: str | None
    payment_intent: str | None


DIFFERS = "the checkout has"


def mismatches(checkout: Checkout, claim: Claim) -> list[str]:
    """In what a session differs from the offer it says it settles; empty if in nothing.

    A session is signed by Stripe, so a difference is never an outsider's: it is an operator's
    edit, another program's session, or a fault of ours. Nobody gets credits from it unseen.
    """
    pairs = (
        ("mode", "payment", claim.mode),
        ("livemode", checkout.livemode, claim.livemode),
        ("session", checkout.session_id or claim.session_id, claim.session_id),
        ("account", checkout.account_uid, claim.account_uid),
        ("customer", checkout.customer_id, claim.customer_id),
        ("price", checkout.price_id, claim.price_id),
        ("credits", checkout.credits, claim.credits),
        ("currency", checkout.price.currency, claim.subtotal.currency),
        ("amount", checkout.price.minor, claim.subtotal.minor),
    )
    return [
        f"{what} is {_said(told)}, {DIFFERS} {_said(ours)}"
        for what, ours, told in pairs
        if ours != told
    ]


def _said(value: object) -> str:
    return repr(str(value) if isinstance(value, Credits) else value)


def after(checkout: Checkout, news: News, claim: Claim, at: datetime) -> Checkout:
    """The checkout after the news. Stripe promises no order, so no news undoes a payment."""
    known = replace(
        checkout,
        session_id=claim.session_id,
        payment_intent=claim.payment_intent or checkout.payment_intent,
    )
    match checkout.state, news:
        case State.CREDITED, _:
            return checkout
        case _, News.PAID:
            return replace(known, state=State.CREDITED, paid_total=claim.total, credited_at=at)
        case State.OPEN, News.PENDING:
            return replace(known, state=State.PROCESSING)
        case ((State.OPEN | State.PROCESSING), News.FAILED):
            return replace(known, state=State.FAILED)
        case State.OPEN, News.EXPIRED:
            return replace(known, state=State.EXPIRED)
        case _:
            return known
