"""The lines of a checkout session: what is bought, and the sums over it."""

from decimal import ROUND_HALF_UP, Decimal

from prepaid.simulator import prices, pricing
from prepaid.simulator.errors import invalid
from prepaid.simulator.sandbox import Sandbox, new_id
from prepaid.simulator.shapes import Json

_MOST = 100


def read(box: Sandbox, given: Json) -> list[Json]:
    """Make the lines of a session from its parameters."""
    asked = given.get("line_items") or []
    if not asked:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    if len(asked) > _MOST:
        raise invalid(f"A session can have up to {_MOST} line items.", "line_items")
    currency = given.get("currency", "").lower() or None
    lines = [_line(box, one, f"line_items[{i}]", currency) for i, one in enumerate(asked)]
    if len({line["currency"] for line in lines}) > 1:
        raise invalid("All prices of a session must have the same currency.", "line_items")
    return lines


def discounted(lines: list[Json], coupon: Json | None) -> list[Json]:
    """Spread a coupon over the lines, in proportion; the last line takes the rest."""
    if coupon is None:
        return lines
    if coupon["amount_off"] is not None and coupon["currency"] != lines[0]["currency"]:
        raise invalid("The coupon is in another currency than the session.", "discounts[0][coupon]")
    whole = sum(line["amount_subtotal"] for line in lines)
    off = left = pricing.discount_on(whole, coupon)
    after = []
    for line in lines[:-1]:
        part = _share(off, line["amount_subtotal"], whole)
        after.append(_summed({**line, "amount_discount": part}))
        left -= part
    return [*after, _summed({**lines[-1], "amount_discount": left})]


def taxed(lines: list[Json]) -> list[Json]:
    """Add the simulated tax to lines; a price that doesn't say is taxed on top."""
    return [_summed({**line, "amount_tax": _tax(line)}) for line in lines]


def totals(lines: list[Json]) -> Json:
    """The sums of a session. ``amount_subtotal`` is before discounts and tax on top."""

    def total(field: str) -> int:
        return sum(line[field] for line in lines)

    return {
        "amount_subtotal": total("amount_subtotal"),
        "amount_total": total("amount_total"),
        "total_details": {
            "amount_discount": total("amount_discount"),
            "amount_shipping": 0,
            "amount_tax": total("amount_tax"),
        },
    }


def _line(box: Sandbox, given: Json, at: str, currency: str | None) -> Json:
    price = _price(box, given, at)
    quantity = given.get("quantity")
    if quantity is None or quantity < 1:
        sentence = "Quantity is required. Add `quantity` to `line_items`, 1 or more."
        raise invalid(sentence, f"{at}[quantity]")
    charged = _in_currency(box, price, currency, at)
    product = box.need("product", price["product"])
    line: Json = {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": _adjustable(given.get("adjustable_quantity")),
        "amount_discount": 0,
        "amount_subtotal": pricing.line_amount(charged, quantity),
        "amount_tax": 0,
        "amount_total": 0,
        "currency": charged["currency"],
        "description": product["name"],
        "metadata": given.get("metadata") or {},
        "price": price,
        "quantity": quantity,
    }
    return _summed(line)


def _price(box: Sandbox, given: Json, at: str) -> Json:
    if ("price" in given) == ("price_data" in given):
        raise invalid(f"Specify exactly one of {at}[price], {at}[price_data].", at)
    if "price_data" in given:  # an ad-hoc price is made, and is not active for others
        price = prices.make(box, given["price_data"], active=False)
    else:
        price = box.need("price", given["price"], f"{at}[price]")
        if not price["active"]:
            sentence = f"This field only accepts active prices; {price['id']} is inactive."
            raise invalid(sentence, f"{at}[price]")
    if price["type"] == "recurring":
        sentence = (
            "You specified `payment` mode but passed a recurring price. Use one-time prices only."
        )
        raise invalid(sentence, f"{at}[price]")
    return price


def _in_currency(box: Sandbox, price: Json, currency: str | None, at: str) -> Json:
    if currency in {None, price["currency"]}:
        return price
    option = prices.currency_options(box, price).get(currency)
    if option is None:
        raise invalid(
            f"The price `{price['id']}` only supports `{price['currency']}`.", f"{at}[price]"
        )
    return {**price, **option, "currency": currency}


def _adjustable(given: Json | None) -> Json | None:
    if not given or not given["enabled"]:
        return None
    return {"minimum": 0, "maximum": 99, **given}


def _tax(line: Json) -> int:
    return pricing.tax_on(
        line["amount_subtotal"] - line["amount_discount"], line["price"]["tax_behavior"]
    )


def _summed(line: Json) -> Json:
    on_top = 0 if line["price"]["tax_behavior"] == "inclusive" else line["amount_tax"]
    total = line["amount_subtotal"] - line["amount_discount"] + on_top
    return {**line, "amount_total": total}


def _share(off: int, part: int, whole: int) -> int:
    if whole == 0:
        return 0
    return int((Decimal(off) * part / whole).quantize(Decimal(1), ROUND_HALF_UP))
