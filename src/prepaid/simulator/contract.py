"""The contract with Stripe: what a request may say and what an object must look like.

It is read from the types of the installed SDK, so it follows the SDK's pin: TypedDicts of
``stripe.params`` for requests, annotations of the resource classes for answers and events. The SDK
itself sends anything; Stripe refuses. This module refuses what Stripe would, before it gets there.

``read_request`` takes the text of a form and gives typed values. ``check_params`` takes a dict as
it is handed to the SDK. ``check_object`` takes an object as Stripe would answer it.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType
from typing import cast

import stripe

from prepaid.simulator.annotations import (
    Choice,
    ListOf,
    MapOf,
    OneOf,
    PageOf,
    Record,
    Scalar,
    Shape,
    fields,
)
from prepaid.simulator.operations import OPERATIONS, Operation, operation_for
from prepaid.simulator.shapes import Form, Json

__all__ = [
    "OPERATIONS",
    "Breach",
    "Operation",
    "check_object",
    "check_params",
    "operation_for",
    "read_request",
    "showable",
]

# Typed as always present, in truth there only when something else is (a redirect, a failure).
CONDITIONAL = frozenset({"redirect_on_completion", "transfer", "failure_balance_transaction"})

RESOURCES: dict[str, type] = {
    "account": stripe.Account,
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "coupon": stripe.Coupon,
    "customer": stripe.Customer,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "item": stripe.LineItem,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "webhook_endpoint": stripe.WebhookEndpoint,
}


class Breach(ValueError):  # noqa: N818 - what it is, in one word
    """Something breaks the contract. ``code`` and ``param`` are what Stripe's refusal carries."""

    def __init__(self, code: str | None, param: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.param = param


def read_request(params: type, form: Mapping[str, Form]) -> Json:
    """Read decoded form fields as the SDK's TypedDict says they are typed, or raise Breach."""
    return cast("Json", _walk(form, Record(params), "", _from_text))


def check_params(params: type, given: Mapping[str, object]) -> None:
    """Check a dict as it is passed to the SDK, request options aside, or raise Breach."""
    _walk(given, Record(params), "", _as_typed)


def check_object(given: Mapping[str, object]) -> None:
    """Check one of Stripe's objects, a list of them included, or raise Breach."""
    name = given.get("object")
    if name == "list":
        _page(given, Choice(tuple(map(Record, RESOURCES.values()))), "", _as_typed)
        return
    cls = RESOURCES.get(str(name))
    if cls is None:
        raise Breach(None, "object", f"No resource class for object {name!r}")
    _walk(given, Record(cls), "", _as_typed)


def showable(cls: type, given: Mapping[str, object]) -> Json:
    """The part of some parameters that an object of this class has a place for."""
    known = fields(cls)
    shown: Json = {}
    for key, value in given.items():
        inner = _inner_record(known[key].shape) if key in known else None
        if inner is not None and isinstance(value, Mapping):
            shown[key] = showable(inner, value)
        elif key in known and _fits(value, known[key].shape):
            shown[key] = value
    return shown


def _inner_record(shape: Shape) -> type | None:
    options = shape.options if isinstance(shape, Choice) else (shape,)
    return next((option.cls for option in options if isinstance(option, Record)), None)


def _fits(value: object, shape: Shape) -> bool:
    try:
        _walk(value, shape, "", _as_typed)
    except Breach:
        return False
    return True


Leaf = Callable[[object, type, str], object]


def _walk(  # noqa: PLR0911 - one return for each shape
    value: object, shape: Shape, at: str, leaf: Leaf
) -> object:
    match shape:
        case Scalar(kind):
            return leaf(value, kind, at)
        case OneOf(values):
            return _one_of(value, values, at, leaf)
        case ListOf(item):
            return [_walk(v, item, f"{at}[{i}]", leaf) for i, v in enumerate(_items(value, at))]
        case PageOf(item):
            return _page(value, item, at, leaf)
        case MapOf(inner):
            return _map(value, inner, at, leaf)
        case Choice(options):
            return _choose(value, options, at, leaf)
        case Record(cls):
            return _record(value, cls, at, leaf)


def _map(value: object, inner: Shape, at: str, leaf: Leaf) -> Json:
    """A mapping of any keys. An empty value is sound in metadata: it unsets its key."""
    text = inner == Scalar(str)
    return {
        key: v if text and v == "" else _walk(v, inner, f"{at}[{key}]", leaf)
        for key, v in _mapping(value, at).items()
    }


def _record(value: object, cls: type, at: str, leaf: Leaf) -> Json:
    given, known = _mapping(value, at), fields(cls)
    if given.get("deleted") is True:
        return dict(given)
    for key in given:
        if key not in known:
            raise Breach(
                "parameter_unknown", _at(at, key), f"Received unknown parameter: {_at(at, key)}"
            )
    for key, field in known.items():
        name = _at(at, key)
        if field.required and key not in given and key not in CONDITIONAL:
            raise Breach("parameter_missing", name, f"Missing required param: {name}.")
        if field.required and given.get(key) == "" and leaf is _from_text:
            raise empty(name)
    return {key: _walk(v, known[key].shape, _at(at, key), leaf) for key, v in given.items()}


def _choose(value: object, options: tuple[Shape, ...], at: str, leaf: Leaf) -> object:
    """Try the options that fit the value's outer form; the last refusal speaks for all."""
    refusal: Breach | None = None
    for option in options:
        if isinstance(value, Mapping | list) == isinstance(option, Scalar | OneOf):
            continue
        try:
            return _walk(value, option, at, leaf)
        except Breach as breach:
            refusal = _deeper(refusal, breach)
    raise refusal or Breach(None, at, f"Invalid value for {at}: {value!r}")


def _deeper(one: Breach | None, other: Breach) -> Breach:
    """The refusal that got further into the value says more about what is wrong."""
    return one if one is not None and len(one.param) >= len(other.param) else other


def _page(value: object, item: Shape, at: str, leaf: Leaf) -> Json:
    given = _mapping(value, at)
    if missing := {"object", "data", "has_more", "url"} - given.keys():
        raise Breach("parameter_missing", at, f"A list lacks {', '.join(sorted(missing))}")
    return {**given, "data": _walk(given["data"], ListOf(item), _at(at, "data"), leaf)}


def _one_of(value: object, values: tuple[object, ...], at: str, leaf: Leaf) -> object:
    if leaf is _from_text:
        value = {"true": True, "false": False}.get(str(value), value) if True in values else value
    if value in values and isinstance(value, type(values[0])):
        return value
    if values == ("",):
        raise Breach(None, at, f"Invalid value for {at}: {value!r}")
    allowed = ", ".join(map(str, values[:40]))
    raise Breach(None, at, f"Invalid {at}: must be one of {allowed}")


def _items(value: object, at: str) -> list[object]:
    """The items of a list; a form writes it ``a[0]=x&a[1]=y`` or ``a[]=x&a[]=y``."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping) and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    raise Breach("parameter_invalid_array", at, f"Invalid array: {at}")


def empty(at: str) -> Breach:
    """An empty value unsets a field, and this one can't be without a value."""
    sentence = f"You passed an empty string for '{at}'. We assume empty values are an attempt to "
    hint = f"unset a field; however '{at}' cannot be unset."
    return Breach("parameter_invalid_empty", at, sentence + hint)


def _mapping(value: object, at: str) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    raise Breach("parameter_invalid_object", at, f"Invalid object: {at}")


def _from_text(value: object, kind: type, at: str) -> object:
    """Read one form value, which always arrives as text, as the type that is expected."""
    if not isinstance(value, str):
        raise Breach(None, at, f"Invalid {kind.__name__}: {at}")
    if value == "" and kind not in {str, object}:
        raise empty(at)
    if kind is int and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if kind is bool and value in {"true", "false"}:
        return value == "true"
    if kind is float and _decimal(value):
        return float(value)
    if kind in {str, object} or (kind is Decimal and _decimal(value)):
        return value
    name = {int: "integer", bool: "boolean", float: "number", Decimal: "decimal"}.get(kind, "value")
    code = "parameter_invalid_integer" if kind is int else None
    raise Breach(code, at, f"Invalid {name}: {value}")


def _as_typed(value: object, kind: type, at: str) -> object:
    """Check a value that already has a type; a decimal may be its text, a bool is no int."""
    fits = {
        object: True,
        NoneType: value is None,
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, int | float) and not isinstance(value, bool),
        str: isinstance(value, str),
        Decimal: isinstance(value, Decimal) or (isinstance(value, str) and _decimal(value)),
    }
    if not fits[kind]:
        code = "parameter_invalid_integer" if kind is int else None
        raise Breach(code, at, f"Invalid {kind.__name__} for {at}: {value!r}")
    return value


def _decimal(text: str) -> bool:
    """A decimal as Stripe takes it: up to twelve places, no exponent."""
    return re.fullmatch(r"-?\d{1,18}(\.\d{1,12})?", text) is not None


def _at(at: str, key: str) -> str:
    return f"{at}[{key}]" if at else key
