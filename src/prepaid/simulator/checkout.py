"""Paying a session: the one path that the page, the official CLI and the control plane walk."""

from prepaid.simulator import customers, events, intents, lines, methods, sessions
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, Sandbox
from prepaid.simulator.shapes import Json, nulls


def page(call: Call) -> Json:
    """``GET /v1/payment_pages/{cs}``: what a page shows. The official CLI asks for it first."""
    return view(call.box, sessions.current(call.box, call.id))


def confirm(call: Call) -> Json:
    """``POST /v1/payment_pages/{cs}/confirm``: pay with a payment method."""
    box, given = call.box, call.params
    session = sessions.current(box, call.id)
    method = methods.named(box, given["payment_method"])
    return view(box, pay(box, session, method, given.get("expected_amount")))


def pay(box: Sandbox, session: Json, method: Json, expected: int | None = None) -> Json:
    """Pay an open session. A decline is raised, and the session stays open."""
    _must_be_open(session)
    if method["type"] not in session["payment_method_types"]:
        sentence = f"The payment method type {method['type']} is not allowed for this session."
        raise invalid(sentence, "payment_method")
    bill = _bill(box, session)
    if expected is not None and expected != bill["amount_total"]:
        sentence = f"The expected amount {expected} is not the amount due, {bill['amount_total']}."
        raise invalid(sentence, "expected_amount", "checkout_amount_mismatch")
    if bill["amount_total"] == 0:
        return _complete(box, session, bill, method, None)
    intent = intents.attempt(box, _intent(box, session, bill), method)
    return _after(box, session, bill, method, intent)


def challenge(box: Sandbox, session: Json, *, accepted: bool) -> Json:
    """The customer answers the bank's question (3-D Secure)."""
    _must_be_open(session)
    intent = box.need("payment_intent", box.store.hidden(session["id"]).get("attempt", ""))
    if intent["status"] != "requires_action":
        raise invalid("There is no challenge to answer.")
    if not accepted:
        raise intents.fail_authentication(box, intent)
    method = box.need("payment_method", intent["payment_method"])
    intent = intents.attempt(box, intent, method, authenticated=True)
    return _after(box, session, _bill(box, session), method, intent)


def settle(box: Sandbox, intent_id: str) -> None:
    """A bank debit ends, days later at Stripe: the session is told of it."""
    intent = intents.settle(box, intent_id)
    key = box.store.hidden(intent_id)["session"]
    if key is None:
        return
    session = box.need("checkout.session", key)
    if intent["status"] == "succeeded":
        after = box.store.put({**session, "payment_status": "paid"})
        events.emit(box, "checkout.session.async_payment_succeeded", after)
    else:
        events.emit(box, "checkout.session.async_payment_failed", session)


def view(box: Sandbox, session: Json) -> Json:
    """A payment page, as the official CLI and our own page read it."""
    attempt = box.store.hidden(session["id"]).get("attempt", "")
    bill = _bill(box, session) if session["status"] == "open" else session
    return {
        "id": session["id"].replace("cs_test_", "ppage_"),
        "object": "checkout.payment_page",
        "session_id": session["id"],
        "currency": session["currency"],
        "livemode": False,
        "payment_intent": box.store.get(attempt),
        "payment_method_types": session["payment_method_types"],
        "payment_status": session["payment_status"],
        "status": session["status"],
        "total_summary": {
            "due": bill["amount_total"],
            "subtotal": bill["amount_subtotal"],
            "tax": bill["total_details"]["amount_tax"],
            "total": bill["amount_total"],
        },
    }


def _must_be_open(session: Json) -> None:
    if session["status"] == "complete":
        raise invalid("This Checkout Session has already been paid.", None, "checkout_not_open")
    if session["status"] != "open":
        raise invalid("This Checkout Session is no longer active.", None, "checkout_not_open")


def _bill(box: Sandbox, session: Json) -> Json:
    """The sums once the buyer's address is known, which is when tax is."""
    bought = box.store.hidden(session["id"])["lines"]
    if session["automatic_tax"]["enabled"]:
        bought = lines.taxed(bought)
    return {"lines": bought, **lines.totals(bought)}


def _intent(box: Sandbox, session: Json, bill: Json) -> Json:
    """The payment intent of the last try, or a new one."""
    hidden = box.store.hidden(session["id"])
    if "attempt" in hidden:
        return box.need("payment_intent", hidden["attempt"])
    given: Json = {
        **hidden.get("payment_intent_data", {}),
        "amount": bill["amount_total"],
        "currency": session["currency"],
        "customer": session["customer"],
        "allowed_payment_method_types": session["payment_method_types"],
    }
    intent = intents.make(box, given, hidden["base_url"], session["id"])
    box.store.put(session, {**hidden, "attempt": intent["id"]})
    return intent


def _after(box: Sandbox, session: Json, bill: Json, method: Json, intent: Json) -> Json:
    if intent["status"] == "requires_action":
        return session
    return _complete(box, session, bill, method, intent)


def _complete(box: Sandbox, session: Json, bill: Json, method: Json, intent: Json | None) -> Json:
    """The session is done. A bank debit leaves it unpaid until the money has come."""
    paid = {None: "no_payment_required", "succeeded": "paid"}
    status = paid.get(intent["status"] if intent else None, "unpaid")
    tax = session["automatic_tax"]
    customer = _customer(box, session, method)
    after: Json = {
        **session,
        **{name: bill[name] for name in ("amount_subtotal", "amount_total", "total_details")},
        "automatic_tax": {**tax, "status": "complete"} if tax["enabled"] else tax,
        "client_secret": None,
        "customer": customer["id"] if customer else None,
        "customer_details": _details(session, method, customer),
        "payment_intent": intent["id"] if intent else None,
        "payment_status": status,
        "status": "complete",
        "url": None,
    }
    box.store.put(after, {**box.store.hidden(session["id"]), "lines": bill["lines"]})
    events.emit(box, "checkout.session.completed", after)
    return after


def _customer(box: Sandbox, session: Json, method: Json) -> Json | None:
    """The buyer's customer: given, made now, or none (a guest)."""
    billing = method["billing_details"]
    if session["customer"] is None:
        if session["customer_creation"] != "always":
            return None
        found = {k: billing[k] for k in ("address", "name", "phone") if billing[k]}
        return customers.make(box, {**found, "email": _email(session, method, None)})
    customer = box.store.get(session["customer"], "customer")
    if customer is None or customer.get("deleted"):
        return None
    asked = box.store.hidden(session["id"]).get("customer_update", {})
    changes = {k: billing[k] for k in ("address", "name") if asked.get(k) == "auto" and billing[k]}
    return customers.change(box, customer, changes) if changes else customer


def _details(session: Json, method: Json, customer: Json | None) -> Json:
    billing = method["billing_details"]
    return {
        "address": billing["address"],
        "email": _email(session, method, customer),
        "name": billing["name"] or (customer or {}).get("name"),
        "phone": billing["phone"],
        "tax_exempt": "none",
        "tax_ids": [],
        **nulls("business_name individual_name"),
    }


def _email(session: Json, method: Json, customer: Json | None) -> str | None:
    known = (customer or {}).get("email") or session["customer_email"]
    email: str | None = known or method["billing_details"]["email"]
    return email


def pay_as(box: Sandbox, session: Json, typed: Json, key: str | None = None) -> Json:
    """Pay as the page does: a payment method of what was typed, or one that is there already."""
    return pay(box, session, methods.named(box, key) if key else methods.make(box, typed))
