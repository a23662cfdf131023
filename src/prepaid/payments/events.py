"""Events: from a signed delivery to what it means to us.

Two payload forms come, by the operator's choice at Stripe: a snapshot carries the session as it
was; a thin one only names it, and the session has to be fetched.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from prepaid.core.checkouts import News
from prepaid.core.errors import ForgedEvent, MalformedEvent
from prepaid.payments.sessions import ObjectId, StripeSession

TOLERANCE_SECONDS = 300
"""How far a signature's time may be from ours, either way; Stripe's own default. Its SDK takes
any time in the future, so that a stolen signature would never grow old."""

COMPLETED = "checkout.session.completed"
ASYNC_SUCCEEDED = "checkout.session.async_payment_succeeded"
ASYNC_FAILED = "checkout.session.async_payment_failed"
EXPIRED = "checkout.session.expired"

TYPES = (COMPLETED, ASYNC_SUCCEEDED, ASYNC_FAILED, EXPIRED)
"""The events that a webhook endpoint should send; the first is indispensable."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An event about a checkout session, with the session as it was."""

    event_id: str
    type: str
    api_version: str
    session: StripeSession


@dataclass(frozen=True, slots=True)
class Thin:
    """An event that only names its session. `event_id` is that of its snapshot twin, if it has
    one, so that both forms of one event count as one."""

    event_id: str
    type: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine event that is none of our business."""

    event_id: str
    type: str
    why: str


Event = Snapshot | Thin | Ignored


class _Envelope(msgspec.Struct):
    object: str
    id: ObjectId
    type: str


class _Inside(msgspec.Struct):
    object: StripeSession


class _SnapshotEvent(msgspec.Struct, tag_field="object", tag="event"):
    id: ObjectId
    type: str
    livemode: bool
    data: _Inside
    api_version: str | None = None
    account: str | None = None


class _Related(msgspec.Struct):
    id: ObjectId


class _ThinEvent(msgspec.Struct, tag_field="object", tag="v2.core.event"):
    id: ObjectId
    type: str
    livemode: bool
    related_object: _Related
    snapshot_event: ObjectId | None = None
    context: str | None = None


_EVENT = msgspec.json.Decoder(_SnapshotEvent | _ThinEvent)
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def read(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> Event:
    """The event that a delivery carries, once its signature holds.

    `secrets` may be several, while one is being rotated: any of them will do.

    Raises:
        ForgedEvent: the signature is missing, wrong, or not of these minutes.
        MalformedEvent: it is signed, and still not an event that Stripe would send.
    """
    _verify(body, header, secrets, now)
    if b"\0" in body:
        raise MalformedEvent("The body has a NUL character, which JSON can't have.")
    try:
        return _event(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedEvent(f"The body is not an event of Stripe's: {error}.") from error


def news_of(type_: str, session: StripeSession) -> News:
    """What an event of ours says. A completed session may still be unpaid: a bank debit takes
    days, and is told by a second event when it is through."""
    if type_ == ASYNC_FAILED:
        return News.FAILED
    if type_ == EXPIRED:
        return News.EXPIRED
    by_payment = {"paid": News.PAID, "no_payment_required": News.FREE}
    return by_payment.get(session.payment_status, News.PENDING)


def is_ahead_of(type_: str, session: StripeSession) -> bool:
    """Whether an event tells of a payment that the session, as it was fetched, doesn't have yet."""
    return type_ == ASYNC_SUCCEEDED and session.payment_status == "unpaid"


def _verify(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> None:
    parts = [part.partition("=")[::2] for part in header.split(",")]
    stamps = [value for name, value in parts if name == "t"]
    if len(stamps) != 1 or not re.fullmatch(r"[0-9]{1,12}", stamps[0]) or not header.isascii():
        raise ForgedEvent("The Stripe-Signature header is missing, or is not written as Stripe's.")
    stamped = b"%d.%b" % (int(stamps[0]), body)
    signatures = [value.encode() for name, value in parts if name == "v1"]
    if not any(_signed(stamped, signatures, secret) for secret in secrets):
        raise ForgedEvent("The signature does not match any of the webhook secrets.")
    age = now.timestamp() - int(stamps[0])
    if abs(age) > TOLERANCE_SECONDS:
        raise ForgedEvent(
            f"The signature is {abs(age):.0f} seconds {'old' if age > 0 else 'ahead'}; at most "
            f"{TOLERANCE_SECONDS} are accepted. Is the clock of this machine right?"
        )


def _signed(stamped: bytes, signatures: Sequence[bytes], secret: str) -> bool:
    """Whether one of them was made with the secret, as Stripe describes it: HMAC with SHA-256 over
    time, dot and body. The SDK has the same, and would have to be loaded for it (`sdk.py`)."""
    right = hmac.digest(secret.encode(), stamped, "sha256").hex().encode()
    return bool(secret.strip()) and any(hmac.compare_digest(right, one) for one in signatures)


def _event(body: bytes) -> Event:
    try:
        event = _EVENT.decode(body)
    except msgspec.ValidationError:
        envelope = _ENVELOPE.decode(body)
        if envelope.object not in {"event", "v2.core.event"}:
            raise MalformedEvent(f"The body is a {envelope.object!r}, not an event.") from None
        if _name(envelope) in TYPES:
            raise
        return _none_of_ours(envelope)
    if _name(event) not in TYPES:
        return _none_of_ours(event)
    return _snapshot(event) if isinstance(event, _SnapshotEvent) else _thin(event)


def _name(event: _Envelope | _SnapshotEvent | _ThinEvent) -> str:
    """Its type, as a snapshot's is written."""
    if isinstance(event, _SnapshotEvent) or (
        isinstance(event, _Envelope) and event.object == "event"
    ):
        return event.type
    return event.type.removeprefix("v1.")


def _none_of_ours(event: _Envelope | _SnapshotEvent | _ThinEvent) -> Ignored:
    return Ignored(event.id, event.type, "not an event about a checkout")


def _snapshot(event: _SnapshotEvent) -> Event:
    if event.account:
        return Ignored(event.id, event.type, "of a connected account")
    session = event.data.object
    if session.livemode != event.livemode:
        raise MalformedEvent("The event and its session disagree on livemode.")
    return Snapshot(event.id, event.type, event.api_version or "", session)


def _thin(event: _ThinEvent) -> Event:
    if event.context:
        return Ignored(event.id, event.type, "of a connected account")
    return Thin(event.snapshot_event or event.id, _name(event), event.related_object.id)
