"""Fulfilment: a signed delivery comes in, and if it says that money came, credits go out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from prepaid.core.commands import Tell, Told
from prepaid.core.errors import StripeUnavailable, UnknownCheckout
from prepaid.flows.shop import Shop
from prepaid.payments import events, sessions
from prepaid.payments.events import Event, Ignored, Snapshot, Thin
from prepaid.payments.sessions import StripeSession
from prepaid.storage import checkouts
from prepaid.storage.writer import Ledger

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in at the webhook: the raw bytes, and the Stripe-Signature header."""

    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class Telling:
    """An event of ours that the ledger is being told: `told` is what will have become of it."""

    event: Snapshot | Thin
    session: StripeSession
    told: asyncio.Future[Told]

    def end(self, told: Told) -> Told:
        """What became of it, written down."""
        _log(self.event, self.session, told)
        return told


def read(delivery: Delivery, secrets: Sequence[str], at: datetime) -> Event:
    """The event that was delivered.

    Raises:
        InvalidEvent: nobody at Stripe sent it; sending it again is no use.
    """
    return events.read(delivery.body, delivery.signature, secrets, at)


def tell(shop: Shop, ledger: Ledger, delivery: Delivery, event: Event) -> Telling | None:
    """Tells the ledger of an event that says itself that it is about a checkout of ours; None if
    somebody has to be asked. It is under way at once, and waited for by whoever wants to."""
    if not (isinstance(event, Snapshot) and _is_marked(shop, event.session)):
        return None
    return _telling(ledger, delivery, event, event.session)


async def take(shop: Shop, ledger: Ledger, delivery: Delivery, event: Event) -> Told | Ignored:
    """What became of an event. When this returns, it is committed, and Stripe may be told so.

    Raises:
        Unavailable: it was not taken; Stripe has to send it again.
    """
    if telling := tell(shop, ledger, delivery, event):
        return telling.end(await telling.told)
    if isinstance(event, Ignored):
        return _ignored(event)
    session = await _session(shop, event)
    if session is None or not await _is_ours(shop, session):
        return _ignored(Ignored(event.event_id, event.type, "not a checkout of this deployment"))
    telling = _telling(ledger, delivery, event, session)
    return telling.end(await telling.told)


async def _session(shop: Shop, event: Snapshot | Thin) -> StripeSession | None:
    if isinstance(event, Snapshot):
        return event.session
    try:
        session = await shop.gateway.session(event.session_id)
    except UnknownCheckout:
        return None
    if events.is_ahead_of(event.type, session):
        raise StripeUnavailable("Stripe tells that it was paid, and its session doesn't yet.")
    return session


async def _is_ours(shop: Shop, session: StripeSession) -> bool:
    """Several programs and deployments may share a Stripe account and hear of each other's
    sessions. Ours are marked; one that lost its mark at Stripe is still known by its id."""
    if _is_marked(shop, session):
        return True
    async with shop.database.reading() as connection:
        return await checkouts.by_session(connection, session.id) is not None


def _is_marked(shop: Shop, session: StripeSession) -> bool:
    return sessions.deployment_of(session) == str(shop.deployment)


def _telling(
    ledger: Ledger, delivery: Delivery, event: Snapshot | Thin, session: StripeSession
) -> Telling:
    return Telling(event, session, ledger.telling(_tell(event, session, delivery)))


def _tell(event: Snapshot | Thin, session: StripeSession, delivery: Delivery) -> Tell:
    return Tell(
        event_id=event.event_id,
        type=event.type,
        news=events.news_of(event.type, session),
        claim=sessions.claim_of(session),
        payload=delivery.body.decode(),
    )


def _ignored(event: Ignored) -> Ignored:
    log.info("event_ignored", event_id=event.event_id, type=event.type, why=event.why)
    return event


def _log(event: Snapshot | Thin, session: StripeSession, told: Told) -> None:
    """One line: what was bought, or else what became of the event."""
    named = {"event_id": event.event_id, "type": event.type, "session": session.id}
    if told.entry is not None:
        log.info(
            "credits_purchased",
            account=told.entry.account_uid,
            credits=str(told.entry.credits),
            balance=str(told.entry.balance),
            **named,
        )
    else:
        log.info("event_taken", **named, verdict=told.verdict, why=told.why, repeated=told.repeated)
