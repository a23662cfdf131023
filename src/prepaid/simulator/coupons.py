"""Coupons: what is taken off the price."""

from prepaid.simulator import events, listing, metadata
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Call, new_id
from prepaid.simulator.shapes import Json


def create(call: Call) -> Json:
    """Make a coupon of a percentage or an amount."""
    given = call.params
    if ("percent_off" in given) == ("amount_off" in given):
        raise invalid("Specify one of percent_off, amount_off.", "percent_off")
    if "amount_off" in given and "currency" not in given:
        raise invalid("Missing required param: currency.", "currency", "parameter_missing")
    if not 0 < given.get("percent_off", 100) <= 100:  # noqa: PLR2004 - per cent
        raise invalid("percent_off must be more than 0 and at most 100.", "percent_off")
    if given.get("amount_off", 1) < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount_off")
    key = given.get("id") or new_id("cpn")[4:12]
    if call.box.store.get(key):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    percent = given.get("percent_off")
    coupon: Json = {
        "id": key,
        "object": "coupon",
        "amount_off": given.get("amount_off"),
        "created": call.box.now(),
        "currency": given.get("currency"),
        "duration": given.get("duration", "once"),
        "duration_in_months": given.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": given.get("max_redemptions"),
        "metadata": metadata.merged({}, given.get("metadata")),
        "name": given.get("name"),
        "percent_off": None if percent is None else float(percent),
        "redeem_by": given.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    call.box.store.add(coupon)
    events.emit(call.box, "coupon.created", coupon)
    return coupon


def retrieve(call: Call) -> Json:
    """Give one coupon."""
    return call.box.need("coupon", call.id)


def listed(call: Call) -> Json:
    """Give a page of coupons."""
    return listing.page(call, "coupon")


def delete(call: Call) -> Json:
    """Delete a coupon; what it was used on stays as it is."""
    coupon = call.box.need_alive("coupon", call.id, "")
    events.emit(call.box, "coupon.deleted", coupon)
    return call.box.store.put({"id": call.id, "object": "coupon", "deleted": True})
