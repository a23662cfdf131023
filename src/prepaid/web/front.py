"""The front: what is asked most is answered here, before routes, dependencies and models.

Charges, heartbeats, balances and webhooks come by the thousand, and to find their route, solve its
dependencies and check its model takes ten times what the ledger needs. Here the path is looked up
in a dict, the body is read by msgspec, and the answer is made by the functions that the routes
use. Whatever is unusual (another form of the body, an origin, another query) goes on to the app as
it came: its routes know every rule, and say what is wrong.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

import structlog
import uuid_utils
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prepaid.core.errors import Refusal
from prepaid.core.identity import Caller
from prepaid.service import Service
from prepaid.web import problems

SLOW_SECONDS = 1
"""A request that took longer is written down, though it went well."""

BEARER = b"Bearer "
USUAL = frozenset((b"application/json", b"application/json; charset=utf-8"))
"""Content types of bodies that are read here."""

log = structlog.get_logger(__name__)


class Unusual(Exception):  # noqa: N818 - it is what is found
    """Something for the app's routes. Nothing was done."""


@dataclass(slots=True)
class Asked:
    """A request as it came, whole. `tail` is what its path has that varies."""

    scope: Scope
    headers: dict[bytes, bytes]
    body: bytes
    tail: str

    @property
    def service(self) -> Service:
        """The running service."""
        service: Service = self.scope["app"].state.service
        return service

    async def caller(self) -> Caller:
        """Who asks.

        Raises:
            Unauthenticated: nobody that we know.
        """
        written = self.headers.get(b"authorization", b"")
        if not written.startswith(BEARER):
            raise Unusual
        try:
            token = written[len(BEARER) :].decode("ascii").strip()
        except UnicodeDecodeError:
            raise Unusual from None
        caller: Caller = await self.scope["app"].state.identity.caller(token)
        return caller


@dataclass(frozen=True, slots=True)
class Hot:
    """How a route that is asked often is answered. Bodies of up to `largest` bytes are read."""

    answer: Callable[[Asked], Awaitable[Response]]
    largest: int = 0
    is_json: bool = True


class Front:
    """Answers what `hot` has, by method and path, and leaves the rest to the app. A path in it may
    have one `*`, which stands for what varies."""

    def __init__(self, app: ASGIApp, hot: Mapping[tuple[str, str], Hot]) -> None:
        self._app = app
        self._hot = {name: one for name, one in hot.items() if "*" not in name[1]}
        self._varying = [(*name, one) for name, one in hot.items() if "*" in name[1]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or passes it on."""
        hot, tail = self._found(scope) if scope["type"] == "http" else (None, "")
        if hot is None:
            await self._app(scope, receive, send)
            return
        began, read = perf_counter(), list[Message]()
        try:
            asked = Asked(scope, dict(scope["headers"]), b"", tail)
            answer = await self._answer(hot, asked, receive, read)
        except Unusual:
            await self._app(scope, _again(read, receive), send)
            return
        await _sent(answer, scope, send, began)

    def _found(self, scope: Scope) -> tuple[Hot | None, str]:
        method, path = scope["method"], scope["path"]
        if found := self._hot.get((method, path)):
            return found, ""
        for kind, pattern, hot in self._varying:
            before, _, after = pattern.partition("*")
            tail = path[len(before) : len(path) - len(after)]
            if kind == method and "/" not in tail and path == f"{before}{tail}{after}":
                return hot, tail
        return None, ""

    @staticmethod
    async def _answer(hot: Hot, asked: Asked, receive: Receive, read: list[Message]) -> Response:
        if b"origin" in asked.headers:
            raise Unusual
        if hot.is_json and asked.headers.get(b"content-type") not in USUAL:
            raise Unusual
        asked.body = await _body(receive, read, hot.largest)
        try:
            return await hot.answer(asked)
        except Refusal as refusal:
            return problems.refused(refusal, asked.service.settings)
        except Unusual:
            raise
        except Exception as fault:  # noqa: BLE001 - the caller is told that it was ours
            return problems.fault(asked.scope["path"], fault)


async def _body(receive: Receive, read: list[Message], largest: int) -> bytes:
    """The body, and in `read` the messages it came in."""
    message = await receive()
    read.append(message)
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= largest:
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
    if message["type"] != "http.request" or len(body) > largest:
        raise Unusual
    return body


def _again(read: list[Message], receive: Receive) -> Receive:
    """What was read already, and then the rest."""
    messages = iter(read)

    async def replayed() -> Message:
        return next(messages, None) or await receive()

    return replayed


async def _sent(answer: Response, scope: Scope, send: Send, began: float) -> None:
    """Sends an answer, and writes it down unless all went well, as it does most times: a line in
    the log costs as much as a charge."""
    request_id = str(uuid_utils.uuid7())
    headers = [*answer.raw_headers, (b"x-request-id", request_id.encode())]
    whole = scope.get("extensions", {}).get("whole")  # as cli/protocol.py has it
    if whole is None or not whole["answer"](answer.status_code, headers, bytes(answer.body)):
        start = {"type": "http.response.start", "status": answer.status_code, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})
    seconds = perf_counter() - began
    if answer.status_code >= 300 or seconds > SLOW_SECONDS:  # noqa: PLR2004 - HTTP's own
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=int(answer.status_code),
            milliseconds=round(seconds * 1000, 1),
            request_id=request_id,
        )
