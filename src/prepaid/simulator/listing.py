"""Lists: the newest first, in pages, filtered."""

from collections.abc import Sequence

from prepaid.simulator.errors import invalid, missing_object
from prepaid.simulator.sandbox import Call
from prepaid.simulator.shapes import Json

_USUAL, _MOST = 10, 100
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(
    call: Call,
    kind: str,
    filters: Sequence[str] = (),
    *,
    where: str = "1",
    values: Sequence[object] = (),
) -> Json:
    """Give one page of a kind of object. ``filters`` are parameters with the name of a field."""
    tests, given = _filters(call.params, filters)
    data, more = call.box.store.page(
        kind,
        " AND ".join([where, "json_extract(body, '$.deleted') IS NULL", *tests]),
        [*values, *given],
        limit=_limit(call.params),
        after=_cursor(call, "starting_after"),
        before=_cursor(call, "ending_before"),
    )
    return listed(data, call.url, more=more)


def of(things: list[Json], call: Call) -> Json:
    """Give one page of things that are all at hand: the lines of a session."""
    ids = [thing["id"] for thing in things]
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    first = _at(ids, after, "starting_after") + 1 if after else 0
    last = _at(ids, before, "ending_before") if before else len(ids)
    limit = _limit(call.params)
    kept = things[first:last]
    data = kept[-limit:] if before else kept[:limit]
    return listed(data, call.url, more=len(kept) > limit)


def listed(data: list[Json], url: str, *, more: bool = False) -> Json:
    """Put things in Stripe's envelope of a list."""
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _at(ids: list[str], key: str, param: str) -> int:
    if key not in ids:
        raise missing_object("item", key, param)
    return ids.index(key)


def _filters(params: Json, names: Sequence[str]) -> tuple[list[str], list[object]]:
    tests, given = _created(params.get("created"))
    for name in names:
        if name in params:
            tests.append(f"json_extract(body, '$.{name}') = ?")
            given.append(params[name])
    return tests, given


def _created(asked: int | Json | None) -> tuple[list[str], list[object]]:
    if asked is None:
        return [], []
    bounds = asked if isinstance(asked, dict) else {"gte": asked, "lte": asked}
    tests = [f"json_extract(body, '$.created') {_COMPARE[name]} ?" for name in bounds]
    return tests, list(bounds.values())


def _limit(params: Json) -> int:
    limit = int(params.get("limit", _USUAL))
    if not 1 <= limit <= _MOST:
        raise invalid(f"Invalid limit: must be between 1 and {_MOST}", "limit")
    return limit


def _cursor(call: Call, name: str) -> str | None:
    key: str | None = call.params.get(name)
    if key is not None and call.box.store.get(key) is None:
        raise missing_object("object", key, name)
    return key
