"""What many tests know: one checkout, fifty credits for five dollars, offered to ada; and one
kernel of hers, that burns half a credit a second."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, Claim, News, State
from prepaid.core.commands import Open, Tell
from prepaid.core.entries import Kind
from prepaid.core.grants import PRIORITY, Grant
from prepaid.core.reservations import Reservation
from prepaid.core.reservations import State as Stands

AT = datetime(2026, 11, 23, tzinfo=UTC)

OFFER = Checkout(
    id=UUID(int=1),
    account_uid="ada",
    state=State.OPEN,
    price_id="price_50",
    credits=Credits.of(50),
    units=50,
    price=Money(500, "usd"),
    livemode=False,
    customer_id="cus_1",
    return_url="https://example.com/",
    automatic_tax=False,
    created_at=AT,
    expires_at=AT + timedelta(hours=1),
    session_id="cs_test_1",
)

CLAIM = Claim(
    session_id="cs_test_1",
    checkout_id=OFFER.id,
    account_uid="ada",
    price_id="price_50",
    credits=Credits.of(50),
    subtotal=Money(500, "usd"),
    total=Money(600, "usd"),
    mode="payment",
    livemode=False,
    customer_id="cus_1",
    payment_intent="pi_1",
)
"""What Stripe says of its session once ada has paid, with a dollar of tax on top."""

PAID = Tell(
    event_id="evt_1",
    type="checkout.session.completed",
    news=News.PAID,
    claim=CLAIM,
    payload="{}",
)

KERNEL = Open(
    id=UUID(int=100),
    account_uid="ada",
    key="kernel-1",
    resource="k1",
    resource_type="runtime",
    given_name="a notebook",
    burning_rate=Credits(500_000),
    limit=None,
    heartbeat_seconds=10,
    actor="runner",
    by_platform=True,
)
"""An interval of it costs five credits."""

RUNNING = Reservation(
    account_uid="ada",
    id=KERNEL.id,
    key=KERNEL.key,
    fingerprint=bytes(16),
    resource="k1",
    resource_type="runtime",
    given_name="a notebook",
    actor="runner",
    by_platform=True,
    burning_rate=KERNEL.burning_rate,
    limit=None,
    heartbeat_seconds=10,
    started_at=AT,
    rated_at=AT,
    beat_at=AT,
    due_at=AT,
    state=Stands.RUNNING,
    reserved=Credits.of(15),
)
"""The same, confirmed at once, with its whole slice."""


def granted(number: int, whole: int, kind: Kind = Kind.PURCHASE, days: int | None = None) -> Grant:
    """A grant of ada's, all of it left; the lower its number, the older it is."""
    return Grant(
        account_uid="ada",
        id=UUID(int=number),
        kind=kind,
        priority=PRIORITY[kind],
        credits=Credits.of(whole),
        remaining=Credits.of(whole),
        paid=None,
        expires_at=None if days is None else AT + timedelta(days=days),
        at=AT - timedelta(days=10 - number),
    )
