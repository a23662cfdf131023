"""API versions: what an older client may still say, and how it is answered.

``ui_mode`` got new words on 2026-03-25 (dahlia), and ``payment_method_types`` went from session
and payment intent on 2026-09-30 (endive). A request whose version is older may use the old words.
So may a request without ``Stripe-Version``: it is the official CLI, whose triggers still do.
"""

import re

from prepaid.simulator.errors import invalid
from prepaid.simulator.shapes import Form, Json

NEW_UI_MODES = "2026-03-25"
NO_METHOD_TYPES = "2026-09-30"
_MODES = {"embedded": "embedded_page", "hosted": "hosted_page", "custom": "elements"}
_NAMES_METHODS = frozenset({"sessions.create", "payment_intents.create", "payment_intents.update"})


def check(version: str) -> str:
    """Give a version back, or refuse what is none."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.\w+)?", version):
        raise invalid(f"Invalid Stripe API version: {version}")
    return version


def modernised(operation: str, form: dict[str, Form], version: str | None) -> dict[str, Form]:
    """Put a request's old words into today's, or refuse those its version no longer has."""
    form = dict(form)
    if operation == "sessions.create" and _older(version, NEW_UI_MODES):
        mode = form.get("ui_mode")
        if isinstance(mode, str):
            form["ui_mode"] = _MODES.get(mode, mode)
    if operation in _NAMES_METHODS and "payment_method_types" in form:
        if not _older(version, NO_METHOD_TYPES):
            raise invalid(
                "payment_method_types is no longer supported: "
                "use allowed_payment_method_types or the Dashboard's settings",
                "payment_method_types",
                "payment_method_types_no_longer_supported",
            )
        form["allowed_payment_method_types"] = form.pop("payment_method_types")
    return form


def rendered(thing: Json, version: str) -> Json:
    """Show an object, or a list of them, as this version shows it."""
    if thing.get("object") == "list":
        return {**thing, "data": [rendered(item, version) for item in thing["data"]]}
    if thing.get("object") != "checkout.session" or version[:10] >= NO_METHOD_TYPES:
        return thing
    shown = {k: v for k, v in thing.items() if k != "allowed_payment_method_types"}
    if version[:10] < NEW_UI_MODES:
        old = {new: word for word, new in _MODES.items()}
        shown["ui_mode"] = old.get(shown["ui_mode"], shown["ui_mode"])
    return shown


def _older(version: str | None, than: str) -> bool:
    return version is None or version[:10] < than
