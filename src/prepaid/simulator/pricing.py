"""The arithmetic of prices: packages, line amounts, discounts and the simulated tax.

All amounts are integers in the currency's minor unit.
"""

from decimal import ROUND_HALF_UP, Decimal

from prepaid.simulator.shapes import Json

TAX_PERCENT = 20  # where automatic tax is on; real Stripe Tax knows the buyer's place, this doesn't

ZERO_DECIMAL = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
_LEAST = {"gbp": 30, "jpy": 50, "krw": 100, "chf": 50, "sek": 300, "nok": 300, "dkk": 250}
_USUAL_LEAST = 50  # about half a US dollar


def least_charge(currency: str) -> int:
    """The least that can be charged in a currency."""
    return _LEAST.get(currency, _USUAL_LEAST)


def packages(quantity: int, transform: Json | None) -> int:
    """How many packages a quantity makes: ``transform_quantity`` is applied before billing.

    A quantity of 51 in packages of 50 is two packages rounded up, one rounded down.
    """
    if transform is None:
        return quantity
    whole, rest = divmod(quantity, int(transform["divide_by"]))
    return whole + (1 if rest and transform["round"] == "up" else 0)


def line_amount(price: Json, quantity: int) -> int:
    """What a quantity costs at a price, before discounts and tax."""
    unit = Decimal(str(price["unit_amount_decimal"]))
    return _whole(unit * packages(quantity, price["transform_quantity"]))


def tax_on(amount: int, behavior: str) -> int:
    """The tax in an amount that includes it, or on an amount that doesn't."""
    base = 100 + TAX_PERCENT if behavior == "inclusive" else 100
    return _whole(Decimal(amount) * TAX_PERCENT / base)


def discount_on(amount: int, coupon: Json) -> int:
    """What a coupon takes off an amount."""
    if coupon["percent_off"] is not None:
        return _whole(Decimal(amount) * Decimal(str(coupon["percent_off"])) / 100)
    return min(amount, int(coupon["amount_off"]))


def _whole(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
