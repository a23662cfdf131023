"""``expand[]``: an id becomes the object it names, and what is left out is put in."""

from collections.abc import Callable

from prepaid.simulator import prices, refunds, sessions
from prepaid.simulator.errors import Refusal, invalid
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_DEEPEST = 4
_LEFT_OUT: dict[tuple[str, str], Callable[[Sandbox, Json], Json]] = {
    ("checkout.session", "line_items"): sessions.expanded_lines,
    ("charge", "refunds"): refunds.of_charge,
    ("price", "currency_options"): prices.currency_options,
}


def expanded(box: Sandbox, thing: Json, paths: list[str]) -> Json:
    """Give an object with these paths expanded; on a list each begins with ``data``."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise invalid(f"You cannot expand more than {_DEEPEST} levels of a property.", "expand")
        thing = _expand(box, thing, steps, path)
    return thing


def _expand(box: Sandbox, thing: Json, steps: list[str], path: str) -> Json:
    key, *rest = steps
    found = _LEFT_OUT.get((str(thing.get("object")), key))
    if found is not None and key not in thing:
        value: object = found(box, thing)
    elif key not in thing:
        raise _impossible(path)
    else:
        value = thing[key]
    return {**thing, key: _into(box, value, rest, path)}


def _into(box: Sandbox, value: object, rest: list[str], path: str) -> object:
    if isinstance(value, str):
        named = box.store.get(value)
        if named is None:
            raise _impossible(path)
        value = named
    if not rest or value is None:
        return value
    if isinstance(value, list):
        return [_expand(box, item, rest, path) for item in value]
    if isinstance(value, dict):
        return _expand(box, value, rest, path)
    raise _impossible(path)


def _impossible(path: str) -> Refusal:
    return invalid(f"This property cannot be expanded ({path}).", "expand")
