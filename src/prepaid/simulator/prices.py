"""Prices: what a quantity of a product costs. Amount and package never change once made."""

from decimal import Decimal

from prepaid.simulator import events, listing, metadata, products
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_LONGEST_LOOKUP_KEY = 200
_AMOUNTS = ("unit_amount", "unit_amount_decimal", "custom_unit_amount")


def create(call: Call) -> Json:
    """Make a price."""
    return make(call.box, call.params)


def make(box: Sandbox, given: Json, *, active: bool = True) -> Json:
    """Make a price from its parameters."""
    _refuse_impossible(given)
    _claim_lookup_key(box, given)
    kind = "recurring" if "recurring" in given else "one_time"
    price: Json = {
        "id": new_id("price"),
        "object": "price",
        "active": given.get("active", active),
        "billing_scheme": given.get("billing_scheme", "per_unit"),
        "created": box.now(),
        "currency": given["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": given.get("lookup_key"),
        "metadata": metadata.merged({}, given.get("metadata")),
        "nickname": given.get("nickname"),
        "product": _product(box, given),
        "recurring": _recurring(given.get("recurring")),
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": given.get("transform_quantity"),
        "type": kind,
        **_amounts(given),
    }
    others = {name: _option(option) for name, option in given.get("currency_options", {}).items()}
    box.store.add(price, {"currency_options": others})
    events.emit(box, "price.created", price)
    return price


def retrieve(call: Call) -> Json:
    """Give one price."""
    return call.box.need("price", call.id)


def listed(call: Call) -> Json:
    """Give a page of prices, which may be asked for by their stable names."""
    keys = call.params.get("lookup_keys")
    where = f"json_extract(body, '$.lookup_key') IN ({', '.join('?' * len(keys))})" if keys else "1"
    fields = ["active", "product", "type", "currency"]
    return listing.page(call, "price", fields, where=where, values=keys or [])


def update(call: Call) -> Json:
    """Change what may change: never the amount, nor a tax behavior that was once decided."""
    before, given = call.box.need("price", call.id), call.params
    decided = before["tax_behavior"] != "unspecified"
    if decided and given.get("tax_behavior", before["tax_behavior"]) != before["tax_behavior"]:
        raise invalid(
            "You cannot modify the tax behavior of a price once it is set.", "tax_behavior"
        )
    _claim_lookup_key(call.box, given)
    changes: Json = {
        k: given[k] or None for k in ("nickname", "lookup_key", "tax_behavior") if k in given
    }
    if "active" in given:
        changes["active"] = given["active"]
    if "metadata" in given:
        changes["metadata"] = metadata.merged(before["metadata"], given["metadata"])
    after = call.box.store.put({**call.box.need("price", call.id), **changes})
    events.emit(call.box, "price.updated", after, metadata.former(before, after))
    return after


def currency_options(box: Sandbox, price: Json) -> Json:
    """The amounts in every currency, the price's own among them: shown when expanded."""
    own = {name: price[name] for name in (*_AMOUNTS, "tax_behavior")}
    return {price["currency"]: own, **box.store.hidden(price["id"])["currency_options"]}


def _refuse_impossible(given: Json) -> None:
    if given.get("billing_scheme") == "tiered":
        raise invalid("The simulator doesn't know tiered prices.", "billing_scheme")
    _refuse_amount(given, "")
    for currency, option in given.get("currency_options", {}).items():
        _refuse_amount(option, f"currency_options[{currency}]")
    if ("product" in given) == ("product_data" in given):
        raise invalid("Specify exactly one of product, product_data.", "product")
    if len(given["currency"]) != 3:  # noqa: PLR2004 - ISO 4217
        raise invalid(f"Invalid currency: {given['currency']}", "currency")
    if given.get("transform_quantity", {}).get("divide_by", 1) < 1:
        raise invalid("Must be greater than or equal to 1.", "transform_quantity[divide_by]")


def _refuse_amount(given: Json, at: str) -> None:
    if unknown := {"tiers", "custom_unit_amount"} & given.keys():
        name = min(unknown)
        raise invalid(f"The simulator doesn't know {name}.", f"{at}[{name}]" if at else name)
    param = f"{at}[unit_amount]" if at else "unit_amount"
    if ("unit_amount" in given) == ("unit_amount_decimal" in given):
        raise invalid("Specify one of unit_amount, unit_amount_decimal.", param)
    if Decimal(str(given.get("unit_amount", given.get("unit_amount_decimal")))) < 0:
        raise invalid("This value must be greater than or equal to 0.", param)


def _amounts(given: Json) -> Json:
    """Both ways to write an amount; a fraction of the minor unit has no ``unit_amount``."""
    exact = Decimal(str(given.get("unit_amount", given.get("unit_amount_decimal"))))
    text = format(exact.normalize(), "f")
    return {"unit_amount": int(exact) if "." not in text else None, "unit_amount_decimal": text}


def _option(given: Json) -> Json:
    behavior = given.get("tax_behavior", "unspecified")
    return {"custom_unit_amount": None, "tax_behavior": behavior, **_amounts(given)}


def _product(box: Sandbox, given: Json) -> str:
    if "product_data" in given:
        data = {k: v for k, v in given["product_data"].items() if k != "tax_details"}
        return str(products.make(box, data)["id"])
    return str(box.need_alive("product", given["product"], "product")["id"])


def _recurring(given: Json | None) -> Json | None:
    usual = {"interval_count": 1, "usage_type": "licensed", **nulls("meter trial_period_days")}
    return None if given is None else {**usual, **given}


def _claim_lookup_key(box: Sandbox, given: Json) -> None:
    """A lookup key names one price; ``transfer_lookup_key`` takes it from the one that has it."""
    key = given.get("lookup_key")
    if not key:
        return
    if len(key) > _LONGEST_LOOKUP_KEY:
        raise invalid(f"lookup_key can have up to {_LONGEST_LOOKUP_KEY} characters.", "lookup_key")
    for holder in box.store.newest_first("price", "json_extract(body, '$.lookup_key') = ?", [key]):
        if not given.get("transfer_lookup_key"):
            sentence = f"A price (`{holder['id']}`) already uses that lookup key."
            raise invalid(sentence, "lookup_key", "resource_already_exists")
        box.store.put({**holder, "lookup_key": None})
