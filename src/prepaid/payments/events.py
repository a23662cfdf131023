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


class _SnapshotEvent(msgspec.Struct):
    livemode: bool
    data: _Inside
    api_version: str | None = None
    account: str | None = None


class _Related(msgspec.Struct):
    id: ObjectId


class _ThinEvent(msgspec.Struct):
    livemode: bool
    related_object: _Related
    snapshot_event: ObjectId | None = None
    context: str | None = None


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
    envelope = msgspec.json.decode(body, type=_Envelope)
    if envelope.object == "v2.core.event":
        return _thin(envelope, body)
    if envelope.object != "event":
        raise MalformedEvent(f"The body is a {envelope.object!r}, not an event.")
    if envelope.type not in TYPES:
        return Ignored(envelope.id, envelope.type, "not an event about a checkout")
    return _snapshot(envelope, msgspec.json.decode(body, type=_SnapshotEvent))


def _snapshot(envelope: _Envelope, event: _SnapshotEvent) -> Event:
    if event.account:
        return Ignored(envelope.id, envelope.type, "of a connected account")
    session = event.data.object
    if session.livemode != event.livemode:
        raise MalformedEvent("The event and its session disagree on livemode.")
    return Snapshot(envelope.id, envelope.type, event.api_version or "", session)


def _thin(envelope: _Envelope, body: bytes) -> Event:
    type_ = envelope.type.removeprefix("v1.")
    if type_ not in TYPES:
        return Ignored(envelope.id, envelope.type, "not an event about a checkout")
    event = msgspec.json.decode(body, type=_ThinEvent)
    if event.context:
        return Ignored(envelope.id, envelope.type, "of a connected account")
    return Thin(event.snapshot_event or envelope.id, type_, event.related_object.id)
