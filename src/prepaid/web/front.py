"""The front: what is asked most is answered here, before routes, dependencies and models.

Charges, heartbeats, balances and webhooks come by the thousand, and to make an ASGI message, a task
and a scope of each, find its route, solve its dependencies and check its model takes twenty times
what the ledger needs. Here the path is looked up in a dict, the body is read by msgspec, and the
answer is made by the functions that the routes use, in two steps: the first asks the ledger or the
reader, the second runs when these have answered. The server (`cli/protocol.py`) hands requests over
before it would begin one of ASGI's. Whatever is unusual (another form of the body, an origin,
another query, no token) goes on to the app as it came: its routes know every rule, and say what is
wrong.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Generic, NamedTuple, TypeVar

import structlog
import uuid_utils
from msgspec import Struct
from starlette.responses import Response

from prepaid.core.errors import LedgerUnavailable, Refusal
from prepaid.core.identity import Caller
from prepaid.service import Service
from prepaid.web import problems
from prepaid.web.callers import Identity

SLOW_SECONDS = 1
"""A request that took longer is written down, though it went well."""

BEARER = b"Bearer "
USUAL = frozenset((b"application/json", b"application/json; charset=utf-8"))
"""Content types of bodies that are read here."""

TAIL = re.compile(rb"[A-Za-z0-9._-]+")
"""What may vary in a path: it means what it says."""

Headers = Sequence[tuple[bytes, bytes]]
Answer = Callable[[int, Headers, bytes], None]
"""What takes an answer: its status, its headers (a content length is among them), its body."""

log = structlog.get_logger(__name__)


T = TypeVar("T")


class Unusual(Exception):  # noqa: N818 - it is what is found
    """Something for the app's routes. Nothing was done."""


class Asked(Struct):
    """A request as it came, whole. `tail` is what its path has that varies."""

    service: Service
    identity: Identity
    headers: Mapping[bytes, bytes]
    body: bytes
    query: bytes
    tail: str

    def __repr__(self) -> str:
        """Without what it came with: a token is among its headers."""
        return f"Asked({self.tail!r})"

    def by(self, begin: Callable[[Caller], asyncio.Future[T]]) -> asyncio.Future[T]:
        """What comes of something that is begun for whoever asks: at once, or when it is found out
        who that is. So it is too late for `begin` to find something unusual.

        Raises:
            Unusual: it isn't said in the usual way.
        """
        token = self._token()
        if caller := self.identity.known(token):
            return begin(caller)
        return asyncio.create_task(self._by(token, begin), name="who asks")

    async def _by(self, token: str, begin: Callable[[Caller], asyncio.Future[T]]) -> T:
        return await begin(await self.identity.caller(token))

    def _token(self) -> str:
        written = self.headers.get(b"authorization", b"")
        if not (written.startswith(BEARER) and written.isascii()):
            raise Unusual
        if token := written[len(BEARER) :].decode().strip():
            return token
        raise Unusual


class Later(Struct, Generic[T]):
    """What will be known, and the answer that is made of it; that may be refused too."""

    known: asyncio.Future[T]
    answer: Callable[[T], Response]


@dataclass(frozen=True, slots=True)
class Hot:
    """How a route that is asked often is answered. Bodies of up to `largest` bytes are read.
    `begin` may raise Unusual, or a Refusal."""

    begin: Callable[[Asked], Later[Any]]
    largest: int = 0
    is_json: bool = True


class Way(NamedTuple):
    """How a request is answered here. `tail` is what its path has that varies."""

    hot: Hot
    method: bytes
    path: bytes
    query: bytes
    tail: str = ""


class Front:
    """Answers what `hot` has, by method and path, once it is open. A path in it may have one `*`,
    which stands for what varies."""

    def __init__(self, hot: Mapping[tuple[str, str], Hot]) -> None:
        written = {(method.encode(), path.encode()): one for (method, path), one in hot.items()}
        self._ways = {
            name: Way(one, *name, b"") for name, one in written.items() if b"*" not in name[1]
        }
        self._varying = [(*name, one) for name, one in written.items() if b"*" in name[1]]
        self._outbox: _Outbox
        self._service: Service
        self._identity: Identity

    def open(self, service: Service, identity: Identity) -> None:
        """Answers with this service from now on, and asks here who calls."""
        self._service, self._identity, self._outbox = service, identity, _Outbox()

    def way(self, method: bytes, url: bytes) -> Way | None:
        """How a request is answered here, if it is, as far as its first line says."""
        if way := self._ways.get((method, url)):
            return way
        path, _, query = url.partition(b"?")
        if way := self._ways.get((method, path)):
            return way._replace(query=query)
        for kind, pattern, hot in self._varying:
            before, _, after = pattern.partition(b"*")
            if kind == method and path.startswith(before) and path.endswith(after):
                tail = path[len(before) : len(path) - len(after)]
                if TAIL.fullmatch(tail):
                    return Way(hot, method, path, query, tail.decode())
        return None

    def begin(self, way: Way, headers: Headers, body: bytes, answer: Answer) -> bool:
        """Begins to answer a request that is here, whole: `answer` is called once, later.
        False if it is for the app after all; nothing was done then."""
        exchange = _Exchange(self._service, way, answer, self._outbox, perf_counter())
        try:
            later = way.hot.begin(self._asked(way, _first(headers), body))
        except Unusual:
            return False
        except Exception as error:  # noqa: BLE001 - it is told, and ours are written down
            exchange.answer(exchange.refused(error))
        else:
            later.known.add_done_callback(lambda known: exchange.end(known, later.answer))
        return True

    def _asked(self, way: Way, headers: dict[bytes, bytes], body: bytes) -> Asked:
        if b"origin" in headers:
            raise Unusual
        if way.hot.is_json and headers.get(b"content-type") not in USUAL:
            raise Unusual
        return Asked(self._service, self._identity, headers, body, way.query, way.tail)


def _first(headers: Headers) -> dict[bytes, bytes]:
    """Of those that come twice the first, as in the routes."""
    return dict(reversed(headers))


class _Exchange(Struct):
    """A request that is being answered."""

    service: Service
    way: Way
    write: Answer
    outbox: "_Outbox"
    began: float
    request_id: str = ""

    def end(self, known: asyncio.Future[T], answer: Callable[[T], Response]) -> None:
        if known.cancelled():
            told = self.refused(LedgerUnavailable("The service is stopping; send it again."))
        elif (error := known.exception()) is not None:
            assert isinstance(error, Exception)
            told = self.refused(error)
        else:
            told = self.told(known.result(), answer)
        self.answer(told)

    def told(self, found: T, answer: Callable[[T], Response]) -> Response:
        try:
            return answer(found)
        except Exception as error:  # noqa: BLE001 - it is told, and ours are written down
            return self.refused(error)

    def refused(self, error: Exception) -> Response:
        if isinstance(error, Refusal):
            return problems.refused(error, self.service.settings)
        self.request_id = str(uuid_utils.uuid7())
        with structlog.contextvars.bound_contextvars(request_id=self.request_id):
            return problems.fault(self.way.path.decode(), error)

    def answer(self, told: Response) -> None:
        """Has an answer written, and writes it down unless all went well, as it does most times: a
        line in the log costs as much as a charge."""
        request_id = self.request_id or str(uuid_utils.uuid7())
        headers = [*told.raw_headers, (b"x-request-id", request_id.encode())]
        self.outbox.add(self.write, told.status_code, headers, bytes(told.body))
        seconds = perf_counter() - self.began
        if told.status_code >= 300 or seconds > SLOW_SECONDS:  # noqa: PLR2004 - HTTP's own
            log.info(
                "request",
                method=self.way.method.decode(),
                path=self.way.path.decode(),
                status=int(told.status_code),
                milliseconds=round(seconds * 1000, 1),
                request_id=request_id,
            )


class _Outbox:
    """Answers that are known, written one right after the other once all of a batch are made.

    To write to a connection wakes up who waits for it, which costs both sides more than the answer:
    a client that is still busy with the last one needn't be woken for the next.
    """

    def __init__(self) -> None:
        self._answers: list[tuple[Answer, int, Headers, bytes]] = []

    def add(self, write: Answer, status: int, headers: Headers, body: bytes) -> None:
        if not self._answers:
            asyncio.get_running_loop().call_soon(self._send)
        self._answers.append((write, status, headers, body))

    def _send(self) -> None:
        answers, self._answers = self._answers, []
        for write, status, headers, body in answers:
            try:
                write(status, headers, body)
            except Exception:  # it is no other's concern
                log.exception("answer_failed", status=status)
