"""Payment intents: the way of one payment from its first try to its end."""

from prepaid.simulator import cards, charges, disputes, events, listing, metadata, methods
from prepaid.simulator.errors import Refusal, invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_NOTES = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
_CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}


def create(call: Call) -> Json:
    """Make a payment intent, and try it at once if ``confirm`` says so."""
    given = call.params
    if given.get("capture_method") == "manual":
        raise invalid(
            "The simulator captures at once: manual capture is unknown.", "capture_method"
        )
    if customer := given.get("customer"):
        call.box.need_alive("customer", customer, "customer")
    intent = make(call.box, given, call.base_url)
    if key := given.get("payment_method"):
        method = methods.named(call.box, key)
        intent = _moved(call.box, intent, "requires_confirmation", payment_method=method["id"])
    if given.get("confirm"):
        return _confirm(call.box, intent, given)
    return intent


def make(box: Sandbox, given: Json, base_url: str, session: str | None = None) -> Json:
    """Make a payment intent from its parameters. Its receipt will be found below ``base_url``."""
    if given["amount"] < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount")
    key = new_id("pi")
    types = given.get("allowed_payment_method_types") or types_for(given["currency"].lower())
    intent: Json = {
        "id": key,
        "object": "payment_intent",
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": new_id(f"{key}_secret"),
        "confirmation_method": given.get("confirmation_method", "automatic"),
        "created": box.now(),
        "currency": given["currency"].lower(),
        "customer": given.get("customer"),
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata")),
        "payment_method_options": {},
        "payment_method_types": types,
        "setup_future_usage": given.get("setup_future_usage"),
        "status": "requires_payment_method",
        **nulls("application application_fee_amount canceled_at cancellation_reason description"),
        **nulls("last_payment_error latest_charge next_action on_behalf_of payment_method"),
        **nulls("payment_method_configuration_details processing receipt_email review shipping"),
        **nulls("source statement_descriptor statement_descriptor_suffix transfer_data"),
        **nulls("transfer_group"),
        **{name: given[name] for name in _NOTES if given.get(name)},
    }
    box.store.add(intent, {"session": session, "base_url": base_url})
    events.emit(box, "payment_intent.created", intent)
    return intent


def types_for(currency: str) -> list[str]:
    """The methods this account offers in a currency: cards, Link, and one that takes days."""
    delayed = cards.DELAYED_BY_CURRENCY.get(currency)
    return ["card", "link", *([delayed] if delayed else [])]


def attempt(box: Sandbox, intent: Json, method: Json, *, authenticated: bool = False) -> Json:
    """Try to pay. A decline is raised as a Refusal that keeps the failed charge."""
    hidden = box.store.hidden(method["id"])
    intent = {**intent, "payment_method": method["id"], "last_payment_error": None}
    if method["type"] in cards.DELAYED:
        return _wait_for_bank(box, intent, method)
    card = cards.BY_NUMBER[hidden["number"]]
    if card.challenge and not authenticated:
        challenge = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "stripe_3ds2_fingerprint"},
        }
        return _moved(box, intent, "requires_action", next_action=challenge)
    if card.decline is not None:
        raise _declined(box, intent, method, card.decline)
    charge = charges.succeed(box, charges.begin(box, intent, method))
    after = _succeeded(box, intent, charge)
    if card.dispute is not None:
        disputes.open_for(box, charge, card.dispute)
    return after


def fail_authentication(box: Sandbox, intent: Json) -> Refusal:
    """The customer couldn't say who they are: nothing was charged."""
    code, message = (
        "payment_intent_authentication_failure",
        "We are unable to authenticate your payment method.",
    )
    refusal = Refusal(402, message, code=code, kind="card_error", keeps=True)
    _refused(box, intent, refusal.error, None)
    return refusal


def settle(box: Sandbox, key: str) -> Json:
    """A bank debit comes to its end: it succeeds, or fails as the account it debits says."""
    intent = box.need("payment_intent", key)
    charge = box.need("charge", intent["latest_charge"])
    if not box.store.hidden(intent["payment_method"]).get("fails"):
        return _succeeded(box, intent, charges.succeed(box, charge))
    error = {"code": "payment_method_provider_decline", "type": "invalid_request_error"}
    error["message"] = "The bank could not debit the account."
    charges.fail(box, charge, error)
    return _refused(box, intent, error, charge)


def retrieve(call: Call) -> Json:
    """Give one payment intent."""
    return call.box.need("payment_intent", call.id)


def listed(call: Call) -> Json:
    """Give a page of payment intents."""
    return listing.page(call, "payment_intent", ["customer"])


def update(call: Call) -> Json:
    """Change the notes on a payment intent."""
    before = call.box.need("payment_intent", call.id)
    changes = {name: call.params[name] or None for name in _NOTES if name in call.params}
    if "metadata" in call.params:
        changes["metadata"] = metadata.merged(before["metadata"], call.params["metadata"])
    return call.box.store.put({**before, **changes})


def confirm(call: Call) -> Json:
    """Try to pay."""
    return _confirm(call.box, call.box.need("payment_intent", call.id), call.params)


def cancel(call: Call) -> Json:
    """Give a payment up, while that is possible."""
    intent = call.box.need("payment_intent", call.id)
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected(intent, "cancel")
    reason = call.params.get("cancellation_reason")
    return _moved(
        call.box, intent, "canceled", canceled_at=call.box.now(), cancellation_reason=reason
    )


def _confirm(box: Sandbox, intent: Json, given: Json) -> Json:
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected(intent, "confirm")
    key = given.get("payment_method") or intent["payment_method"]
    if key is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method."
        )
    return attempt(box, intent, methods.named(box, key))


def _unexpected(intent: Json, verb: str) -> Refusal:
    sentence = (
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    )
    return invalid(sentence, None, "payment_intent_unexpected_state")


def _wait_for_bank(box: Sandbox, intent: Json, method: Json) -> Json:
    charge = charges.begin(box, intent, method)
    box.later(box.config.delayed_seconds, "settle", intent["id"])
    after = _moved(box, intent, "processing", latest_charge=charge["id"])
    events.emit(box, "charge.pending", charge)
    return after


def _succeeded(box: Sandbox, intent: Json, charge: Json) -> Json:
    paid = {"amount_received": intent["amount"], "latest_charge": charge["id"], "next_action": None}
    return _moved(box, intent, "succeeded", **paid)


def _declined(box: Sandbox, intent: Json, method: Json, reason: str) -> Refusal:
    charge = charges.begin(box, intent, method)
    refusal = methods.declined(reason, charge=charge["id"])
    charges.fail(box, charge, refusal.error)
    failed = _refused(box, intent, {**refusal.error, "payment_method": method}, charge)
    refusal.error |= {"payment_intent": failed, "payment_method": method}
    return refusal


def _refused(box: Sandbox, intent: Json, error: Json, charge: Json | None) -> Json:
    after = box.store.put(
        {
            **intent,
            "last_payment_error": error,
            "latest_charge": charge["id"] if charge else intent["latest_charge"],
            "next_action": None,
            "payment_method": None,
            "status": "requires_payment_method",
        }
    )
    events.emit(box, "payment_intent.payment_failed", after)
    return after


def _moved(box: Sandbox, intent: Json, status: str, **changes: object) -> Json:
    after = box.store.put({**intent, **changes, "status": status})
    if status != "requires_confirmation":
        events.emit(box, f"payment_intent.{status}", after)
    return after
