"""Which function does which operation."""

from collections.abc import Callable
from types import ModuleType
from typing import cast

from prepaid.simulator import (
    account,
    balance,
    charges,
    checkout,
    coupons,
    customers,
    disputes,
    endpoints,
    events,
    intents,
    listen,
    methods,
    prices,
    products,
    refunds,
    sessions,
)
from prepaid.simulator.operations import OPERATIONS, Operation
from prepaid.simulator.operations_private import PRIVATE
from prepaid.simulator.sandbox import Call
from prepaid.simulator.shapes import Json

Handler = Callable[[Call], Json]

_ROOMS: dict[str, ModuleType] = {
    "account": account,
    "balance_transactions": balance,
    "charges": charges,
    "coupons": coupons,
    "customers": customers,
    "disputes": disputes,
    "events": events,
    "listen": listen,
    "pages": checkout,
    "payment_intents": intents,
    "payment_methods": methods,
    "prices": prices,
    "products": products,
    "refunds": refunds,
    "sessions": sessions,
    "webhook_endpoints": endpoints,
}
# A verb that Python or the module already uses for something else.
_VERBS = {"list": "listed", "open": "opened", "pages.retrieve": "page"}


def _handler(operation: Operation) -> Handler:
    room, verb = operation.name.split(".")
    name = _VERBS.get(operation.name) or _VERBS.get(verb, verb)
    return cast("Handler", getattr(_ROOMS[room], name))  # a missing one fails at import


HANDLERS: dict[str, Handler] = {op.name: _handler(op) for op in (*OPERATIONS, *PRIVATE)}
