"""HTTP as uvicorn speaks it, and one thing more: an answer that is whole is written in one piece.

ASGI sends an answer in two messages. uvicorn writes each to the socket by itself, and looks at
every header for what must not be in it: a fifth of all that the service does for a charge. So an
app finds `scope["extensions"]["whole"]["answer"]`, which takes an answer at once; it says False
where ASGI's own way has to be taken, and has done nothing then.
"""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

EXTENSION = "whole"


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose requests can be answered whole."""

    def on_headers_complete(self) -> None:
        """Begins a request; the app runs when the loop comes round to it."""
        super().on_headers_complete()
        self.scope["extensions"] = {EXTENSION: {"answer": _Cycle(self.cycle).answer}}


class _Cycle:
    """One request and its answer, of uvicorn's."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
        """Writes an answer, if it can: its status, headers of the app's own (a content length is
        among them), and its body."""
        cycle = self._cycle
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        written = [STATUS_LINE[status]]
        for name, value in (*cycle.default_headers, *headers):
            written += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            written.append(b"connection: close\r\n")
        cycle.transport.write(b"".join((*written, b"\r\n", body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True
