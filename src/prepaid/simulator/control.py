"""The control plane under ``/_simulator/``: faults, held deliveries, shortcuts. See README.md."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prepaid.simulator import cards, checkout, deliveries, disputes, sessions
from prepaid.simulator.contract import Breach
from prepaid.simulator.errors import Refusal, invalid
from prepaid.simulator.faults import API_ANSWERS, DELIVERY_FAULTS, ApiFault, DeliveryRule
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_log = logging.getLogger("prepaid.simulator")
_OUTCOMES = {
    "succeeds": "4242424242424242",
    "declined": "4000000000000002",
    "insufficient_funds": "4000000000009995",
    "challenge": "4000002760003184",
    "disputed": "4000000000000259",
    "inquiry": "4000000000001976",
}
_ACCOUNTS = {
    "sepa_debit": ("iban", "AT611904300234573201", "AT861904300235473202"),
    "us_bank_account": ("account_number", "000123456789", "000111111116"),
    "bacs_debit": ("account_number", "00012345", "00222227"),
}


def routes(box: Sandbox) -> list[Route]:
    """The control plane's routes, behind ``/_simulator``."""
    table: list[tuple[str, str, Callable[[Sandbox, Json, str], Json]]] = [
        ("GET", "/state", _state),
        ("POST", "/reset", _reset),
        ("GET", "/faults", _faults),
        ("DELETE", "/faults", _clear),
        ("POST", "/faults/api", _add_api),
        ("POST", "/faults/deliveries", _add_delivery),
        ("POST", "/deliveries/release", _release),
        ("POST", "/clock", _clock),
        ("POST", "/sessions/{id}/pay", _pay),
        ("POST", "/sessions/{id}/expire-now", _expire_now),
        ("POST", "/webhook_endpoints/{id}", _endpoint),
        ("POST", "/disputes/{id}/decide", _decide),
    ]
    return [Route(path, _json(box, do), methods=[method]) for method, path, do in table]


def _json(
    box: Sandbox, do: Callable[[Sandbox, Json, str], Json]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            given = await read_json(request)
            return JSONResponse(
                acting(box, lambda: do(box, given, request.path_params.get("id", "")))
            )
        except (Refusal, Breach) as problem:
            return told(problem)

    return endpoint


def told(problem: Refusal | Breach) -> Response:
    """Say what was refused, or what of ours broke the contract."""
    if isinstance(problem, Refusal):
        return JSONResponse({"error": problem.error}, problem.status)
    _log.error("simulator_contract: %s", problem)
    error = {"type": "api_error", "code": "simulator_contract", "message": str(problem)}
    return JSONResponse({"error": error}, 500)


async def read_json(request: Request) -> Json:
    """Read a JSON object. Its type must say so, which a foreign page's form can't."""
    if request.method in {"GET", "DELETE"} or not await request.body():
        return {}
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refusal(415, "The control plane takes JSON: Content-Type: application/json")
    try:
        given = await request.json()
    except ValueError as problem:
        raise invalid("The body is not JSON.") from problem
    if not isinstance(given, dict):
        raise invalid("The body is not a JSON object.")
    return given


def acting(box: Sandbox, do: Callable[[], Json]) -> Json:
    """Do something in one transaction. A declined card is kept, and refused all the same."""
    refused: Refusal | None = None
    answer: Json = {}
    with box.acting():
        try:
            answer = do()
        except Refusal as refusal:
            if not refusal.keeps:
                raise
            refused = refusal
    if refused is not None:
        raise refused
    return answer


def _state(box: Sandbox, _given: Json, _key: str) -> Json:
    counted = box.store.sql.execute("SELECT kind, count(*) FROM objects GROUP BY kind").fetchall()
    return {
        "objects": dict(counted),
        "deliveries": deliveries.log(box),
        "listeners": len(box.listeners),
        "forwarded": box.forwarded,
        "faults": asdict(box.faults),
    }


def _reset(box: Sandbox, _given: Json, _key: str) -> Json:
    box.store.clear()
    box.faults.clear()
    box.forwarded.clear()
    return {"reset": True}


def _faults(box: Sandbox, _given: Json, _key: str) -> Json:
    return asdict(box.faults)


def _clear(box: Sandbox, _given: Json, _key: str) -> Json:
    box.faults.clear()
    return asdict(box.faults)


def _add_api(box: Sandbox, given: Json, _key: str) -> Json:
    _one_of(given, "answer", API_ANSWERS)
    box.faults.api.append(_made(ApiFault, given))
    return asdict(box.faults)


def _add_delivery(box: Sandbox, given: Json, _key: str) -> Json:
    _one_of(given, "fault", DELIVERY_FAULTS)
    given = {"count": None, **given} if given["fault"] == "hold" else given
    box.faults.deliveries.append(_made(DeliveryRule, given))
    return asdict(box.faults)


def _release(box: Sandbox, given: Json, _key: str) -> Json:
    """Let held deliveries go, and hold no more of them."""
    kind = given.get("type", "*")
    box.faults.deliveries = [
        rule
        for rule in box.faults.deliveries
        if rule.fault != "hold" or kind not in {"*", rule.type}
    ]
    return {"released": deliveries.release(box, kind)}


def _clock(box: Sandbox, given: Json, _key: str) -> Json:
    box.faults.clock_offset_seconds = int(given.get("offset_seconds", 0))
    return {"offset_seconds": box.faults.clock_offset_seconds}


def _pay(box: Sandbox, given: Json, key: str) -> Json:
    session = sessions.current(box, key)
    paid = checkout.pay_as(box, session, _method(session, given), given.get("payment_method"))
    if "challenge" in given and paid["status"] == "open":
        paid = checkout.challenge(box, paid, accepted=given["challenge"] == "accept")
    return checkout.view(box, paid)


def _expire_now(box: Sandbox, _given: Json, key: str) -> Json:
    session = sessions.current(box, key)
    if session["status"] != "open":
        raise invalid(f"This session is {session['status']}.")
    return sessions.end(box, box.store.put({**session, "expires_at": box.now()}))


def _endpoint(box: Sandbox, given: Json, key: str) -> Json:
    box.need_alive("webhook_endpoint", key, "")
    _one_of(given, "event_payload", ("snapshot", "thin"))
    endpoint = box.need("webhook_endpoint", key)
    box.store.put(endpoint, {**box.store.hidden(key), "payload": given["event_payload"]})
    return {"id": key, "event_payload": given["event_payload"]}


def _decide(box: Sandbox, given: Json, key: str) -> Json:
    _one_of(given, "status", ("won", "lost", "warning_closed"))
    return disputes.decide(box, box.need("dispute", key), given["status"])


def _method(session: Json, given: Json) -> Json:
    """What was typed on the page, or what an outcome would need typed."""
    billing = {k: given[k] for k in ("email", "name", "phone", "address") if k in given}
    outcome = given.get("outcome", "succeeds")
    if "card" not in given and outcome.startswith("delayed_"):
        kind = next((k for k in session["payment_method_types"] if k in cards.DELAYED), None)
        if kind is None:
            raise invalid("This session offers no delayed payment method.")
        field, good, bad = _ACCOUNTS[kind]
        number = bad if outcome == "delayed_fails" else good
        return {"type": kind, kind: {field: number}, "billing_details": billing}
    _one_of({"outcome": outcome}, "outcome", (*_OUTCOMES, "delayed_succeeds", "delayed_fails"))
    number = str(given.get("card", _OUTCOMES.get(outcome)))
    return {"type": "card", "card": {"number": number}, "billing_details": billing}


def _one_of(given: Json, name: str, allowed: tuple[str, ...]) -> None:
    if given.get(name) not in allowed:
        raise invalid(f"{name} must be one of {', '.join(allowed)}", name)


def _made(cls: type[Any], given: Json) -> Any:
    """Make a fault of its JSON; the dataclass names what there is to say."""
    if unknown := given.keys() - cls.__dataclass_fields__.keys():
        raise invalid(f"Unknown: {', '.join(sorted(unknown))}")
    return cls(**given)
