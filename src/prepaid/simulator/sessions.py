"""Checkout sessions: one visit to the till.

``client_secret`` and ``url`` are null once a session is over. ``payment_intent`` is null until it
is paid. The lines are no part of the session: they are shown when expanded.
"""

from stripe.checkout import Session

from prepaid.simulator import contract, events, lines, listing, metadata, session_rules
from prepaid.simulator.errors import invalid
from prepaid.simulator.intents import types_for
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_DAY = 86400
_LENGTHS = (30 * 60, _DAY)
_AS_GIVEN = [
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "consent_collection",
    "customer_email",
    "integration_identifier",
    "locale",
    "optional_items",
    "origin_context",
    "permissions",
    "return_url",
    "saved_payment_method_options",
    "shipping_address_collection",
    "submit_type",
    "success_url",
    "wallet_options",
    "allowed_payment_method_types",
    "excluded_payment_method_types",
]


def create(call: Call) -> Json:
    """Open a session."""
    box, given = call.box, call.params
    session_rules.check(box, given)
    coupon = _coupon(box, given)
    wanted = lines.discounted(lines.read(box, given), coupon)
    key = new_id("cs_test")
    page_secret = new_id(f"{key}_secret")
    mode = given.get("ui_mode", "hosted_page")
    opened: Json = {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": given.get("adaptive_pricing", {}).get("enabled", True)},
        "automatic_tax": _automatic_tax(given),
        "client_secret": page_secret,
        "created": box.now(),
        "currency": wanted[0]["currency"],
        "custom_fields": [session_rules.custom_field(f) for f in given.get("custom_fields", [])],
        "custom_text": _custom_text(given),
        "customer": given.get("customer"),
        "customer_creation": _customer_creation(given),
        "discounts": given.get("discounts") and _discounts(given["discounts"]),
        "expires_at": _expires_at(box, given),
        "invoice_creation": _invoice_creation(given),
        "livemode": False,
        "metadata": metadata.merged({}, given.get("metadata")),
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": _method_options(given),
        "payment_method_types": _types(given, wanted[0]["currency"]),
        "payment_status": "unpaid",
        "phone_number_collection": {
            "enabled": given.get("phone_number_collection", {}).get("enabled", False)
        },
        "shipping_options": [],
        "status": "open",
        "ui_mode": mode,
        "url": None,
        **nulls("after_expiration allow_promotion_codes billing_address_collection cancel_url"),
        **nulls("branding_settings client_reference_id collected_information consent"),
        **nulls("consent_collection currency_conversion customer_details customer_email invoice"),
        **nulls("locale origin_context payment_intent payment_link permissions"),
        **nulls("payment_method_configuration_details recovered_from return_url"),
        **nulls("saved_payment_method_options setup_intent shipping_address_collection"),
        **nulls("shipping_cost submit_type subscription success_url wallet_options"),
        **contract.showable(Session, {name: given[name] for name in _AS_GIVEN if name in given}),
        **session_rules.nested(given),
        **lines.totals(wanted),
    }
    if not opened["discounts"]:
        opened["discounts"] = []
    if mode in {"embedded_page", "elements", "form"}:
        opened["redirect_on_completion"] = given.get("redirect_on_completion", "always")
    else:  # a hosted page has a URL, and no secret for a page of one's own
        opened["client_secret"] = None
        opened["url"] = f"{call.base_url}/_simulator/checkout/{key}#client_secret={page_secret}"
    session_rules.check_amount(opened)
    kept = {"lines": wanted, "page_secret": page_secret, "base_url": call.base_url}
    kept |= {
        name: given[name] for name in ("payment_intent_data", "customer_update") if name in given
    }
    return box.store.add(opened, kept)


def retrieve(call: Call) -> Json:
    """Give one session, expired if its time is over."""
    return current(call.box, call.id)


def current(box: Sandbox, key: str, param: str | None = None) -> Json:
    """A session as it is at this moment."""
    session = box.need("checkout.session", key, param)
    if session["status"] == "open" and session["expires_at"] <= box.now():
        return end(box, session)
    return session


def listed(call: Call) -> Json:
    """Give a page of sessions."""
    for session in overdue(call.box):
        end(call.box, session)
    where, values = "1", []
    if email := call.params.get("customer_details", {}).get("email"):
        where, values = "json_extract(body, '$.customer_details.email') = ?", [email]
    fields = ["customer", "payment_intent", "status", "payment_link", "subscription"]
    return listing.page(call, "checkout.session", fields, where=where, values=values)


def overdue(box: Sandbox) -> list[Json]:
    """The open sessions whose time is over."""
    where = "json_extract(body, '$.status') = 'open' AND json_extract(body, '$.expires_at') <= ?"
    return box.store.newest_first("checkout.session", where, [box.now()])


def update(call: Call) -> Json:
    """Change the notes on a session."""
    before = current(call.box, call.id)
    if unknown := call.params.keys() - {"metadata"}:
        raise invalid(f"The simulator doesn't update {', '.join(sorted(unknown))}.", min(unknown))
    notes = metadata.merged(before["metadata"], call.params.get("metadata"))
    return call.box.store.put({**before, "metadata": notes})


def expire(call: Call) -> Json:
    """Close a session before its time."""
    session = current(call.box, call.id)
    if session["status"] != "open":
        sentence = 'Only Checkout Sessions with a status in ["open"] can be expired. '
        raise invalid(f"{sentence}This Checkout Session has a status of {session['status']}.")
    return end(call.box, session)


def end(box: Sandbox, session: Json) -> Json:
    """A session is over and nothing was bought."""
    after = box.store.put({**session, "client_secret": None, "status": "expired", "url": None})
    events.emit(box, "checkout.session.expired", after)
    return after


def line_items(call: Call) -> Json:
    """Give a page of a session's lines."""
    session = current(call.box, call.id)
    return listing.of(call.box.store.hidden(session["id"])["lines"], call)


def expanded_lines(box: Sandbox, session: Json) -> Json:
    """A session's first lines, as a list object: shown when expanded."""
    found = box.store.hidden(session["id"])["lines"]
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return listing.listed(found[:10], url, more=len(found) > 10)  # noqa: PLR2004 - Stripe's page


def _types(given: Json, currency: str) -> list[str]:
    allowed = given.get("allowed_payment_method_types") or types_for(currency)
    refused = given.get("excluded_payment_method_types") or []
    return [kind for kind in allowed if kind not in refused]


def _method_options(given: Json) -> Json:
    """A request may say more of a method than a session tells."""
    shown = contract.showable(Session.PaymentMethodOptions, given.get("payment_method_options", {}))
    if "card" in shown:
        shown["card"] = {"request_three_d_secure": "automatic", **shown["card"]}
    return shown


def _automatic_tax(given: Json) -> Json:
    """Before the buyer's address is known there is no tax to tell."""
    if not given.get("automatic_tax", {}).get("enabled"):
        return {"enabled": False, **nulls("liability provider status")}
    return {
        "enabled": True,
        "liability": {"type": "self"},
        "provider": "stripe",
        "status": "requires_location_inputs",
    }


def _custom_text(given: Json) -> Json:
    usual = nulls("after_submit shipping_address submit terms_of_service_acceptance")
    return usual | {k: v or None for k, v in given.get("custom_text", {}).items()}


def _customer_creation(given: Json) -> str | None:
    return None if given.get("customer") else given.get("customer_creation", "if_required")


def _invoice_creation(given: Json) -> Json:
    asked = given.get("invoice_creation", {})
    usual: Json = {
        "metadata": {},
        **nulls("account_tax_ids custom_fields description footer issuer rendering_options"),
    }
    invoice_data = usual | {k: v or None for k, v in asked.get("invoice_data", {}).items()}
    invoice_data["metadata"] = invoice_data["metadata"] or {}
    return {"enabled": asked.get("enabled", False), "invoice_data": invoice_data}


def _discounts(given: list[Json]) -> list[Json]:
    return [
        {"coupon": one.get("coupon"), "promotion_code": one.get("promotion_code")} for one in given
    ]


def _coupon(box: Sandbox, given: Json) -> Json | None:
    for discount in given.get("discounts") or []:
        if "coupon" not in discount:
            raise invalid("The simulator knows coupons only.", "discounts[0]")
        return box.need_alive("coupon", discount["coupon"], "discounts[0][coupon]")
    return None


def _expires_at(box: Sandbox, given: Json) -> int:
    moment: int = given.get("expires_at", box.now() + _DAY)
    least, most = _LENGTHS
    if not box.now() + least - 60 <= moment <= box.now() + most + 60:
        sentence = "The `expires_at` timestamp must be 30 minutes to 24 hours from creation."
        raise invalid(sentence, "expires_at")
    return moment
