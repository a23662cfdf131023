"""Payment methods: a test card or a bank account that is debited with delay.

What the real world would decide stands beside the object: ``number`` of a test card, or whether a
debit ``fails``. A number that is no test card's is refused before anything is kept.
"""

import hashlib

from prepaid.simulator import cards, events, listing, metadata
from prepaid.simulator.errors import Refusal, invalid, missing_object
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_ADDRESS = "city country line1 line2 postal_code state"
_BANKS = {"sepa_debit": "iban", "us_bank_account": "account_number", "bacs_debit": "account_number"}


def create(call: Call) -> Json:
    """Make a payment method of a card (its number or a token) or a bank account."""
    return make(call.box, call.params)


def make(box: Sandbox, given: Json) -> Json:
    """Make a payment method from its parameters."""
    kind = given.get("type")
    if kind == "card":
        return _of_card(box, card_of(given.get("card") or {}), given)
    if kind in _BANKS:
        return _of_bank(box, kind, given)
    raise invalid(f"The simulator knows card, {', '.join(_BANKS)}; not {kind}.", "type")


def named(box: Sandbox, key: str, param: str = "payment_method") -> Json:
    """Give a payment method by its id, or a new one by the name of a test card: pm_card_visa."""
    if card := cards.BY_TOKEN.get(key.removeprefix("pm_card_")):
        return _of_card(box, card, {})
    if key == "pm_usBankAccount_success":
        return _of_bank(box, "us_bank_account", {})
    return box.need("payment_method", key, param)


def card_of(given: Json) -> cards.Card:
    """The test card that a number or a token names."""
    if token := given.get("token"):
        card = cards.BY_TOKEN.get(str(token).removeprefix("tok_"))
        if card is None:
            raise missing_object("token", token, "card[token]")
        return card
    number = "".join(str(given.get("number", "")).split())
    if not number:
        raise invalid("Missing required param: card[number].", "card[number]", "parameter_missing")
    if number in cards.BY_NUMBER:
        return cards.BY_NUMBER[number]
    sound = number.isascii() and number.isdigit() and cards.checks_out(number)
    raise declined("test_mode_live_card" if sound else "incorrect_number")


def declined(reason: str, charge: str | None = None) -> Refusal:
    """A 402: the card won't pay. What was done on the way, a failed charge say, is kept."""
    code, message = cards.DECLINES[reason]
    decline_code = reason if code == "card_declined" else None
    more = {"decline_code": decline_code, "charge": charge}
    return Refusal(402, message, code=code, kind="card_error", keeps=True, more=more)


def retrieve(call: Call) -> Json:
    """Give one payment method."""
    return call.box.need("payment_method", call.id)


def listed(call: Call) -> Json:
    """Give a page of a customer's payment methods."""
    return listing.page(call, "payment_method", ["customer", "type"])


def attach(call: Call) -> Json:
    """Give a payment method to a customer."""
    before = named(call.box, call.id, "")
    owner = call.params.get("customer")
    if not owner:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = call.box.need_alive("customer", owner, "customer")
    after = call.box.store.put({**before, "customer": customer["id"]})
    events.emit(call.box, "payment_method.attached", after)
    return after


def detach(call: Call) -> Json:
    """Take a payment method from its customer."""
    before = call.box.need("payment_method", call.id)
    if before["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer.")
    after = call.box.store.put({**before, "customer": None})
    events.emit(call.box, "payment_method.detached", after, {"customer": before["customer"]})
    return after


def details(method: Json) -> Json:
    """How a charge describes the method that paid it."""
    kind = method["type"]
    facts = method[kind]
    if kind != "card":
        return {
            "type": kind,
            kind: {k: v for k, v in facts.items() if k in {"last4", "fingerprint"}},
        }
    kept = [
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
    ]
    more = nulls("installments mandate network_token three_d_secure wallet")
    return {"type": kind, kind: {**{k: facts[k] for k in kept}, **more, "network": facts["brand"]}}


def _of_card(box: Sandbox, card: cards.Card, given: Json) -> Json:
    typed = given.get("card") or {}
    year = typed.get("exp_year") or 2034
    facts: Json = {
        "brand": card.brand,
        "checks": {**nulls("address_line1_check address_postal_code_check"), "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": typed.get("exp_month") or 12,
        "exp_year": year if year > 99 else 2000 + year,  # noqa: PLR2004 - two digits
        "fingerprint": _fingerprint(card.number),
        "funding": "credit",
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        **nulls("generated_from wallet"),
    }
    return _keep(box, "card", facts, given, {"number": card.number})


def _of_bank(box: Sandbox, kind: str, given: Json) -> Json:
    number = str((given.get(kind) or {}).get(_BANKS[kind], "AT611904300234573201")).replace(" ", "")
    facts: Json = {"fingerprint": _fingerprint(number), "last4": number[-4:]}
    if kind == "sepa_debit":
        facts |= {"bank_code": number[4:9], "branch_code": "", "country": number[:2]}
        facts |= nulls("generated_from")
    if kind == "us_bank_account":
        facts |= {"account_holder_type": "individual", "account_type": "checking"}
        facts |= {"bank_name": "STRIPE TEST BANK", "routing_number": "110000000"}
        facts |= nulls("financial_connections_account networks status_details")
    if kind == "bacs_debit":
        facts |= {"sort_code": "108800"}
    return _keep(box, kind, facts, given, {"fails": number in cards.FAILING_ACCOUNTS})


def _keep(box: Sandbox, kind: str, facts: Json, given: Json, hidden: Json) -> Json:
    billing = given.get("billing_details") or {}
    address = nulls(_ADDRESS) | (billing.get("address") or {})
    method: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": given.get("allow_redisplay", "unspecified"),
        "billing_details": {
            **nulls("email name phone tax_id"),
            **{k: v or None for k, v in billing.items()},
            "address": address,
        },
        "created": box.now(),
        "customer": None,
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata")),
        "type": kind,
        kind: facts,
    }
    return box.store.add(method, hidden)


def _fingerprint(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()[:16]
