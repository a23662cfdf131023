"""Signed events about checkouts of ours, as Stripe sends them when buyers have paid."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import stripe
from msgspec.structs import replace

from bench.asks import framed, request
from bench.load import account
from bench.programs import WEBHOOK_SECRET
from local_stripe import LocalStripe, local_stripe
from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, State
from prepaid.ids import new_id
from prepaid.payments.gateway import Gateway
from prepaid.settings import WEBHOOK_ROUTE

CREDITS = 50
CENTS = 500


@dataclass(frozen=True, slots=True)
class Sale:
    """One checkout that was paid at the simulator, and what Stripe said of it: all others are
    made after it."""

    checkout: Checkout
    event: str
    event_id: str
    payment_intent: str

    def offer(self, number: int) -> Checkout:
        """Another checkout of the same package, by another account."""
        id_ = new_id()
        return replace(
            self.checkout, id=id_, account_uid=account(number), session_id=f"cs_test_{id_.hex}"
        )

    def told(self, offer: Checkout) -> str:
        """What Stripe says when that one is paid."""
        assert self.checkout.session_id is not None
        assert offer.session_id is not None
        return (
            self.event.replace(self.checkout.session_id, offer.session_id)
            .replace(str(self.checkout.id), str(offer.id))
            .replace(self.checkout.account_uid, offer.account_uid)
            .replace(self.event_id, f"evt_{uuid4().hex}")
            .replace(self.payment_intent, f"pi_{offer.id.hex}")
        )


async def sale(deployment: UUID) -> Sale:
    """A sale by a deployment at the simulated Stripe, by the gateway's own way."""
    with local_stripe() as shop:
        offer = _offer(shop)
        gateway = Gateway(shop.config.api_key, shop.product, shop.url)
        try:
            session = await gateway.open_session(offer, deployment)
        finally:
            await gateway.close()
        shop.pay(session.id)
        event = shop.event(session.id)
    paid = event["data"]["object"]["payment_intent"]
    opened = replace(offer, session_id=session.id)
    return Sale(opened, json.dumps(event, indent=2), event["id"], paid)


def write(events: Sequence[str], file: Path) -> None:
    """Writes the events into a file of requests, signed now: they are good for five minutes."""
    with file.open("wb") as out:
        out.writelines(framed(one) for one in _requests(events))


def _requests(events: Sequence[str]) -> Iterator[bytes]:
    sign = stripe.WebhookSignature.generate_signature_header
    for event in events:
        header = f"Stripe-Signature: {sign(event, WEBHOOK_SECRET)}\r\n"
        yield request("POST", WEBHOOK_ROUTE, "-", event.encode(), header)


def _offer(shop: LocalStripe) -> Checkout:
    at = datetime.now(UTC).replace(microsecond=0)
    return Checkout(
        id=new_id(),
        account_uid=account(0),
        state=State.OPEN,
        price_id=shop.package(CREDITS, CENTS),
        credits=Credits.of(CREDITS),
        units=CREDITS,
        price=Money(CENTS, "usd"),
        livemode=False,
        customer_id=shop.ask("POST", "/v1/customers", email="buyer@example.com")["id"],
        return_url="https://example.com/back",
        automatic_tax=False,
        created_at=at,
        expires_at=at + timedelta(hours=1),
    )
