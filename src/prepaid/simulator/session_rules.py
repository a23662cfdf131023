"""What a session may ask for: which parameters go together, and what the simulator doesn't know."""

from prepaid.simulator import pricing
from prepaid.simulator.cards import DELAYED
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json, nulls

_EMBEDDED = frozenset({"embedded_page", "elements", "form"})
_UNKNOWN = ("shipping_options", "setup_intent_data", "subscription_data", "payment_method_data")
_MOST_CUSTOM_FIELDS = 3
KNOWN_METHODS = frozenset({"card", "link", *DELAYED})


def check(box: Sandbox, given: Json) -> None:
    """Refuse what Stripe would refuse, in the order in which a reader would ask."""
    _check_mode(given)
    _check_return(given)
    _check_customer(box, given)
    for name in _UNKNOWN:
        if name in given:
            raise invalid(f"The simulator doesn't know {name}.", name)
    if len(given.get("custom_fields", [])) > _MOST_CUSTOM_FIELDS:
        raise invalid("A session can have up to 3 custom fields.", "custom_fields")
    for n, field in enumerate(given.get("custom_fields", [])):
        if field["type"] == "dropdown" and "dropdown" not in field:
            at = f"custom_fields[{n}][dropdown]"
            raise invalid(f"Missing required param: {at}.", at, "parameter_missing")
    if len(given.get("discounts") or []) > 1:
        raise invalid("A session can have one discount.", "discounts")
    if given.get("discounts") and given.get("allow_promotion_codes"):
        raise invalid("You may only specify one of: allow_promotion_codes, discounts.", "discounts")


def check_amount(session: Json) -> None:
    """Refuse an amount that is too small to charge. Nothing at all is allowed: it is a gift."""
    total, currency = session["amount_total"], session["currency"]
    least = pricing.least_charge(currency)
    if 0 < total < least:
        sentence = f"The Checkout Session's total amount must be at least {least} ({currency})."
        raise invalid(sentence, None, "amount_too_small")


def custom_field(given: Json) -> Json:
    """A field that the page asks for, before it is filled in."""
    kind = given["type"]
    empty: Json = {"default_value": None, "value": None}
    if kind != "dropdown":
        empty |= nulls("maximum_length minimum_length")
    return {
        "key": given["key"],
        "label": {"custom": None, **given["label"]},
        "optional": given.get("optional", False),
        "type": kind,
        kind: {**empty, **given.get(kind, {})},
    }


def nested(given: Json) -> Json:
    """Parameters whose place in the session has a shape of its own."""
    found: Json = {}
    if "allow_promotion_codes" in given:
        found["allow_promotion_codes"] = given["allow_promotion_codes"]
    if recovery := given.get("after_expiration", {}).get("recovery"):
        usual = {"allow_promotion_codes": False, **nulls("expires_at url")}
        found["after_expiration"] = {"recovery": {**usual, **recovery}}
    if "branding_settings" in given:
        found["branding_settings"] = _branding(given["branding_settings"])
    if "name_collection" in given:
        asked = given["name_collection"]
        found["name_collection"] = {who: {"optional": False, **asked[who]} for who in asked}
    if "tax_id_collection" in given:
        found["tax_id_collection"] = {"required": "never", **given["tax_id_collection"]}
    if "managed_payments" in given:
        found["managed_payments"] = {"enabled": given["managed_payments"].get("enabled", False)}
    return found


def _branding(given: Json) -> Json:
    usual: Json = {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#0074d4",
        "display_name": "Stripe simulator",
        "font_family": "default",
        **nulls("icon logo"),
    }
    return usual | {name: value for name, value in given.items() if value}


def _check_mode(given: Json) -> None:
    if "mode" not in given:
        raise invalid("Missing required param: mode.", "mode", "parameter_missing")
    if given["mode"] != "payment":
        raise invalid(f"The simulator only knows payment mode, not {given['mode']}.", "mode")


def _check_return(given: Json) -> None:
    """Where the buyer goes afterwards depends on whose page shows the form."""
    mode = given.get("ui_mode", "hosted_page")
    refused = (
        ("success_url", "cancel_url")
        if mode in _EMBEDDED
        else ("return_url", "redirect_on_completion")
    )
    for name in refused:
        if name in given:
            raise invalid(f"You can not pass `{name}` when `ui_mode` is `{mode}`.", name)
    never = given.get("redirect_on_completion") == "never"
    if never and "return_url" in given:
        sentence = "You can not pass `return_url` when `redirect_on_completion` is `never`."
        raise invalid(sentence, "return_url")
    if mode in _EMBEDDED and not never and "return_url" not in given:
        sentence = f"Missing required param: return_url. It is needed when `ui_mode` is `{mode}`."
        raise invalid(sentence, "return_url", "parameter_missing")


def _check_customer(box: Sandbox, given: Json) -> None:
    customer = given.get("customer")
    if customer is None:
        if "customer_update" in given:
            raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
        return
    found = box.need_alive("customer", customer, "customer")
    for name in ("customer_email", "customer_creation"):
        if name in given:
            raise invalid(f"You may only specify one of these parameters: customer, {name}.", name)
    placed = found["address"] or given.get("customer_update", {}).get("address") == "auto"
    if given.get("automatic_tax", {}).get("enabled") and not placed:
        sentence = (
            "Automatic tax calculation in Checkout requires a valid address on the Customer. "
        )
        hint = "Add one, or set `customer_update[address]` to `auto`."
        raise invalid(sentence + hint, None, "customer_tax_location_invalid")
