"""Stripe's API over HTTP: a request is let in, read by the contract, done, checked, answered."""

import base64
import binascii
import logging
import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from prepaid.simulator import contract, expand, versions
from prepaid.simulator.errors import Refusal, from_breach, invalid
from prepaid.simulator.faults import ApiFault
from prepaid.simulator.forms import decode
from prepaid.simulator.handlers import HANDLERS
from prepaid.simulator.idempotency import Keys, Remembered, fingerprint
from prepaid.simulator.operations import Operation, operation_for
from prepaid.simulator.operations_private import PRIVATE
from prepaid.simulator.sandbox import Call, Origin, Sandbox, new_id
from prepaid.simulator.shapes import Json

_log = logging.getLogger("prepaid.simulator")


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    text: str
    base_url: str
    version: str | None
    key: str | None
    request_id: str


class Hangup(Response):
    """No answer at all: the connection breaks, as when an answer is lost on its way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Break the connection. Uvicorn keeps it beside the bound method that receives."""
        connection = getattr(getattr(receive, "__self__", None), "transport", None)
        if connection is not None:
            connection.abort()
            while (await receive())["type"] != "http.disconnect":
                pass


class Api:
    """The endpoint of all of ``/v1`` and ``/v2``."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._keys = Keys(box)

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        asked = await _asked(self._box, request)
        try:
            self._let_in(request)
            return await self._answer(asked)
        except Refusal as refusal:
            return self._respond(asked, refusal.status, {"error": refusal.error})
        except contract.Breach as breach:
            _log.error("simulator_contract %s %s: %s", asked.method, asked.path, breach)
            error = {"type": "api_error", "code": "simulator_contract", "message": str(breach)}
            return self._respond(asked, 500, {"error": {**error, "param": breach.param}})

    async def _answer(self, asked: Asked) -> Response:
        operation, path = _operation(asked)
        fault = self._box.faults.for_request(asked.method, asked.path)
        key = asked.key if asked.method == "POST" else None
        with self._keys.claimed(key):
            if fault is not None:
                await self._box.faults.hold_up(fault.seconds)
                _go_wrong(fault)
            if fault is not None and fault.answer == "lost_request":
                return Hangup()
            print_ = fingerprint(asked.method, asked.path, asked.text)
            before = self._keys.recall(key, print_)
            answer = before or self._do(asked, operation, path, key, print_)
        if fault is not None and fault.answer == "lost_response":
            return Hangup()
        replayed = {"Idempotent-Replayed": "true", "Original-Request": answer.request_id}
        return self._respond(asked, answer.status, answer.body, replayed if before else {})

    def _do(
        self, asked: Asked, operation: Operation, path: dict[str, str], key: str | None, print_: str
    ) -> Remembered:
        """Read, do and remember in one transaction; only then is there an answer."""
        version = versions.check(asked.version or self._box.config.account_version)
        call, paths = self._read(asked, operation, path)
        with self._box.acting(Origin(asked.request_id, key)):
            try:
                answer = HANDLERS[operation.name](call)
                status, body = 200, self._shown(operation, answer, paths, version)
            except Refusal as refusal:
                if not refusal.keeps:
                    raise
                status, body = refusal.status, {"error": refusal.error}
            answered = Remembered(status, body, asked.request_id)
            self._keys.remember(key, print_, answered)
        return answered

    def _read(
        self, asked: Asked, operation: Operation, path: dict[str, str]
    ) -> tuple[Call, list[str]]:
        form = versions.modernised(operation.name, decode(asked.text), asked.version)
        try:
            params = _without_empty(operation, contract.read_request(operation.params, form))
        except contract.Breach as breach:
            raise from_breach(breach) from breach
        paths = params.pop("expand", [])
        return Call(self._box, params, path, asked.path, asked.base_url), paths

    def _shown(self, operation: Operation, answer: Json, paths: list[str], version: str) -> Json:
        answer = expand.expanded(self._box, answer, paths)
        if operation.answers:
            contract.check_object(answer)
        return versions.rendered(answer, version)

    def _let_in(self, request: Request) -> None:
        key = _key_of(request.headers.get("authorization", ""))
        if not key:
            sentence = "You did not provide an API key. Provide it in the Authorization header: "
            raise Refusal(401, f"{sentence}Bearer {self._box.config.api_key[:8]}...")
        if re.match(r"(sk|rk)_live_", key):
            raise Refusal(401, "This is a simulator: it never takes a live key. Use your test key.")
        if key != self._box.config.api_key:
            raise Refusal(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")

    def _respond(
        self, asked: Asked, status: int, body: Json, more: dict[str, str] | None = None
    ) -> JSONResponse:
        headers = {
            "Request-Id": asked.request_id,
            "Stripe-Version": asked.version or self._box.config.account_version,
            **({"Idempotency-Key": asked.key} if asked.key else {}),
            **(more or {}),
        }
        if "error" in body and (retry := body["error"].pop("_retry", None)) is not None:
            headers["Stripe-Should-Retry"] = str(retry).lower()
        return JSONResponse(body, status, headers)


async def _asked(box: Sandbox, request: Request) -> Asked:
    query = request.url.query
    text = (await request.body()).decode(errors="replace")
    return Asked(
        method=request.method,
        path=request.url.path.rstrip("/"),
        text="&".join(filter(None, [query, text])),
        base_url=box.config.public_url or str(request.base_url).rstrip("/"),
        version=request.headers.get("stripe-version"),
        key=request.headers.get("idempotency-key"),
        request_id=new_id("req"),
    )


def _operation(asked: Asked) -> tuple[Operation, dict[str, str]]:
    for operation in PRIVATE:
        match = operation.pattern.fullmatch(asked.path)
        if match and operation.method == asked.method:
            return operation, match.groupdict()
    found = operation_for(asked.method, asked.path)
    if found is None:
        sentence = f"Unrecognized request URL ({asked.method}: {asked.path})."
        raise Refusal(404, f"{sentence} The simulator doesn't know it.")
    return found[0], dict(found[1])


def _without_empty(operation: Operation, params: Json) -> Json:
    """An empty value unsets. On a new object there is nothing to unset; a session refuses it."""
    if not operation.name.endswith(".create"):
        return params
    if operation.name == "sessions.create" and (names := [k for k, v in params.items() if v == ""]):
        raise contract.empty(names[0])
    return {name: value for name, value in params.items() if value != ""}


def _go_wrong(fault: ApiFault) -> None:
    """What goes wrong before anything is done."""
    if fault.answer == "server_error":
        raise _failing(fault, 500, "An unknown error occurred.", "api_error", None)
    if fault.answer == "rate_limit":
        sentence = "Request rate limit exceeded."
        raise _failing(fault, 429, sentence, "invalid_request_error", "rate_limit")
    if fault.answer == "lock_timeout":
        sentence = (
            "This object cannot be accessed right now because another API request or Stripe "
            "process is currently accessing it."
        )
        raise _failing(fault, 409, sentence, "invalid_request_error", "lock_timeout")


def _failing(fault: ApiFault, status: int, message: str, kind: str, code: str | None) -> Refusal:
    return Refusal(
        fault.status or status, message, kind=kind, code=code, more={"_retry": fault.retry}
    )


def _key_of(header: str) -> str:
    """The key, as a bearer or as the user of basic authentication."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise invalid("Invalid Authorization header.") from problem
