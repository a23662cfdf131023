"""Refunds: money back, in part or whole, never more than was paid."""

from prepaid.simulator import balance, cards, events, listing, metadata
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls


def create(call: Call) -> Json:
    """Refund a charge. Parts add up in ``amount_refunded``; the whole makes it ``refunded``."""
    charge = _charge(call.box, call.params)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        sentence = f"Charge {charge['id']} has already been refunded."
        raise invalid(sentence, None, "charge_already_refunded")
    if charge["disputed"] and not _refundable(call.box, charge):
        raise invalid(f"Charge {charge['id']} has been charged back.", None, "charge_disputed")
    amount = call.params.get("amount", left)
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount")
    if amount > left:
        sentence = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(sentence, "amount")
    return _make(call.box, charge, amount, call.params)


def _make(box: Sandbox, charge: Json, amount: int, given: Json) -> Json:
    key = new_id("re")
    source = {"id": key, "currency": charge["currency"]}
    entry = balance.enter(box, "refund", source, -amount)
    course = _course(box, charge)
    refund: Json = {
        **source,
        "object": "refund",
        "amount": amount,
        "balance_transaction": entry["id"],
        "charge": charge["id"],
        "created": box.now(),
        "metadata": metadata.merged({}, given.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": given.get("reason"),
        "status": "pending" if course == "pends" else "succeeded",
        "destination_details": {"type": "card", "card": {"type": "refund"}},
        **nulls("customer pending_reason receipt_number source_transfer_reversal"),
        **nulls("transfer_reversal"),
    }
    if charge["payment_method_details"]["type"] != "card":
        del refund["destination_details"]
    box.store.add(refund)
    changed = _repaid(box, charge, amount)
    events.emit(box, "refund.created", refund)
    events.emit(box, "charge.refunded", changed, metadata.former(charge, changed))
    if course != "succeeds":
        box.later(box.config.delayed_seconds, "refund_end", key)
    return refund


def end(box: Sandbox, key: str) -> None:
    """A refund that took its time succeeds, or comes back."""
    refund = box.need("refund", key)
    if refund["status"] not in {"pending", "succeeded"}:
        return
    charge = box.need("charge", refund["charge"])
    if _course(box, charge) == "fails":
        give_back(box, refund, "failed", failure_reason="unknown")
        return
    after = box.store.put({**refund, "status": "succeeded"})
    events.emit(box, "refund.updated", after, {"status": refund["status"]})


def give_back(box: Sandbox, refund: Json, status: str, **changes: str) -> Json:
    """A refund failed or was cancelled: the money is ours again."""
    entry = balance.enter(box, "refund_failure", refund, refund["amount"])
    _repaid(box, box.need("charge", refund["charge"]), -refund["amount"])
    after = {**refund, **changes, "status": status, "failure_balance_transaction": entry["id"]}
    box.store.put(after)
    events.emit(box, "refund.updated", after, {"status": refund["status"]})
    if status == "failed":
        events.emit(box, "refund.failed", after)
    return after


def retrieve(call: Call) -> Json:
    """Give one refund."""
    return call.box.need("refund", call.id)


def listed(call: Call) -> Json:
    """Give a page of refunds."""
    return listing.page(call, "refund", ["charge", "payment_intent"])


def update(call: Call) -> Json:
    """Change the notes on a refund."""
    before = call.box.need("refund", call.id)
    notes = metadata.merged(before["metadata"], call.params.get("metadata"))
    after = call.box.store.put({**before, "metadata": notes})
    events.emit(call.box, "refund.updated", after, metadata.former(before, after))
    return after


def cancel(call: Call) -> Json:
    """Take a refund back that is not yet paid out."""
    refund = call.box.need("refund", call.id)
    if refund["status"] != "pending":
        raise invalid("Only pending refunds can be canceled.")
    return give_back(call.box, refund, "canceled")


def of_charge(box: Sandbox, charge: Json) -> Json:
    """A charge's refunds, as a list object: shown when expanded."""
    found = box.store.newest_first("refund", "json_extract(body, '$.charge') = ?", [charge["id"]])
    return listing.listed(found, f"/v1/charges/{charge['id']}/refunds")


def _charge(box: Sandbox, given: Json) -> Json:
    if ("charge" in given) == ("payment_intent" in given):
        raise invalid("One of charge, payment_intent is required, and only one.", "charge")
    if "charge" in given:
        return box.need("charge", given["charge"], "charge")
    intent = box.need("payment_intent", given["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise invalid(
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        )
    return box.need("charge", intent["latest_charge"])


def _refundable(box: Sandbox, charge: Json) -> bool:
    where = "json_extract(body, '$.charge') = ?"
    found = box.store.newest_first("dispute", where, [charge["id"]])
    return all(dispute["is_charge_refundable"] for dispute in found)


def _repaid(box: Sandbox, charge: Json, amount: int) -> Json:
    refunded = charge["amount_refunded"] + amount
    whole = refunded == charge["amount"]
    return box.store.put({**charge, "amount_refunded": refunded, "refunded": whole})


def _course(box: Sandbox, charge: Json) -> cards.RefundCourse:
    number = box.store.hidden(charge["payment_method"]).get("number")
    return cards.BY_NUMBER[number].refund if number else "succeeds"
