"""Receipts: the page behind a charge's ``receipt_url``, for whoever has its address."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from prepaid.simulator import pricing
from prepaid.simulator.sandbox import Sandbox, new_id
from prepaid.simulator.shapes import Json

_PAGE = Path(__file__).parent / "assets" / "receipt.html"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}


def url_of(box: Sandbox, charge: Json) -> str:
    """Make the address of a charge's receipt. Nobody guesses it; whoever has it sees the receipt,
    as at Stripe."""
    base_url = box.store.hidden(charge["payment_intent"])["base_url"]
    secret = new_id("receipt")
    box.store.put(charge, {**box.store.hidden(charge["id"]), "receipt": secret})
    return f"{base_url}/_simulator/receipts/{charge['id']}/{secret}"


def routes(box: Sandbox) -> list[Route]:
    """The receipts."""

    async def receipt(request: Request) -> Response:
        charge = box.store.get(request.path_params["id"], "charge")
        secret = box.store.hidden(request.path_params["id"]).get("receipt", "")
        given = request.path_params["secret"]
        if charge is None or not secrets.compare_digest(secret.encode(), given.encode()):
            return HTMLResponse("The simulator has no such receipt.", 404, _HEADERS)
        return HTMLResponse(_written(charge), headers=_HEADERS)

    return [Route("/receipts/{id}/{secret}", receipt)]


def _written(charge: Json) -> str:
    paid_at = datetime.fromtimestamp(charge["created"], UTC)
    told = {
        "amount": _spoken(charge["amount"], charge["currency"]),
        "refunded": _spoken(charge["amount_refunded"], charge["currency"]),
        "at": f"{paid_at:%Y-%m-%d %H:%M} UTC",
        "method": _method(charge["payment_method_details"]),
        "email": charge["receipt_email"] or charge["billing_details"]["email"] or "not given",
        "charge": charge["id"],
    }
    page = _PAGE.read_text("utf-8")
    for name, text in told.items():
        page = page.replace(f"{{{{{name}}}}}", escape(text))
    return page


def _method(details: Json) -> str:
    kind = details["type"]
    name = details[kind].get("brand") or kind.replace("_", " ")
    return f"{name} ending in {details[kind]['last4']}"


def _spoken(amount: int, currency: str) -> str:
    places = 3 if currency in pricing.THREE_DECIMAL else 2
    if currency in pricing.ZERO_DECIMAL:
        places = 0
    return f"{Decimal(amount).scaleb(-places):.{places}f} {currency.upper()}"
