"""Every way prepaid says no, as a tree.

    Refusal
    ├─ Invalid                what was sent can't be taken as it is
    │  ├─ TooLarge            more than this service reads
    │  ├─ InvalidCredits      not an exact, positive amount
    │  ├─ InvalidMoney        not an amount that its currency can express
    │  ├─ InvalidExpiry       credits that would be gone before they come
    │  ├─ InvalidKey          not an idempotency key
    │  ├─ InvalidAccount      not a name for an account
    │  ├─ InvalidRate         not a burning rate that a reservation can have
    │  ├─ InvalidHeartbeat    not an interval between heartbeats
    │  ├─ InvalidLimit        not a limit that the reservation can have
    │  ├─ InvalidSettlement   not what the reservation can have cost
    │  ├─ InvalidReturnUrl    leads to an origin that isn't allowed
    │  ├─ PackageNotSold      the price exists, and can't be sold
    │  └─ InvalidEvent        a webhook delivery nobody at Stripe would send
    │     ├─ ForgedEvent      its signature is not ours, or not of now
    │     └─ MalformedEvent   signed, and not an event
    ├─ Unauthenticated        we don't know who asks
    ├─ Forbidden              we know, and they may not
    ├─ Unknown                there is no such thing (or it is somebody else's)
    │  ├─ UnknownAccount
    │  ├─ UnknownPackage
    │  ├─ UnknownCheckout
    │  ├─ UnknownReceipt      nothing was paid, or Stripe has no receipt of it (yet)
    │  ├─ UnknownGrant
    │  ├─ UnknownReservation
    │  ├─ UnknownEvent
    │  └─ UnknownKey
    ├─ InsufficientCredits    the account has less than is asked for
    ├─ Conflict               it contradicts what is already so
    │  ├─ KeyReused           the key stands for another command
    │  ├─ TooMany             more of a thing than an account may have
    │  ├─ BalanceTooLarge     beyond what an account can hold
    │  └─ ReservationClosed   it was settled or released
    │     ├─ ReservationLost  its heartbeats stopped; its key opens it again
    │     └─ ReservationDepleted  its credits were used up
    └─ Unavailable            try again; nothing was changed, or the key makes it harmless
       ├─ LedgerBusy          the queue is full
       ├─ LedgerUnavailable   the database is away
       ├─ ClockFarOff         this machine's clock can't be right
       ├─ StripeUnavailable   Stripe is away, or doesn't accept our key
       └─ StripeRefused       Stripe understood, and said no: an operator has to look

Each carries a `code` for programs and a sentence for people. What the web answers to each stands
in web/problems.py.
"""

from typing import ClassVar


class Refusal(Exception):  # noqa: N818 - a refusal is the field's word, and not always an error
    """Something asked for that is not done; nothing has changed."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"


class Invalid(Refusal):
    """What was sent can't be taken as it is."""

    code = "invalid_request"
    title = "Invalid request"


class TooLarge(Invalid):
    """A body of more bytes than anything this service takes."""

    code = "too_large"
    title = "Too large"


class InvalidCredits(Invalid):
    """Not an exact amount of credits: finite, at most six decimals, within the limits."""

    code = "invalid_credits"
    title = "Invalid credits"


class InvalidMoney(Invalid):
    """Not an amount of money that its currency, as Stripe counts it, can express."""

    code = "invalid_money"
    title = "Invalid amount of money"


class InvalidExpiry(Invalid):
    """Credits that would have expired before they are granted."""

    code = "invalid_expiry"
    title = "Invalid expiry"


class InvalidKey(Invalid):
    """Not an idempotency key: 1 to 200 printable characters, not in a reserved name space."""

    code = "invalid_key"
    title = "Invalid key"


class InvalidAccount(Invalid):
    """Not an account's uid: 1 to 128 printable ASCII characters without blanks."""

    code = "invalid_account"
    title = "Invalid account"


class InvalidRate(Invalid):
    """Not a burning rate: 0 to 10,000 credits a second, and to begin with 0 takes a limit."""

    code = "invalid_rate"
    title = "Invalid burning rate"


class InvalidHeartbeat(Invalid):
    """Not an interval between heartbeats: 1 to 3,600 whole seconds."""

    code = "invalid_heartbeat"
    title = "Invalid heartbeat interval"


class InvalidLimit(Invalid):
    """Not a limit that the reservation can have now."""

    code = "invalid_limit"
    title = "Invalid limit"


class InvalidSettlement(Invalid):
    """Not what the reservation can have cost: time costs what it costs, and no less than it has
    burnt or more than is reserved."""

    code = "invalid_settlement"
    title = "Invalid settlement"


class InvalidReturnUrl(Invalid):
    """A return_url whose origin the operator has not allowed: it would be an open redirect."""

    code = "invalid_return_url"
    title = "Invalid return URL"


class PackageNotSold(Invalid):
    """The price exists at Stripe, and is not a package this service can sell now."""

    code = "package_not_sold"
    title = "Package not sold"


class InvalidEvent(Invalid):
    """A webhook delivery that is not a signed event of ours."""

    code = "invalid_event"
    title = "Invalid event"


class ForgedEvent(InvalidEvent):
    """The signature is missing, wrong, or of another time."""

    code = "invalid_signature"
    title = "Invalid signature"


class MalformedEvent(InvalidEvent):
    """The body is not an event, signed or not."""

    code = "malformed_event"
    title = "Malformed event"


class Unauthenticated(Refusal):
    """There is no token, or none that we accept."""

    code = "unauthenticated"
    title = "Not authenticated"


class Forbidden(Refusal):
    """The token is good, and does not allow this."""

    code = "forbidden"
    title = "Not allowed"


class Unknown(Refusal):
    """There is no such thing, or it belongs to somebody else: the two look the same."""

    code = "not_found"
    title = "Not found"


class UnknownAccount(Unknown):
    """No account has this uid."""

    code = "unknown_account"
    title = "Unknown account"

    def __init__(self, uid: str) -> None:
        super().__init__(f"There is no account {uid[:128]!r}.")


class UnknownPackage(Unknown):
    """The product has no such price."""

    code = "unknown_package"
    title = "Unknown package"


class UnknownCheckout(Unknown):
    """The account has no such checkout."""

    code = "unknown_checkout"
    title = "Unknown checkout"


class UnknownReceipt(Unknown):
    """Stripe has no receipt of the checkout: it isn't paid, or the receipt isn't written yet."""

    code = "unknown_receipt"
    title = "No receipt"


class UnknownGrant(Unknown):
    """The account has no such grant with anything left."""

    code = "unknown_grant"
    title = "Unknown grant"


class UnknownReservation(Unknown):
    """No reservation has this id, or it is another account's."""

    code = "unknown_reservation"
    title = "Unknown reservation"


class UnknownEvent(Unknown):
    """The inbox has no such event."""

    code = "unknown_event"
    title = "Unknown event"


class UnknownKey(Unknown):
    """No API key has this id."""

    code = "unknown_api_key"
    title = "Unknown API key"


class InsufficientCredits(Refusal):
    """The account has less than is asked for. `asked` and `available` are decimal text."""

    code = "insufficient_credits"
    title = "Insufficient credits"

    def __init__(self, asked: str, available: str) -> None:
        self.asked = asked
        self.available = available
        super().__init__(f"Insufficient credits: {asked} needed, {available} available.")


class Conflict(Refusal):
    """It contradicts what is already so."""

    code = "conflict"
    title = "Conflict"


class KeyReused(Conflict):
    """The idempotency key was used before, with other content."""

    code = "idempotency_key_reused"
    title = "Key used before with other content"


class TooMany(Conflict):
    """The account has as many of a thing as it may."""

    code = "too_many"
    title = "Too many"


class BalanceTooLarge(Conflict):
    """The account can't hold that much."""

    code = "balance_too_large"
    title = "Balance too large"


class ReservationClosed(Conflict):
    """It was settled or released: nothing can be done to it any more."""

    code = "reservation_closed"
    title = "Reservation closed"


class ReservationLost(ReservationClosed):
    """Its heartbeats stopped, and it was settled to the last of them. The same key opens it
    again."""

    code = "reservation_lost"
    title = "Reservation lost"


class ReservationDepleted(ReservationClosed):
    """Its credits were used up, and it ended at that instant."""

    code = "reservation_depleted"
    title = "Reservation depleted"


class Unavailable(Refusal):
    """Not now. Trying again, with the same key, is safe."""

    code = "unavailable"
    title = "Unavailable"


class LedgerBusy(Unavailable):
    """More commands wait than the ledger takes; it never queues without bound."""

    code = "ledger_busy"
    title = "Ledger busy"


class LedgerUnavailable(Unavailable):
    """The database did not answer. Whether the command was committed is unknown: send it again
    with the same key, and it is executed at most once."""

    code = "ledger_unavailable"
    title = "Ledger unavailable"


class ClockFarOff(Unavailable):
    """This machine's clock is far behind what the books have seen: no time is measured by it."""

    code = "clock_far_off"
    title = "Clock far off"


class StripeUnavailable(Unavailable):
    """Stripe did not answer, or did not accept our credentials."""

    code = "stripe_unavailable"
    title = "Stripe unavailable"


class StripeRefused(Unavailable):
    """Stripe understood the request and said no: the set-up at Stripe is not what we need."""

    code = "stripe_refused"
    title = "Refused by Stripe"
