"""The stream: what happens to an account, told as it happens, as server-sent events."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from prepaid.core.errors import Unavailable
from prepaid.core.notices import Notice
from prepaid.exact import encode, number
from prepaid.flows import news
from prepaid.flows.changes import Listener
from prepaid.flows.news import News, Position
from prepaid.service import Service
from prepaid.web.auth import TheAccount, TheIdentity, TheService, Token
from prepaid.web.bodies import CreditsNumber
from prepaid.web.callers import Identity
from prepaid.web.openapi import refusals
from prepaid.web.problems import RETRY_AFTER_SECONDS
from prepaid.web.reservations import Seconds
from prepaid.web.usage import BalanceTold, balance_out
from prepaid.wire import entry_out

router = APIRouter(tags=["usage"])

HEARTBEAT_SECONDS = 15
"""How often a stream says that it lives, and asks whether its token still does. Proxies give up
on a connection that is silent for thirty seconds or more."""

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold events back

FORGOTTEN = "More has happened than is told here, or the last event's id is none of this account's."


class NoticeOut(BaseModel):
    """What happened to a reservation. `used` is what it had cost by then, `seconds_left` how long
    it could go on; null if it doesn't burn."""

    number: int
    type: str
    at: datetime
    reservation_id: str
    resource: str
    resource_type: str
    state: str
    burning_rate: CreditsNumber
    used: CreditsNumber
    seconds_left: Seconds | None
    why: str


MODELS = (BalanceTold, NoticeOut)
"""What events tell, and no JSON answer does."""


def _event(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """How OpenAPI 3.2 describes an event: its data is a text, and that is JSON."""
    text = {"type": "string", "contentMediaType": "application/json", "contentSchema": told}
    properties = {"event": {"const": name}, "id": {"type": "string"}, "data": text}
    return {"type": "object", "required": [*properties], "properties": properties}


def _model(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


EVENTS = [
    _event("balance", _model("BalanceTold")),
    _event("entry", _model("EntryOut")),
    _event("notice", _model("NoticeOut")),
    _event("reset", {"type": "object", "properties": {"why": {"type": "string"}}}),
]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"itemSchema": {"oneOf": EVENTS}}}}
}


class EventStream(StreamingResponse):
    """Server-sent events, written already: FastAPI's own response would write credits as floats.

    A reader who hangs up ends their listening, and with it the events. Starlette would break off
    whatever is being done for them: within a query that costs a connection to the database.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes], listener: Listener) -> None:
        super().__init__(events, headers=HEADERS)
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends events until they end."""
        del scope
        hearing = asyncio.create_task(self._hear(receive))
        try:
            await self.stream_response(send)
        finally:
            hearing.cancel()

    async def _hear(self, receive: Receive) -> None:
        await self.listen_for_disconnect(receive)
        self._listener.end()


async def _listening(service: TheService, account_uid: TheAccount) -> AsyncIterator[Listener]:
    """Who listens, until the answer is over."""
    with service.changes.listening(account_uid) as listener:
        yield listener


@router.get(
    "/api/iam/v1/usage/stream",
    status_code=200,
    response_class=EventStream,
    responses=STREAM | refusals(401, 403, 404, 409, 422, 503),
)
async def stream(
    service: TheService,
    identity: TheIdentity,
    token: Token,
    listener: Annotated[Listener, Depends(_listening)],
    last_event_id: Annotated[
        str, Header(description="The id of the last event that was read: tells what came after it.")
    ] = "",
) -> Response:
    """The balance now, and then whatever changes, until the token ends.

    Events are `balance` (as GET credits tells it), `entry` and `notice` (each once, in order), and
    `reset`: read the history again, what came between is not told. A comment every 15 seconds
    says that the stream lives.
    """
    end = await news.end(service.database, listener.uid)
    asked = _position(last_event_id)
    since = asked if asked is not None and asked.is_near(end) else end
    telling = _Telling(service, identity, token, listener, since)
    is_forgotten = last_event_id != "" and since is not asked
    return EventStream(telling.events(is_forgotten=is_forgotten), listener)


@dataclass(slots=True)
class _Telling:
    """Tells a listener what happens. It holds no more than one page of it, however slowly it is
    read: what came meanwhile is read from the books afterwards."""

    service: Service
    identity: Identity
    token: str
    listener: Listener
    since: Position

    async def events(self, *, is_forgotten: bool) -> AsyncIterator[bytes]:
        """The stream's bytes, until the token or the service ends."""
        yield format_sse_event(retry=RETRY_AFTER_SECONDS * 1000)
        if is_forgotten:
            yield _written("reset", {"why": FORGOTTEN}, self.since)
        due, is_behind = _ticks() + HEARTBEAT_SECONDS, True
        while not self.listener.ended:
            if _ticks() >= due:
                yield format_sse_event(comment="still here")
                if not await self.identity.still(self.token):
                    return
                due = _ticks() + HEARTBEAT_SECONDS
                self._look_again()
            if is_behind:
                found, is_behind = await self._news()
                yield found
            else:
                is_behind = await self.listener.change(due - _ticks())

    async def _news(self) -> tuple[bytes, bool]:
        """The next page of events, and whether there is more. While the database is away there
        is none; its return wakes the listener."""
        known = self.listener.seen
        try:
            found = await self.service.changes.news(self.listener, self.since)
        except Unavailable:
            return b"", False
        told = b"".join(_all(found, self.since)) if found.account != known else b""
        self.since = found.position
        return told, not found.is_all

    def _look_again(self) -> None:
        """What runs says that it lives, which changes nothing of the account itself."""
        if self.listener.seen is not None and self.listener.seen.open:
            self.listener.seen = None


def notice_out(notice: Notice) -> NoticeOut:
    """A notice as it is written on the wire."""
    left = notice.time_left
    return NoticeOut(
        number=notice.number,
        type=notice.type,
        at=notice.at,
        reservation_id=f"{notice.resource_type}-{notice.reservation_id}",
        resource=notice.resource,
        resource_type=notice.resource_type,
        state=notice.state,
        burning_rate=number(notice.burning_rate),
        used=number(notice.used),
        seconds_left=None if left is None else _seconds(left),
        why=notice.why,
    )


def _all(found: News, since: Position) -> Iterator[bytes]:
    """Entries and notices, each with the id of how far one has read with it, then the balance."""
    for entry in found.entries:
        yield _written("entry", entry_out(entry), Position(entry.number, since.notice))
    for notice in found.notices:
        told = notice_out(notice).model_dump()
        yield _written("notice", told, Position(found.position.entry, notice.number))
    if found.balance is not None:
        yield _written("balance", balance_out(found.balance, BalanceTold), found.position)


def _written(name: str, told: object, read: Position) -> bytes:
    text = encode(told).decode()
    return format_sse_event(event=name, data_str=text, id=f"{read.entry}.{read.notice}")


def _position(written: str) -> Position | None:
    """How far the reader of an event with this id had read; None if it is no event's."""
    found = re.fullmatch(r"([0-9]{1,19})\.([0-9]{1,19})", written)
    return None if found is None else Position(int(found[1]), int(found[2]))


def _seconds(left: timedelta) -> Decimal:
    """With three decimals, rounded down."""
    return Decimal(left // timedelta(milliseconds=1)).scaleb(-3)


_ticks = time.monotonic
