"""Balance transactions: what each charge, refund and dispute did to the account's balance."""

from prepaid.simulator import listing
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json

_SETTLES_AFTER_SECONDS = 2 * 86400
_CATEGORIES = {"payment_refund": "refund", "adjustment": "dispute", "payment": "charge"}


def enter(box: Sandbox, kind: str, source: Json, amount: int, fee: int = 0) -> Json:
    """Note a movement. ``amount`` is negative where money leaves the account."""
    detail = {"amount": fee, "application": None, "currency": source["currency"]}
    named = {**detail, "description": "Stripe processing fees", "type": "stripe_fee"}
    transaction: Json = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": box.now() + _SETTLES_AFTER_SECONDS,
        "balance_type": "payments",
        "created": box.now(),
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [named] if fee else [],
        "net": amount - fee,
        "reporting_category": _CATEGORIES.get(kind, kind),
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    return box.store.add(transaction)


def processing_fee(amount: int) -> int:
    """A fee like Stripe's: 2.9 % and thirty of the minor unit."""
    return min(amount, (amount * 29 + 500) // 1000 + 30)


def retrieve(call: Call) -> Json:
    """Give one balance transaction."""
    return call.box.need("balance_transaction", call.id)


def listed(call: Call) -> Json:
    """Give a page of balance transactions."""
    return listing.page(call, "balance_transaction", ["currency", "source", "type"])
