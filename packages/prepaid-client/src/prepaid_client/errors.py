"""Every way prepaid says no, as a tree: what the service refuses, and that it can't be reached.

    PrepaidError
    ├─ Refused                    the service understood, and said no: asking again won't help
    │  ├─ Invalid                 what was sent can't be taken as it is; a class for each reason
    │  ├─ Unauthenticated         the token is missing, wrong, expired or revoked
    │  ├─ Forbidden               the token is good, and does not allow this
    │  ├─ Unknown                 there is no such account, reservation ...
    │  ├─ InsufficientCredits     less is available than was asked for, and where to buy more
    │  └─ Conflict                it contradicts what is already so
    │     ├─ KeyReused            the key stands for something else
    │     ├─ TooMany              more open reservations than an account may have
    │     └─ ReservationClosed    it was settled or released
    │        ├─ ReservationLost   its heartbeats stopped
    │        └─ CreditsDepleted   what it may cost was used up
    └─ Unavailable                no answer, or none worth having: asking again is safe
       └─ Unreadable              an answer that is not prepaid's

Each class has the `code` that the API writes, and the API's name for it. A code that this version
doesn't know becomes the nearest class, by the answer's status, and keeps its code.
"""

from decimal import Decimal

NOTHING = Decimal(0)


class PrepaidError(Exception):
    """Whatever went wrong between a program and its credits.

    `code` is for programs; `title` and `detail` are for people. `status` is the answer's HTTP
    status; None if it was found out without an answer.
    """

    code: str = "prepaid_error"
    title: str = "Error"
    status: int | None = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Refused(PrepaidError):  # noqa: N818 - a refusal, as the service calls it
    """Something asked for that is not done; nothing has changed."""

    code = "refused"
    title = "Refused"


class Invalid(Refused):
    """What was sent can't be taken as it is."""

    code = "invalid_request"
    title = "Invalid request"


class TooLarge(Invalid):
    """A body of more bytes than the service takes."""

    code = "too_large"
    title = "Too large"


class InvalidCredits(Invalid):
    """Not an exact amount of credits: at most six decimals, within the limits."""

    code = "invalid_credits"
    title = "Invalid credits"


class InvalidMoney(Invalid):
    """Not an amount of money that its currency can express."""

    code = "invalid_money"
    title = "Invalid amount of money"


class InvalidExpiry(Invalid):
    """Credits that would have expired before they are granted."""

    code = "invalid_expiry"
    title = "Invalid expiry"


class InvalidKey(Invalid):
    """Not an idempotency key: 1 to 200 printable ASCII characters, none of the service's own."""

    code = "invalid_key"
    title = "Invalid key"


class InvalidAccount(Invalid):
    """Not an account's uid: 1 to 128 printable ASCII characters without blanks."""

    code = "invalid_account"
    title = "Invalid account"


class InvalidRate(Invalid):
    """Not a burning rate: 0 to 10,000 credits a second, and 0 only with a limit."""

    code = "invalid_rate"
    title = "Invalid burning rate"


class InvalidHeartbeat(Invalid):
    """Not an interval between heartbeats: 1 to 3,600 whole seconds."""

    code = "invalid_heartbeat"
    title = "Invalid heartbeat interval"


class InvalidLimit(Invalid):
    """Not a limit that the reservation can have now: a limit can only be raised."""

    code = "invalid_limit"
    title = "Invalid limit"


class InvalidSettlement(Invalid):
    """Not what the reservation can have cost."""

    code = "invalid_settlement"
    title = "Invalid settlement"


class InvalidReturnUrl(Invalid):
    """A return_url whose origin the operator has not allowed."""

    code = "invalid_return_url"
    title = "Invalid return URL"


class PackageNotSold(Invalid):
    """The price exists at Stripe, and is not a package that is sold."""

    code = "package_not_sold"
    title = "Package not sold"


class InvalidEvent(Invalid):
    """A webhook delivery that is not a signed event."""

    code = "invalid_event"
    title = "Invalid event"


class ForgedEvent(InvalidEvent):
    """A webhook delivery whose signature is missing, wrong, or of another time."""

    code = "invalid_signature"
    title = "Invalid signature"


class MalformedEvent(InvalidEvent):
    """A webhook delivery whose body is not an event."""

    code = "malformed_event"
    title = "Malformed event"


class Unauthenticated(Refused):
    """There is no token, or none that the service accepts (any more)."""

    code = "unauthenticated"
    title = "Not authenticated"


class Forbidden(Refused):
    """The token is good, and does not allow this."""

    code = "forbidden"
    title = "Not allowed"


class Unknown(Refused):
    """There is no such thing, or it belongs to somebody else: the two look the same."""

    code = "not_found"
    title = "Not found"


class UnknownAccount(Unknown):
    """No account has this uid."""

    code = "unknown_account"
    title = "Unknown account"


class UnknownPackage(Unknown):
    """There is no such price."""

    code = "unknown_package"
    title = "Unknown package"


class UnknownCheckout(Unknown):
    """The account has no such checkout."""

    code = "unknown_checkout"
    title = "Unknown checkout"


class UnknownGrant(Unknown):
    """The account has no such grant with anything left."""

    code = "unknown_grant"
    title = "Unknown grant"


class UnknownReceipt(Unknown):
    """Stripe has no receipt of the checkout: it isn't paid, or the receipt isn't written yet."""

    code = "unknown_receipt"
    title = "No receipt"


class UnknownEvent(Unknown):
    """The inbox has no such event."""

    code = "unknown_event"
    title = "Unknown event"


class UnknownReservation(Unknown):
    """No reservation has this id, or it is another account's."""

    code = "unknown_reservation"
    title = "Unknown reservation"


class UnknownKey(Unknown):
    """No API key has this id."""

    code = "unknown_api_key"
    title = "Unknown API key"


class InsufficientCredits(Refused):
    """The account has less than is asked for.

    `asked` and `available` are credits; `buy_url` is the page where a user buys more.
    """

    code = "insufficient_credits"
    title = "Insufficient credits"

    def __init__(
        self,
        detail: str,
        asked: Decimal = NOTHING,
        available: Decimal = NOTHING,
        buy_url: str = "",
    ) -> None:
        super().__init__(detail)
        self.asked = asked
        self.available = available
        self.buy_url = buy_url


class Conflict(Refused):
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
    """The reservation was settled or released: nothing can be done to it any more."""

    code = "reservation_closed"
    title = "Reservation closed"


class ReservationLost(ReservationClosed):
    """Its heartbeats stopped, and it was settled to the last of them."""

    code = "reservation_lost"
    title = "Reservation lost"


class CreditsDepleted(ReservationClosed):
    """What the reservation may cost was used up: what it is for has to stop."""

    code = "reservation_depleted"
    title = "Reservation depleted"


ReservationDepleted = CreditsDepleted
"""The API's name for it."""


class Unavailable(PrepaidError):  # noqa: N818 - the service's word
    """No answer, or none worth having. Whether anything was done is unknown; asking again, with
    the same key, is safe.

    `retry_after_seconds` is how long the service asked to be left alone; None if it didn't say.
    """

    code = "unavailable"
    title = "Unavailable"

    def __init__(self, detail: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


class LedgerBusy(Unavailable):
    """More is asked of the service than it takes at once."""

    code = "ledger_busy"
    title = "Ledger busy"


class LedgerUnavailable(Unavailable):
    """The service's database did not answer."""

    code = "ledger_unavailable"
    title = "Ledger unavailable"


class ClockFarOff(Unavailable):
    """The clock of the service's machine can't be right."""

    code = "clock_far_off"
    title = "Clock far off"


class StripeUnavailable(Unavailable):
    """Stripe did not answer the service."""

    code = "stripe_unavailable"
    title = "Stripe unavailable"


class StripeRefused(Unavailable):
    """Stripe said no to the service: an operator has to look."""

    code = "stripe_refused"
    title = "Refused by Stripe"


class Unreadable(Unavailable):
    """An answer that is not prepaid's: another program, or another version, gave it."""

    code = "unreadable"
    title = "Unreadable answer"
