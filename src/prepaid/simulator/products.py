"""Products: what is sold."""

from prepaid.simulator import events, listing, metadata
from prepaid.simulator.contract import empty
from prepaid.simulator.errors import from_breach, invalid
from prepaid.simulator.sandbox import Call, Sandbox, new_id
from prepaid.simulator.shapes import Json, nulls

_SETTABLE = [
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
]


def create(call: Call) -> Json:
    """Make a product, and its default price if ``default_price_data`` describes one."""
    product = make(call.box, call.params)
    if described := call.params.get("default_price_data"):
        # Imported here, for a price may make a product and a product a price.
        from prepaid.simulator import prices  # noqa: PLC0415

        price = prices.make(call.box, {**described, "product": product["id"]})
        product = call.box.store.put({**product, "default_price": price["id"]})
    return product


def make(box: Sandbox, given: Json) -> Json:
    """Make a product from its parameters."""
    key = given.get("id") or new_id("prod")
    if box.store.get(key):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product: Json = {
        "id": key,
        "object": "product",
        "active": True,
        "created": box.now(),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "type": "service",
        "updated": box.now(),
        **nulls("default_price description package_dimensions shippable statement_descriptor"),
        **nulls("tax_code unit_label url"),
        **{name: given[name] for name in (*_SETTABLE, "type") if name in given},
        "metadata": metadata.merged({}, given.get("metadata")),
    }
    box.store.add(product)
    events.emit(box, "product.created", product)
    return product


def retrieve(call: Call) -> Json:
    """Give one product."""
    return call.box.need("product", call.id)


def listed(call: Call) -> Json:
    """Give a page of products."""
    ids = call.params.get("ids")
    where = f"id IN ({', '.join('?' * len(ids))})" if ids else "1"
    return listing.page(call, "product", ["active", "url"], where=where, values=ids or [])


def update(call: Call) -> Json:
    """Change what may change."""
    before = call.box.need("product", call.id)
    if call.params.get("name") == "":
        raise from_breach(empty("name"))
    changes: Json = {name: call.params[name] or None for name in _SETTABLE if name in call.params}
    for name in ("images", "marketing_features"):
        if name in changes:
            changes[name] = changes[name] or []
    if "active" in call.params:
        changes["active"] = call.params["active"]
    if price := call.params.get("default_price"):
        changes["default_price"] = call.box.need("price", price, "default_price")["id"]
    if "metadata" in call.params:
        changes["metadata"] = metadata.merged(before["metadata"], call.params["metadata"])
    after = call.box.store.put({**before, **changes, "updated": call.box.now()})
    events.emit(call.box, "product.updated", after, metadata.former(before, after))
    return after


def delete(call: Call) -> Json:
    """Delete a product that has no price; one that has can only be archived."""
    product = call.box.need("product", call.id)
    if call.box.store.newest_first("price", "json_extract(body, '$.product') = ?", [call.id]):
        raise invalid("This product cannot be deleted because it has one or more prices.")
    events.emit(call.box, "product.deleted", product)
    gone = {"id": call.id, "object": "product", "deleted": True}
    return call.box.store.put(gone)
