"""Stripe's SDK, loaded when something of it is first used.

With the HTTP clients that it brings it is a tenth of what the service would load before it answers:
80 ms and 11 MB, on a machine where all of it takes 0.8 s and 109 MB. Charges and signed events
never need it. `gateway.py` loads it beside the event loop.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import stripe as stripe  # noqa: PLC0414 - it is meant to be imported from here
else:

    class _Later:
        def __getattr__(self, name: str) -> object:
            return getattr(import_module("stripe"), name)

    stripe = _Later()
