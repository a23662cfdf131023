"""What goes around ASGI is answered as it would be: on the same connection, in the same words."""

import asyncio
import gc
import json
import re
import socket
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

import pytest
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response

from local_service import House, token
from prepaid.cli.protocol import HttpProtocol
from prepaid.cli.servers import Server, listen
from prepaid.core.identity import Scope
from prepaid.web.bodies import LARGEST_BATCH
from prepaid.web.front import Answer, Asked, Front, Hot, Later, Unusual

CREDITS = "/api/iam/v1/usage/credits"
CHARGES = "/api/iam/v1/usage/charges"
RESERVATIONS = "/api/iam/v1/usage/reservations"


@pytest.fixture
def line(house: House) -> Iterator[socket.socket]:
    """A connection to the service, over which anything can be said."""
    parts = urlsplit(house.url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        yield connection


@pytest.fixture
def secret(house: House, user: str) -> str:
    """A user's token, of which it is known for ten seconds whose it is."""
    house.get(CREDITS, user)
    return user


def asked(secret: str, version: str = "1.1", *more: str, origin: bool = False) -> bytes:
    """A request for a balance, which the front answers unless it has an origin."""
    passes = ("Origin: https://elsewhere.example",) if origin else ()
    lines = (
        f"GET {CREDITS} HTTP/{version}",
        "Host: credits.example.com",
        f"Authorization: Bearer {secret}",
        *more,
        *passes,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answers(line: socket.socket, count: int) -> list[tuple[list[str], bytes]]:
    """So many answers, each as its head's lines and its body."""
    read, file = [], line.makefile("rb")
    for _ in range(count):
        head = []
        while written := file.readline().strip():
            head.append(written.decode())
        (length,) = [int(one.split(": ")[1]) for one in head if one.startswith("content-length")]
        read.append((head, file.read(length)))
    return read


def is_closed(line: socket.socket) -> bool:
    """Whether the service has ended the connection."""
    return line.recv(1) == b""


def told(head: list[str]) -> list[str]:
    """What a head says, whenever and of whichever request; in any order."""
    return sorted(re.sub(r"^(date|x-request-id|content-length): .*", r"\1", one) for one in head)


def goes_around(head: list[str]) -> bool:
    """Whether the front has answered: the app says for each answer that it depends on the
    origin."""
    return not any(one.startswith("vary") for one in head)


def test_a_head_says_what_the_routes_would_say(line: socket.socket, secret: str) -> None:
    line.sendall(asked(secret))
    ((whole, _),) = answers(line, 1)
    line.sendall(asked(secret, origin=True))
    ((parts, _),) = answers(line, 1)
    assert whole[0] == parts[0] == "HTTP/1.1 200 OK"
    for_origins = ("vary", "access-control-")
    assert goes_around(whole)
    assert not goes_around(parts)
    assert told(whole) == [one for one in told(parts) if not one.startswith(for_origins)]


def test_requests_that_come_at_once_are_answered_in_their_order(
    line: socket.socket, secret: str
) -> None:
    line.sendall(asked(secret) + asked("nobody's") + asked(secret) + asked("nobody's"))
    statuses = [head[0].split()[1] for head, _ in answers(line, 4)]
    assert statuses == ["200", "401", "200", "401"]


def test_a_connection_serves_one_request_after_another(line: socket.socket, secret: str) -> None:
    for _ in range(3):
        line.sendall(asked(secret))
        ((_, body),) = answers(line, 1)
        assert body.startswith(b"{")


@pytest.mark.parametrize(("version", "more"), [("1.1", ["Connection: close"]), ("1.0", [])])
def test_who_wants_one_answer_is_left_after_it(
    version: str, more: list[str], line: socket.socket, secret: str
) -> None:
    line.sendall(asked(secret, version, *more))
    ((head, _),) = answers(line, 1)
    assert "connection: close" in head
    assert is_closed(line)


def test_who_has_gone_hurts_nobody(line: socket.socket, house: House, secret: str) -> None:
    line.sendall(asked(secret))
    line.close()
    assert house.get(CREDITS, secret)["success"] is True


def said(first_line: str, secret: str, body: bytes, *more: str) -> bytes:
    """A request with a body of JSON, whose length it says unless it comes in chunks."""
    sized = not any(one.startswith("Transfer") for one in more)
    length = (f"Content-Length: {len(body)}",) if sized else ()
    lines = (
        f"{first_line} HTTP/1.1",
        "Host: credits.example.com",
        f"Authorization: Bearer {secret}",
        "Content-Type: application/json",
        *(*length, *more),
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def charge(secret: str, body: bytes, *more: str) -> bytes:
    """A request for a charge."""
    return said(f"POST {CHARGES}", secret, body, *more)


ONE = b'{"credits": 1, "key": "k"}'


def refused(line: socket.socket) -> tuple[bool, str]:
    """Whether the front has refused the charge, and its code."""
    ((head, body),) = answers(line, 1)
    assert not head[0].startswith("HTTP/1.1 2")
    return goes_around(head), json.loads(body)["code"]


def test_a_body_may_come_in_pieces(line: socket.socket, secret: str) -> None:
    written = charge(secret, ONE)
    for start in range(0, len(written), 7):
        line.sendall(written[start : start + 7])
    assert refused(line) == (True, "insufficient_credits")
    line.sendall(charge(secret, chunked(ONE, 5), CHUNKED))
    assert refused(line) == (True, "insufficient_credits")


def chunked(body: bytes, size: int, trailer: bytes = b"") -> bytes:
    """A body in chunks of so many bytes, and what comes behind it."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join([b"%x\r\n%s\r\n" % (len(one), one) for one in parts]) + b"0\r\n%s\r\n" % trailer


CHUNKED = "Transfer-Encoding: chunked"


def test_a_body_in_a_million_pieces_holds_nobody_up(
    line: socket.socket, house: House, user: str
) -> None:
    """Each is looked at once: a body that was copied for each took minutes."""
    written = charge(user, chunked(ONE + b" " * 900_000, 1), CHUNKED)
    house.get(CREDITS, user)  # from now on it is known whose it is
    began = time.monotonic()
    line.sendall(written)
    assert refused(line) == (True, "insufficient_credits")
    assert time.monotonic() - began < 10


def test_what_comes_behind_a_body_is_no_header(line: socket.socket, secret: str) -> None:
    other = b"Authorization: Bearer nobody's\r\n"
    line.sendall(charge(secret, chunked(ONE, 9, other), CHUNKED))
    assert refused(line) == (True, "insufficient_credits")


def test_of_two_headers_the_first_counts(line: socket.socket, secret: str) -> None:
    """As it does for the routes."""
    for more in ((), ("Origin: https://elsewhere.example",)):
        line.sendall(charge(secret, ONE, "Authorization: Bearer nobody's", *more))
        assert refused(line) == (not more, "insufficient_credits")


def test_what_is_unusual_is_given_to_the_app_whole(line: socket.socket, secret: str) -> None:
    """By its head; by its body, when all of it is here; and by its size, before."""
    line.sendall(charge(secret, ONE, "Origin: https://elsewhere.example"))
    assert refused(line) == (False, "insufficient_credits")
    line.sendall(charge(secret, b'{"credits": "1", "key": "k"}'))
    assert refused(line) == (False, "insufficient_credits")
    line.sendall(charge(secret, ONE + b" " * LARGEST_BATCH))
    assert refused(line) == (False, "too_large")


def test_who_wants_to_be_asked_to_go_on_is(line: socket.socket, secret: str) -> None:
    head, body = charge(secret, ONE, "Expect: 100-continue").split(b"{")
    line.sendall(head)
    assert line.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.sendall(b"{" + body)
    assert refused(line) == (False, "insufficient_credits")


def test_what_comes_while_another_is_under_way_waits_for_it(
    line: socket.socket, secret: str
) -> None:
    line.sendall(charge(secret, ONE) * 3)
    told = answers(line, 3)
    assert [head[0].split()[1] for head, _ in told] == ["402"] * 3
    assert [goes_around(head) for head, _ in told] == [True, False, False]
    line.sendall(charge(secret, ONE))
    assert refused(line) == (True, "insufficient_credits")


@pytest.mark.parametrize(
    ("asks", "of_another", "left"),
    [
        ((f"POST {RESERVATIONS}/{{name}}/heartbeat", b""), "unknown_reservation", 10),
        ((f"POST {CHARGES}", ONE), "insufficient_credits", 9),
        ((f"POST {CHARGES}/batch", b'{"charges": [%s]}' % ONE), "OK", 9),
        ((f"GET {CREDITS}", b""), "OK", 10),
    ],
)
def test_who_is_not_remembered_goes_around_too(  # noqa: PLR0913, PLR0917 - fixtures among them
    asks: tuple[str, bytes], of_another: str, left: int, line: socket.socket, house: House, uid: str
) -> None:
    """A kernel that has a token of its own comes when that is just forgotten. What it is told is
    what the route tells, and a key is charged once to whose it is."""
    own = house.key(Scope.USER, uid).secret
    house.post("/api/iam/v1/accounts", house.admin(), {"uid": uid}, 201)
    granted = {"credits": 10, "key": "start", "reason": "to spend"}
    house.post(f"/api/iam/v1/accounts/{uid}/grants", house.admin(), granted, 201)
    asked = {"resource": "k1", "burning_rate": 0, "credits": 5, "key": "h"}
    name = house.post(RESERVATIONS, own, asked, 201)["reservation"]["id"]
    revoked = house.key(Scope.USER, uid)
    house.ask("DELETE", f"/api/iam/v1/api-keys/{revoked.key.id}", own)
    for secret, expected in (
        (house.key(Scope.USER, uid).secret, "OK"),
        (token(uid, handle="ada"), "OK"),
        (token(f"not-{uid}"), of_another),
        (revoked.secret, "unauthenticated"),
        ("prepaid_none", "unauthenticated"),
    ):
        first_line, body = asks
        line.sendall(said(first_line.format(name=name), secret, body))
        ((told, answered),) = answers(line, 1)
        assert goes_around(told)
        answer = json.loads(answered)
        assert answer.get("code", answer["message"]) == expected
    assert house.get(CREDITS, own)["balance"] == left


@pytest.mark.parametrize("written", ["Bearer", "Bearer ", "Bearer  \t", "bearer x", ""])
def test_who_shows_no_token_is_told_so_by_the_route(line: socket.socket, written: str) -> None:
    head = "POST /api/iam/v1/usage/reservations/r/heartbeat HTTP/1.1\r\nHost: x\r\n"
    line.sendall(f"{head}Content-Length: 0\r\nAuthorization: {written}\r\n\r\n".encode())
    ((told, body),) = answers(line, 1)
    assert not goes_around(told)
    assert json.loads(body)["code"] == "unauthenticated"


def test_nobody_is_told_twice_where_a_request_is_followed_by_what_is_none(
    line: socket.socket, house: House
) -> None:
    """Not even if another is in between; and the service goes on."""
    head = "POST /api/iam/v1/usage/reservations/r/heartbeat HTTP/1.1\r\nHost: x\r\n"
    whole = f"{head}Content-Length: 0\r\nAuthorization: Bearer prepaid_none\r\n\r\n".encode()
    with structlog.testing.capture_logs() as logs:
        line.sendall(whole + whole + b"no request\r\n\r\n")
        file = line.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 400")
        assert b"HTTP/1.1" not in file.read()
        assert house.get("/healthz", None)
    assert "answer_failed" not in [one["event"] for one in logs]


def test_a_reservation_of_another_form_is_the_apps(line: socket.socket, secret: str) -> None:
    path = f"POST {CREDITS.replace('credits', 'reservations/runtime%2D1/heartbeat')} HTTP/1.1"
    line.sendall(charge(secret, b"").replace(charge(secret, b"").split(b"\r\n")[0], path.encode()))
    assert refused(line)[0] is False


class Quick(Starlette):
    """An app whose front says yes to everybody."""

    def __init__(self, answer: Callable[[str], Response] = PlainTextResponse) -> None:
        super().__init__()
        self._answer = answer
        yes, no = Hot(self._yes, is_json=False), Hot(self._no, largest=9, is_json=False)
        self.front = Front({("GET", "/"): yes, ("POST", "/"): no})
        nobody: Any = None
        self.front.open(nobody, nobody)

    def _yes(self, _: Asked) -> Later[str]:
        known = asyncio.get_running_loop().create_future()
        known.set_result("yes")
        return Later(known, self._answer)

    def _no(self, _: Asked) -> Later[str]:
        raise Unusual


class Made(PlainTextResponse):
    """An answer that is noted when it is made."""

    notes: ClassVar[list[str]] = []

    def render(self, content: Any) -> bytes:
        self.notes.append("made")
        return bytes(super().render(content))


async def begun(answers: Sequence[Answer]) -> None:
    """Requests that are asked at once; all is over when what is due by now is done."""
    Made.notes.clear()
    front = Quick(Made).front
    way = front.way(b"GET", b"/")
    assert way
    for answer in answers:
        assert front.begin(way, (), b"", answer)
    for _ in range(3):  # what was asked is known, answered, written
        await asyncio.sleep(0)


async def test_answers_that_are_known_at_once_are_all_made_before_any_is_written() -> None:
    def answer(place: int) -> Answer:
        return lambda *_: Made.notes.append(f"written {place}")

    await begun([answer(place) for place in range(3)])
    assert Made.notes == ["made", "made", "made", "written 0", "written 1", "written 2"]


async def test_an_answer_that_cannot_be_written_is_no_others_concern() -> None:
    def broken(*_: object) -> NoReturn:
        raise RuntimeError("the connection has broken off")

    with structlog.testing.capture_logs() as logs:
        await begun([broken, lambda _, __, body: Made.notes.append(body.decode())])
    assert Made.notes[-1] == "yes"
    assert "answer_failed" in [one["event"] for one in logs]


@dataclass
class Line:
    """A connection, and what the server has of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: Server

    @property
    def protocol(self) -> HttpProtocol:
        (found,) = self.server.server_state.connections
        assert isinstance(found, HttpProtocol)
        return found

    async def answered(self) -> None:
        self.writer.write(GET)
        assert (await self.reader.readuntil(b"yes")).startswith(b"HTTP/1.1 200")


@pytest.fixture
async def quick() -> AsyncIterator[Line]:
    """A connection to a server that closes those that are idle for a second."""
    listening = listen("127.0.0.1", 0)
    told: Any = {"ws": "none", "lifespan": "off", "log_config": None, "timeout_keep_alive": 1}
    server = Server(uvicorn.Config(Quick(), http=HttpProtocol, **told))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    await server.ready.wait()
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    yield Line(reader, writer, server)
    writer.close()
    server.should_exit = True
    await running


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_connection_that_is_not_used_is_closed(quick: Line) -> None:
    for _ in range(2):
        await quick.answered()
    began = time.monotonic()
    await quick.answered()
    assert await quick.reader.read() == b""
    assert time.monotonic() - began >= 1


async def test_a_request_that_takes_its_time_to_come_is_waited_for(quick: Line) -> None:
    await quick.answered()
    quick.writer.write(GET[:9])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(quick.reader.read(1), 2.2)
    quick.writer.write(GET[9:])
    await quick.reader.readuntil(b"yes")


async def test_a_server_that_stops_closes_also_what_is_handed_back(quick: Line) -> None:
    await quick.answered()
    protocol = quick.protocol
    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    protocol.shutdown()
    protocol.data_received(b"abc")
    told = await quick.reader.read()
    assert told.startswith(b"HTTP/1.1 404")
    assert b"connection: close" in told


async def test_a_connection_that_has_ended_is_garbage_at_once(quick: Line) -> None:
    """Nothing waits for the collector, which comes seldom."""
    await quick.answered()
    gone = weakref.ref(quick.protocol)
    gc.disable()
    try:
        quick.writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await quick.reader.read()
        assert not quick.server.server_state.connections
        assert gone() is None
    finally:
        gc.enable()


async def test_who_cannot_be_told_is_left_instead_of_kept_waiting(quick: Line) -> None:
    """And what is said of the request in a log has no token in it."""
    await quick.answered()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\nContent-Length: 3"
    quick.protocol.data_received(head + b"\r\n\r\n")
    under_way = quick.protocol._asked
    assert under_way
    assert "secret" not in repr(under_way)
    no_header: Any = "neither name nor value"
    with pytest.raises(TypeError):
        under_way.answer(200, [no_header], b"")
    assert await quick.reader.read() == b""
