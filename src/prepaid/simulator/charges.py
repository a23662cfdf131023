"""Charges: one try to move money, and what became of it."""

from prepaid.simulator import balance, events, listing, metadata, methods, receipts
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls


def begin(box: Sandbox, intent: Json, method: Json) -> Json:
    """Make a charge that is pending."""
    charge: Json = {
        "id": new_id("ch" if method["type"] == "card" else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "STRIPE SIMULATOR",
        "captured": False,
        "created": box.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": methods.details(method),
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "pending",
        **nulls("application application_fee application_fee_amount balance_transaction"),
        **nulls("failure_balance_transaction failure_code failure_message on_behalf_of outcome"),
        **nulls("receipt_number receipt_url review shipping source source_transfer"),
        **nulls("statement_descriptor statement_descriptor_suffix transfer_data transfer_group"),
    }
    return box.store.add(charge)


def succeed(box: Sandbox, charge: Json) -> Json:
    """The money came."""
    fee = balance.processing_fee(charge["amount"])
    kind = "charge" if charge["id"].startswith("ch_") else "payment"
    entry = balance.enter(box, kind, charge, charge["amount"], fee)
    after = box.store.put(
        {
            **charge,
            "amount_captured": charge["amount"],
            "balance_transaction": entry["id"],
            "captured": True,
            "outcome": _outcome("approved_by_network", "Payment complete.", "authorized"),
            "paid": True,
            "receipt_url": receipts.url_of(box, charge),
            "status": "succeeded",
        }
    )
    events.emit(box, "charge.succeeded", after)
    return after


def fail(box: Sandbox, charge: Json, error: Json) -> Json:
    """The money didn't come."""
    reason = error.get("decline_code") or error.get("code")
    declined = _outcome("declined_by_network", "The bank declined the payment.", "issuer_declined")
    after = box.store.put(
        {
            **charge,
            "failure_code": error.get("code"),
            "failure_message": error["message"],
            "outcome": {**declined, "reason": reason},
            "status": "failed",
        }
    )
    events.emit(box, "charge.failed", after)
    return after


def retrieve(call: Call) -> Json:
    """Give one charge."""
    return call.box.need("charge", call.id)


def listed(call: Call) -> Json:
    """Give a page of charges."""
    return listing.page(call, "charge", ["customer", "payment_intent"])


def update(call: Call) -> Json:
    """Change the notes on a charge."""
    before = call.box.need("charge", call.id)
    changes: Json = {
        k: call.params[k] or None for k in ("description", "receipt_email") if k in call.params
    }
    if "metadata" in call.params:
        changes["metadata"] = metadata.merged(before["metadata"], call.params["metadata"])
    after = call.box.store.put({**before, **changes})
    events.emit(call.box, "charge.updated", after, metadata.former(before, after))
    return after


def _outcome(status: str, message: str, kind: str) -> Json:
    return {
        "network_status": status,
        "reason": None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": message,
        "type": kind,
        **nulls("advice_code network_advice_code network_decline_code"),
    }
