"""An answer that is written in one piece is what ASGI's two messages would have made."""

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from local_service import House
from prepaid.core.identity import Scope

CREDITS = "/api/iam/v1/usage/credits"


@pytest.fixture
def line(house: House) -> Iterator[socket.socket]:
    """A connection to the service, over which anything can be said."""
    parts = urlsplit(house.url)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        yield connection


@pytest.fixture
def secret(house: House, uid: str) -> str:
    """A key of a user's."""
    house.post("/api/iam/v1/accounts", house.admin(), {"uid": uid}, 201)
    return house.key(Scope.USER, uid).secret


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


def test_a_head_says_what_the_routes_would_say(line: socket.socket, secret: str) -> None:
    line.sendall(asked(secret) + asked(secret, origin=True))
    (whole, _), (parts, _) = answers(line, 2)
    assert whole[0] == parts[0] == "HTTP/1.1 200 OK"
    for_origins = ("vary", "access-control-")
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
