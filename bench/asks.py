"""The requests of a load, as bytes: what load.lua makes for wrk, for our own client."""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from random import SystemRandom
from uuid import uuid4

from bench.load import BATCH, CREDITS, Kind, Load, account

CHARGES = "/api/iam/v1/usage/charges"
CREDITS_OF = "/api/iam/v1/usage/credits?account_uid="
RESERVATIONS = "/api/iam/v1/usage/reservations"

Ask = tuple[str, bytes]
"""The key under which it is known, if it has one, and the request."""


def asks(load: Load) -> Iterator[Ask]:
    """Requests of a load; those that are read from lines end with them."""
    return _KINDS[load.kind](load)


def charge_body(uid: str, key: str) -> str:
    """A charge as JSON."""
    return (
        f'{{"account_uid":"{uid}","credits":{CREDITS},"key":"{key}",'
        '"resource":"kernel-0001","resource_type":"kernel"}'
    )


def request(method: str, path: str, token: str, body: bytes = b"", headers: str = "") -> bytes:
    """A request as it is sent."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def framed(asked: bytes) -> bytes:
    """A request as a file of requests has it: behind its length."""
    return b"%08d" % len(asked) + asked


def _charges(load: Load) -> Iterator[Ask]:
    while True:
        key = uuid4().hex
        yield key, request("POST", CHARGES, load.token, charge_body(_anybody(load), key).encode())


def _batches(load: Load) -> Iterator[Ask]:
    while True:
        made = ",".join(charge_body(_anybody(load), uuid4().hex) for _ in range(BATCH))
        body = f'{{"charges":[{made}]}}'.encode()
        yield "", request("POST", f"{CHARGES}/batch", load.token, body)


def _webhooks(load: Load) -> Iterator[Ask]:
    with _lines(load).open("rb") as file:
        while length := file.read(8):
            yield "", file.read(int(length))


def _reads(load: Load) -> Iterator[Ask]:
    while True:
        yield "", request("GET", CREDITS_OF + _anybody(load), load.token)


def _empty(load: Load) -> Iterator[Ask]:
    while True:
        yield "", request("GET", "/", load.token)


def _heartbeats(load: Load) -> Iterator[Ask]:
    """One for each reservation, and again from the first."""
    for id_ in cycle(_lines(load).read_text().split()):
        yield id_, request("POST", f"{RESERVATIONS}/{id_}/heartbeat", load.token)


def _anybody(load: Load) -> str:
    return account(_ANY.randrange(load.accounts))


def _lines(load: Load) -> Path:
    assert load.lines is not None, f"{load.kind} are read from a file"
    return Path(load.lines)


_ANY = SystemRandom()

_KINDS: dict[Kind, Callable[[Load], Iterator[Ask]]] = {
    Kind.CHARGES: _charges,
    Kind.BATCHES: _batches,
    Kind.WEBHOOKS: _webhooks,
    Kind.READS: _reads,
    Kind.EMPTY: _empty,
    Kind.HEARTBEATS: _heartbeats,
}
