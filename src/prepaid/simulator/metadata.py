"""Metadata: the caller's own notes on an object, with Stripe's limits."""

from prepaid.simulator.errors import invalid
from prepaid.simulator.shapes import Json

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def merged(before: Json, given: Json | str | None) -> Json:
    """Merge new notes into old. An empty value unsets its key, an empty ``metadata`` unsets all."""
    if given is None:
        return before
    if given == "" or isinstance(given, str):
        return {}
    for key, value in given.items():
        _check(key, value)
    after = {key: value for key, value in {**before, **given}.items() if value != ""}
    if len(after) > MOST_KEYS:
        raise invalid(f"Metadata can have up to {MOST_KEYS} keys.", "metadata")
    return after


def former(before: Json, after: Json) -> Json:
    """The former values of what changed: an event's ``previous_attributes``."""
    return {key: before.get(key) for key in after if before.get(key) != after[key]}


def _check(key: str, value: str) -> None:
    if len(key) > LONGEST_KEY:
        raise invalid(f"Metadata keys can have up to {LONGEST_KEY} characters.", "metadata")
    if "[" in key or "]" in key:
        raise invalid("Metadata keys can't contain square brackets.", "metadata")
    if len(value) > LONGEST_VALUE:
        sentence = f"Metadata values can have up to {LONGEST_VALUE} characters"
        raise invalid(
            f"{sentence}, but you passed in a value that is {len(value)}.", f"metadata[{key}]"
        )
