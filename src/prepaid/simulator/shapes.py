"""The words for data in this room: JSON objects as they travel, and forms before they are typed."""

from collections.abc import Mapping
from typing import Any, TypeAlias

# Stripe's objects are open and deeply nested; contract.py checks each one where it comes in and
# where it goes out, so in between they are plain dicts whose values the checker need not name.
Json: TypeAlias = dict[str, Any]

# A form field is text, or a mapping that its brackets made.
Form: TypeAlias = str | Mapping[str, "Form"]


def nulls(names: str) -> Json:
    """Fields that Stripe always gives, and that are null here."""
    return dict.fromkeys(names.split())
