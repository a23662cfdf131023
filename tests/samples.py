"""One checkout that many tests know: fifty credits for five dollars, offered to ada."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, Claim, News, State
from prepaid.core.commands import Tell

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
    account_uid="ada",
)
