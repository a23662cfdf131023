"""Events as Stripe sends them: the session of a checkout, told and signed."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import stripe

from prepaid.core.checkouts import Checkout
from prepaid.flows.fulfilment import Delivery
from prepaid.payments.sessions import metadata

SECRET = "whsec_for_tests_0000000000000000"

PAID = ("complete", "paid")
UNPAID = ("complete", "unpaid")
EXPIRED = ("expired", "unpaid")


@dataclass(frozen=True)
class Event:
    """A snapshot event about a checkout's session; `changed` replaces fields of the session."""

    id: str
    type: str
    checkout: Checkout
    deployment: UUID
    state: tuple[str, str] = PAID
    livemode: bool = False
    changed: dict[str, object] = field(default_factory=dict)

    def session(self) -> dict[str, object]:
        """The session, as Stripe would show it."""
        status, payment_status = self.state
        told: dict[str, object] = {
            "id": self.checkout.session_id or f"cs_test_{self.checkout.id.hex}",
            "object": "checkout.session",
            "mode": "payment",
            "livemode": self.livemode,
            "status": status,
            "payment_status": payment_status,
            "amount_subtotal": self.checkout.price.minor,
            "amount_total": self.checkout.price.minor,
            "currency": self.checkout.price.currency,
            "customer": self.checkout.customer_id,
            "payment_intent": f"pi_{self.checkout.id.hex}" if status == "complete" else None,
            "metadata": metadata(self.checkout, self.deployment),
        }
        return told | self.changed

    def body(self) -> bytes:
        """The bytes of the event."""
        return json.dumps(
            {
                "id": self.id,
                "object": "event",
                "api_version": "2026-10-28.endive",
                "created": 1_795_417_397,
                "livemode": self.livemode,
                "pending_webhooks": 1,
                "request": None,
                "type": self.type,
                "data": {"object": self.session()},
            }
        ).encode()

    def delivery(self, at: datetime, secret: str = SECRET) -> Delivery:
        """The event as it is delivered at an instant."""
        return signed(self.body(), at, secret)


def signed(body: bytes, at: datetime, secret: str = SECRET) -> Delivery:
    """Any bytes, signed as Stripe signs."""
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(at.timestamp())
    )
    return Delivery(body, header)
