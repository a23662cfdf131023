"""Form bodies with brackets, as Stripe's clients write them: ``a[b][0]=c``, ``a[]=c``."""

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from prepaid.simulator.errors import invalid
from prepaid.simulator.shapes import Form, Json

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_DEEPEST = 10  # brackets; Stripe's own parameters need six


def decode(text: str) -> dict[str, Form]:
    """Decode a query string or a form body into nested mappings of text."""
    return nest(parse_qsl(text, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Form]:
    """Nest pairs by their brackets; ``[]`` takes the next free number."""
    tree: Json = {}
    for key, value in pairs:
        _put(tree, _path(key), value, key)
    return tree


def _path(key: str) -> list[str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise invalid(f"Invalid parameter name: {key}", key)
    path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
    if len(path) > _DEEPEST:
        raise invalid(f"Parameter is nested too deeply: {key}", key)
    return path


def _put(tree: Json, path: list[str], value: str, key: str) -> None:
    *outer, last = path
    for step in outer:
        tree = tree.setdefault(_numbered(tree, step, path), {})
        if not isinstance(tree, dict):
            raise invalid(
                f"Invalid parameter: {key} is given both as a value and as an object", key
            )
    tree[_numbered(tree, last, path)] = value


def _numbered(tree: Json, step: str, path: list[str]) -> str:
    """``a[][b]=1&a[][c]=2`` is one item with two fields; a field seen again begins the next."""
    if step:
        return step
    newest = str(len(tree) - 1)
    field = path[path.index("") + 1 :][:1]
    open_item = tree.get(newest)
    return (
        newest
        if field and isinstance(open_item, dict) and field[0] not in open_item
        else str(len(tree))
    )
