"""HTTP as uvicorn speaks it, and one thing more: a way around ASGI for what is asked most.

ASGI makes a scope, a task and four messages of each request, which is most of what the service
would do for a charge. So an app may have a `front` (`web/front.py`): a request that the front knows
is gathered here, handed over whole, and answered in one piece. All others are uvicorn's: those that
come while another is under way on the same connection, that want to be asked to go on, that are of
an old HTTP; and those that the front gives back.
"""

import asyncio
from typing import Any, ClassVar

from msgspec import Struct, field
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from prepaid.web.front import Front, Headers, Way

CLOSE = (b"connection", b"close")

NOBODY_LISTENS = asyncio.Event()
"""What uvicorn rings when something came of a request."""


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a way around ASGI."""

    def __init__(self, *args: Any, **told: Any) -> None:  # what uvicorn says
        super().__init__(*args, **told)
        self._front: Front | None = getattr(self.config.app, "front", None)
        self._asked: _Asked | None = None
        self._idle: _Idle | None = None
        self._is_receiving = False
        self._defaults = _Lines()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more; nor does anything hold what holds it."""
        super().connection_lost(exc)
        if self._idle is not None:
            self._idle.cancel()
        self._asked = self._idle = self.cycle = None  # type: ignore[assignment]  # as at first

    def on_message_begin(self) -> None:
        """A request begins. What ASGI needs is made once it is known that it is for the app."""
        self._is_receiving = True
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Its head is here, which says whose it is."""
        way = self._way()
        if way is None:
            self._begin_asgi()
        else:
            self._asked = _Asked(self, way, [*self.headers], self.parser.should_keep_alive())
            self.cycle = self._asked  # type: ignore[assignment]  # all that uvicorn asks of one

    def on_body(self, body: bytes) -> None:
        """A part of its body is here."""
        asked = self._asked
        if asked is None:
            super().on_body(body)
            return
        asked.body += body
        if len(asked.body) > asked.way.hot.largest:
            self._hand_back(asked)

    def on_message_complete(self) -> None:
        """It is here."""
        self._is_receiving = False
        if (asked := self._asked) is None:
            super().on_message_complete()
        elif self._begin(asked):
            asked.body.clear()
            self._asked = None
        else:
            self._hand_back(asked)
            super().on_message_complete()

    def answer(self, status: int, headers: Headers, body: bytes, *, keep_alive: bool) -> None:
        """Writes an answer."""
        defaults = self._defaults.of(self.server_state.default_headers)
        ours = _lines(headers if keep_alive else (*headers, CLOSE))
        self.transport.write(b"%b%b%b\r\n%b" % (STATUS_LINE[status], defaults, ours, body))
        if not keep_alive:
            self.transport.close()
        if self.pipeline or not keep_alive:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._rest()

    def _way(self) -> Way | None:
        """The front's, unless something about the request or the connection is uvicorn's."""
        cycle: RequestResponseCycle | None = self.cycle
        if (
            self._front is None
            or (cycle is not None and not cycle.response_complete)
            or self.expect_100_continue
            or self.flow.write_paused
            or self.parser.get_http_version() != "1.1"
            or self.parser.should_upgrade()
        ):
            return None
        return self._front.way(self.parser.get_method(), self.url)

    def _begin(self, asked: "_Asked") -> bool:
        assert self._front is not None
        return self._front.begin(asked.way, asked.headers, bytes(asked.body), asked.answer)

    def _begin_asgi(self) -> None:
        head = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, headers, self.expect_100_continue = head
        self.headers += headers  # the list that the scope has
        super().on_headers_complete()

    def _hand_back(self, asked: "_Asked") -> None:
        """Begins a request as one of ASGI's, with what has come of its body."""
        self._asked, asked.response_complete = None, True
        self._begin_asgi()
        self.cycle.keep_alive &= asked.keep_alive  # a server that stops has said no meanwhile
        if asked.body:
            super().on_body(bytes(asked.body))

    def _rest(self) -> None:
        """A connection that isn't used for a while is closed, as uvicorn does it; but to set and
        cancel a timer for each request takes longer than to look at the time."""
        if self._idle is None:
            self._idle = _Idle(self)
        self._idle.since = self.loop.time()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked, and uvicorn's own timer doesn't run."""
        return (
            not self._is_receiving
            and self.cycle.response_complete
            and self.timeout_keep_alive_task is None
        )


class _Lines:
    """Headers as they are written, which are written once while they are the same: uvicorn has
    others each second."""

    __slots__ = ("_headers", "_written")

    def __init__(self) -> None:
        self._headers: Headers = ()
        self._written = b""

    def of(self, headers: Headers) -> bytes:
        if headers is not self._headers:
            self._headers, self._written = headers, _lines(headers)
        return self._written


def _lines(headers: Headers) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


class _Idle:
    """Closes a connection that the front has answered last, and that is not used any more."""

    __slots__ = ("_protocol", "_timer", "since")

    def __init__(self, protocol: HttpProtocol) -> None:
        self._protocol = protocol
        self.since = 0.0
        self._look_in(protocol.timeout_keep_alive)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look_in(self, seconds: float) -> None:
        self._timer = self._protocol.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        protocol = self._protocol
        left = self.since + protocol.timeout_keep_alive - protocol.loop.time()
        if left <= 0 and protocol.is_idle:
            protocol.timeout_keep_alive_handler()
        else:
            self._look_in(left if left > 0 else protocol.timeout_keep_alive)


class _Asked(Struct, eq=False):
    """A request on its way around ASGI: what uvicorn's methods ask of one under way. `headers` are
    those of its head: what comes behind a body is no header."""

    protocol: HttpProtocol
    way: Way
    headers: Headers
    keep_alive: bool
    body: bytearray = field(default_factory=bytearray)
    response_complete: bool = False
    disconnected: bool = False
    message_event: ClassVar[asyncio.Event] = NOBODY_LISTENS

    def __repr__(self) -> str:
        """Without what it came with: a token is among its headers."""
        return f"_Asked({self.way.path!r})"

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Writes the answer, if anybody is left to read it. A connection that can't take it is
        closed: nobody is to wait for what never comes."""
        self.response_complete = True
        if self.disconnected or self.protocol.transport.is_closing():
            return
        try:
            self.protocol.answer(status, headers, body, keep_alive=self.keep_alive)
        except Exception:
            self.protocol.transport.close()
            raise
