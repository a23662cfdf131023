"""Disputes: a cardholder asks about a charge (an inquiry), or takes the money back."""

import stripe

from prepaid.simulator import balance, events, listing, metadata
from prepaid.simulator.annotations import fields
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_FEE = 1500
_DUE_SECONDS = 7 * 86400
_CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
_WINS, _LOSES = "winning_evidence", "losing_evidence"


def open_for(box: Sandbox, charge: Json, why: str) -> Json:
    """Open a dispute. ``inquiry`` moves no money; anything else withdraws the amount and a fee."""
    inquiry, reason = why == "inquiry", "fraudulent" if why == "inquiry" else why
    key = new_id("du")
    dispute: Json = {
        "id": key,
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": box.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(fields(stripe.Dispute.Evidence)), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": box.now() + _DUE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": _CODES.get(reason, "10.4"),
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
        **nulls("intended_submission_method payment_method_details"),
    }
    if not inquiry:
        taken = balance.enter(box, "adjustment", dispute, -charge["amount"], _FEE)
        dispute["balance_transactions"] = [taken]
    box.store.add(dispute)
    box.store.put({**box.need("charge", charge["id"]), "disputed": True})
    events.emit(box, "charge.dispute.created", dispute)
    if not inquiry:
        events.emit(box, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def retrieve(call: Call) -> Json:
    """Give one dispute."""
    return call.box.need("dispute", call.id)


def listed(call: Call) -> Json:
    """Give a page of disputes."""
    return listing.page(call, "dispute", ["charge", "payment_intent"])


def update(call: Call) -> Json:
    """Add evidence. As at Stripe, ``winning_evidence`` and ``losing_evidence`` decide at once."""
    box, before = call.box, call.box.need("dispute", call.id)
    given = call.params.get("evidence") or {}
    evidence = {**before["evidence"], **{k: v or None for k, v in given.items()}}
    evidence["enhanced_evidence"] = evidence["enhanced_evidence"] or {}
    notes = metadata.merged(before["metadata"], call.params.get("metadata"))
    after = box.store.put({**before, "evidence": evidence, "metadata": notes})
    if given and call.params.get("submit", True):
        return _submitted(box, after)
    events.emit(box, "charge.dispute.updated", after, metadata.former(before, after))
    return after


def close(call: Call) -> Json:
    """Accept a dispute: it is lost, and an inquiry is closed."""
    dispute = call.box.need("dispute", call.id)
    inquiry = dispute["status"].startswith("warning_")
    return decide(call.box, dispute, "warning_closed" if inquiry else "lost")


def decide(box: Sandbox, dispute: Json, status: str) -> Json:
    """End a dispute. One that is won brings the amount back."""
    if dispute["status"] in {"won", "lost", "warning_closed"}:
        raise invalid("This dispute is already closed.", None, "dispute_closed")
    after = {**dispute, "status": status}
    if status == "won":
        back = balance.enter(box, "adjustment", dispute, dispute["amount"], -_FEE)
        after["balance_transactions"] = [*dispute["balance_transactions"], back]
    box.store.put(after)
    if status == "won":
        events.emit(box, "charge.dispute.funds_reinstated", after)
    events.emit(box, "charge.dispute.closed", after, {"status": dispute["status"]})
    return after


def _submitted(box: Sandbox, dispute: Json) -> Json:
    inquiry = dispute["status"].startswith("warning_")
    details = {**dispute["evidence_details"], "has_evidence": True, "submission_method": "manual"}
    details["submission_count"] += 1
    status = "warning_under_review" if inquiry else "under_review"
    after = box.store.put({**dispute, "evidence_details": details, "status": status})
    events.emit(box, "charge.dispute.updated", after, metadata.former(dispute, after))
    verdict = after["evidence"]["uncategorized_text"]
    if verdict == _WINS:
        return decide(box, after, "warning_closed" if inquiry else "won")
    if verdict == _LOSES:
        return decide(box, after, "warning_closed" if inquiry else "lost")
    return after
