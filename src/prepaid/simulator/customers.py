"""Customers: who buys."""

from prepaid.simulator import events, listing, metadata
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_SETTABLE = [
    "address",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
]


def create(call: Call) -> Json:
    """Make a customer."""
    return make(call.box, call.params)


def make(box: Sandbox, given: Json) -> Json:
    """Make a customer from its parameters."""
    customer: Json = {
        "id": new_id("cus"),
        "object": "customer",
        "balance": given.get("balance", 0),
        "created": box.now(),
        "delinquent": False,
        "invoice_prefix": new_id("inv")[-8:].upper(),
        "invoice_settings": nulls("custom_fields default_payment_method footer rendering_options"),
        "livemode": False,
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **nulls("address currency default_source description discount email name phone shipping"),
        **nulls("test_clock"),
        **_fields(given),
        "metadata": metadata.merged({}, given.get("metadata")),
    }
    box.store.add(customer)
    events.emit(box, "customer.created", customer)
    return customer


def retrieve(call: Call) -> Json:
    """Give one customer. A deleted one is given too, as ``deleted: true`` and nothing else."""
    return call.box.need("customer", call.id)


def listed(call: Call) -> Json:
    """Give a page of customers."""
    return listing.page(call, "customer", ["email"])


def update(call: Call) -> Json:
    """Change what is given."""
    before = call.box.need_alive("customer", call.id, "")
    changes = _fields(call.params)
    if "metadata" in call.params:
        changes["metadata"] = metadata.merged(before["metadata"], call.params["metadata"])
    return change(call.box, before, changes)


def change(box: Sandbox, before: Json, changes: Json) -> Json:
    """Keep changes of a customer, and tell of them if there are any."""
    after = box.store.put({**before, **changes})
    if different := metadata.former(before, after):
        events.emit(box, "customer.updated", after, different)
    return after


def delete(call: Call) -> Json:
    """Delete a customer, for good."""
    customer = call.box.need_alive("customer", call.id, "")
    events.emit(call.box, "customer.deleted", customer)
    return call.box.store.put({"id": call.id, "object": "customer", "deleted": True})


def _fields(given: Json) -> Json:
    found = {name: given[name] or None for name in _SETTABLE if name in given}
    address = found.get("address")
    if address is not None:
        found["address"] = nulls("city country line1 line2 postal_code state") | address
    if "preferred_locales" in found:
        found["preferred_locales"] = found["preferred_locales"] or []
    return found
