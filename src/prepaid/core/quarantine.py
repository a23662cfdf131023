"""Quarantine: why a signed event moved nothing, and what an operator can do about it."""

from prepaid.core.checkouts import DIFFERS

NO_CHECKOUT = "no checkout of this service has the id it names"
UNPAID = "the session was completed without a payment"

_BY_HAND = "grant the credits by hand as an adjustment, with the session in the key"

_REMEDIES = {
    NO_CHECKOUT: f"If the buyer paid, {_BY_HAND}.",
    UNPAID: "A coupon took all of the price: nothing is owed.",
}


def remedy(why: str) -> str:
    """What to do about an event that is in quarantine for this reason."""
    if DIFFERS in why:
        compare = "Compare the session at Stripe with the checkout, and find out who changed it"
        return f"{compare}; then refund at Stripe, or {_BY_HAND}."
    return _REMEDIES.get(why, "Put right what it says, and have Stripe send the event again.")
