"""The simulated account itself."""

from prepaid.simulator.sandbox import Call
from prepaid.simulator.shapes import Json


def retrieve(call: Call) -> Json:
    """Give the account that the key belongs to."""
    return {
        "id": "acct_simulator000000",
        "object": "account",
        "business_type": "company",
        "charges_enabled": True,
        "country": "US",
        "created": call.box.now(),
        "default_currency": "usd",
        "details_submitted": True,
        "email": "operator@example.com",
        "payouts_enabled": True,
        "settings": {
            "branding": {
                "icon": None,
                "logo": None,
                "primary_color": None,
                "secondary_color": None,
            },
            "dashboard": {"display_name": "Stripe simulator", "timezone": "Etc/UTC"},
        },
        "type": "standard",
    }
