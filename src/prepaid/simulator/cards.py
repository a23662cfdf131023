"""Stripe's test cards and test bank accounts, and what each of them does."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

RefundCourse: TypeAlias = Literal["succeeds", "pends", "fails"]


@dataclass(frozen=True)
class Card:
    """One test card. ``tokens`` are its names behind ``tok_`` and ``pm_card_``."""

    number: str
    tokens: tuple[str, ...] = ()
    brand: str = "visa"
    country: str = "US"
    decline: str | None = None
    challenge: bool = False
    dispute: str | None = None
    refund: RefundCourse = "succeeds"


# A code as the ``code`` of the error, and the sentence Stripe says with it.
DECLINES: dict[str, tuple[str, str]] = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "incorrect_number": ("incorrect_number", "Your card number is incorrect."),
    "test_mode_live_card": (
        "card_declined",
        (
            "Your card was declined. Your request was in test mode, but used a non test card. "
            "For a list of valid test cards, visit: https://stripe.com/docs/testing."
        ),
    ),
}

CARDS: tuple[Card, ...] = (
    Card("4242424242424242", ("visa", "us")),
    Card("4000056655665556", ("visa_debit",)),
    Card("5555555555554444", ("mastercard",), brand="mastercard"),
    Card("378282246310005", ("amex",), brand="amex"),
    Card("6011111111111117", ("discover",), brand="discover"),
    Card("4000002500000003", ("fr",), country="FR"),
    Card("4000002760000016", ("de",), country="DE"),
    Card("4000008260000000", ("gb",), country="GB"),
    Card(
        "4000000000000002",
        ("chargeDeclined", "visa_chargeDeclined"),
        decline="generic_decline",
    ),
    Card(
        "4000000000009995",
        ("chargeDeclinedInsufficientFunds", "visa_chargeDeclinedInsufficientFunds"),
        decline="insufficient_funds",
    ),
    Card("4000000000009987", ("visa_chargeDeclinedLostCard",), decline="lost_card"),
    Card("4000000000009979", ("visa_chargeDeclinedStolenCard",), decline="stolen_card"),
    Card(
        "4000000000000069",
        ("chargeDeclinedExpiredCard", "visa_chargeDeclinedExpiredCard"),
        decline="expired_card",
    ),
    Card(
        "4000000000000127",
        ("chargeDeclinedIncorrectCvc", "visa_chargeDeclinedIncorrectCvc"),
        decline="incorrect_cvc",
    ),
    Card(
        "4000000000000119",
        ("chargeDeclinedProcessingError", "visa_chargeDeclinedProcessingError"),
        decline="processing_error",
    ),
    Card("4000000000000341", ("chargeCustomerFail",), decline="generic_decline"),
    Card("4000002500003155", ("authenticationRequiredOnSetup",), challenge=True),
    Card("4000002760003184", ("authenticationRequired",), challenge=True),
    Card("4000000000003220", ("threeDSecure2Required",), challenge=True),
    Card(
        "4000008400001629",
        ("threeDSecureRequiredChargeDeclined",),
        challenge=True,
        decline="generic_decline",
    ),
    Card("4000000000000259", ("createDispute",), dispute="fraudulent"),
    Card("4000000000002685", ("createDisputeProductNotReceived",), dispute="product_not_received"),
    Card("4000000000001976", ("createDisputeInquiry",), dispute="inquiry"),
    Card("4000000000000077", ("bypassPending",)),
    Card("4000000000007726", ("pendingRefund",), refund="pends"),
    Card("4000000000005126", ("refundFail",), refund="fails"),
)

BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {name: card for card in CARDS for name in card.tokens}

# The bank accounts whose debit fails; every other one succeeds.
FAILING_ACCOUNTS = frozenset(
    {
        "AT861904300235473202",
        "IT60X0542811101000000123456",
        "DE62370400440532013001",
        "FR8420041010050500013M02607",
        "000111111113",
        "000111111116",
        "000222222227",
        "00222227",
    }
)

# The delayed method that can appear on a page in a currency, as a Dashboard would have it.
DELAYED_BY_CURRENCY = {"eur": "sepa_debit", "usd": "us_bank_account", "gbp": "bacs_debit"}
DELAYED = frozenset(DELAYED_BY_CURRENCY.values())


def checks_out(number: str) -> bool:
    """The check digit that every card number ends with (Luhn)."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
