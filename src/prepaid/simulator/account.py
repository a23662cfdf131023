"""The simulated account itself."""

from prepaid.simulator.sandbox import Call
from prepaid.simulator.shapes import Json

_CREATED = 1_700_000_000  # any moment in the past


def retrieve(_call: Call) -> Json:
    """Give the account that the key belongs to."""
    return {
        "id": "acct_simulator000000",
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "created": _CREATED,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "operator@example.com",
        "payouts_enabled": True,
        "type": "standard",
    }
