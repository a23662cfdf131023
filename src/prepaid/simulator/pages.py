"""What a browser sees: the stand-in for Stripe.js, and the payment page it shows in a frame.

The page proves who it is with the session's client secret, never with the secret key, and what is
typed on it goes to the simulator alone.
"""

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from prepaid.simulator import checkout, control, sessions
from prepaid.simulator.contract import Breach
from prepaid.simulator.errors import Refusal
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_ASSETS = Path(__file__).parent / "assets"
_SCRIPTS = {
    "/v3": "v3",
    "/v3/": "v3",
    **{f"/{train}/stripe.js": train for train in ("endive", "dahlia", "clover")},
}
"""Where Stripe.js is, and of which train it is there."""
_TYPES = {"checkout.js": "text/javascript", "checkout.css": "text/css"}
# The page may be framed by any page of the developer; it loads nothing from anywhere else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)

_CONTROLLER = '<!doctype html><html lang="en"><title>Stripe simulator</title></html>'

Endpoint = Callable[[Request], Awaitable[Response]]


def scripts(box: Sandbox) -> list[Route]:
    """The stand-in for Stripe.js, at the addresses where Stripe's own would be looked for."""

    async def script(request: Request) -> Response:
        base = box.config.public_url or str(request.base_url).rstrip("/")
        text = (_ASSETS / "stripe.js").read_text("utf-8").replace("{{simulator}}", base)
        text = text.replace("{{train}}", _SCRIPTS[request.url.path])
        headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
        return Response(text, media_type="text/javascript", headers=headers)

    return [Route(path, script) for path in _SCRIPTS]


def routes(box: Sandbox) -> list[Route]:
    """The payment page and what it asks for."""
    return [
        Route("/checkout/{id}", _page),
        Route("/checkout/{id}/state", _asked(box, _state)),
        Route("/checkout/{id}/pay", _asked(box, _pay), methods=["POST"]),
        Route("/checkout/{id}/challenge", _asked(box, _challenge), methods=["POST"]),
        Route("/controller", _controller),
        Route("/assets/{name}", _asset),
    ]


async def _page(_request: Request) -> Response:
    text = (_ASSETS / "checkout.html").read_text("utf-8")
    headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(text, headers=headers | {"Cache-Control": "no-store"})


async def _controller(_request: Request) -> Response:
    """What a hidden frame of the stand-in loads, to reach this server before it shows a form."""
    return HTMLResponse(_CONTROLLER, headers={"Content-Security-Policy": "default-src 'none'"})


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _TYPES:
        return Response("Not found", 404)
    return Response((_ASSETS / name).read_text("utf-8"), media_type=_TYPES[name])


def _asked(box: Sandbox, do: Callable[[Sandbox, Json, Json], Json]) -> Endpoint:
    """What the page asks for, once it has shown the session's secret."""

    async def endpoint(request: Request) -> Response:
        try:
            given = await control.read_json(request)
            secret = request.headers.get("authorization", "").removeprefix("Bearer ")
            key = request.path_params["id"]

            def answer() -> Json:
                _let_in(box, key, secret, request.headers.get("x-publishable-key"))
                return do(box, sessions.current(box, key), given)

            return JSONResponse(control.acting(box, answer))
        except (Refusal, Breach) as problem:
            return control.told(problem)

    return endpoint


def _let_in(box: Sandbox, key: str, secret: str, publishable: str | None) -> None:
    if publishable and publishable != box.config.publishable_key:
        raise Refusal(401, "The publishable key is not this simulator's.")
    expected = box.store.hidden(key).get("page_secret")
    if expected is None or not secrets.compare_digest(expected.encode(), secret.encode()):
        raise Refusal(401, "The client secret is not this session's.")


def _state(box: Sandbox, session: Json, _given: Json) -> Json:
    view = checkout.view(box, session)
    hidden = box.store.hidden(session["id"])
    shown = ("status", "payment_status", "currency", "return_url", "success_url", "cancel_url")
    more = ("ui_mode", "payment_method_types", "id", "submit_type", "client_reference_id")
    customer = box.store.get(session["customer"] or "", "customer") or {}
    return {
        **{name: session[name] for name in (*shown, *more)},
        "redirect_on_completion": session.get("redirect_on_completion"),
        "email": session["customer_email"] or customer.get("email"),
        "lines": [_line(line) for line in hidden["lines"]],
        "summary": view["total_summary"],
        "taxed": session["automatic_tax"]["enabled"],
        "attempt": (view["payment_intent"] or {}).get("status"),
    }


def _pay(box: Sandbox, session: Json, given: Json) -> Json:
    return _state(box, checkout.pay_as(box, session, given), {})


def _challenge(box: Sandbox, session: Json, given: Json) -> Json:
    accepted = given.get("accepted") is True
    return _state(box, checkout.challenge(box, session, accepted=accepted), {})


def _line(line: Json) -> Json:
    """A line as a buyer sees it: the product's name; a nickname stays hidden, as at Stripe."""
    kept = ("description", "quantity", "amount_subtotal", "amount_total", "currency")
    return {name: line[name] for name in kept}
