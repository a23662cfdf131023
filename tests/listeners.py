"""Listeners for tests: each reads one stream in a thread of its own, and keeps what it was told."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from local_service import bearer
from local_stripe import DEADLINE_SECONDS, Json, wait_for

STREAM = "/api/iam/v1/usage/stream"


@dataclass(frozen=True)
class Told:
    """One event, and when it came."""

    name: str
    id: str
    document: Json
    at: float


@dataclass
class Listener:
    """What a stream has told so far.

    `ending` is empty while it goes on; then `whole` if the service ended it, else `broken`.
    """

    answer: httpx.Response
    told: list[Told] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    retry: str = ""
    ending: str = ""

    def of(self, name: str) -> list[Json]:
        """The documents of all events of one kind."""
        return [one.document for one in self.told if one.name == name]

    def numbers(self, name: str = "entry") -> list[int]:
        """The numbers of all entries, or notices, in the order in which they came."""
        return [one["number"] for one in self.of(name)]

    def types(self) -> list[str]:
        """What was noticed, by the last word of its type."""
        return [one["type"].rpartition(".")[2] for one in self.of("notice")]

    @property
    def balance(self) -> object:
        """What was told last of what is posted."""
        return self.of("balance")[-1]["credits"]["credits"] if self.of("balance") else None

    def read(self) -> None:
        """Reads until the stream ends, one way or the other."""
        unread = b""
        try:
            for chunk in self.answer.iter_bytes():
                *blocks, unread = (unread + chunk).split(b"\n\n")
                for block in blocks:
                    self._take(block.decode())
            self.ending = "whole"
        except httpx.TransportError:
            self.ending = "broken"

    def hang_up(self) -> None:
        """Breaks the connection, also under whoever is reading from it."""
        wire = self.answer.extensions["network_stream"].get_extra_info("socket")
        wire.shutdown(socket.SHUT_RDWR)

    def _take(self, block: str) -> None:
        said: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, text = line.partition(": ")
            if not name:
                self.comments.append(text)
            said[name] = text
        self.retry = said.get("retry", self.retry)
        if "data" in said:
            document = json.loads(said["data"], parse_float=str)
            self.told.append(Told(said["event"], said["id"], document, time.monotonic()))


@contextmanager
def listening(url: str, secret: str, last: str = "", account: str = "") -> Iterator[Listener]:
    """Somebody who reads an account's stream, from the balance on, until the block ends."""
    with opened(url, secret, last, account) as listener:
        thread = threading.Thread(target=listener.read)
        thread.start()
        try:
            wait_for(lambda: listener.told or listener.ending)
            yield listener
        finally:
            if not listener.ending:
                listener.hang_up()
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()


@contextmanager
def opened(
    url: str, secret: str, last: str = "", account: str = "", *, narrow: bool = False
) -> Iterator[Listener]:
    """A stream that nobody reads yet; a narrow one keeps little of what comes meanwhile."""
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 200_000)] if narrow else []
    headers = bearer(secret) | ({"Last-Event-ID": last} if last else {})
    params = {"account_uid": account} if account else {}
    with (
        httpx.Client(transport=httpx.HTTPTransport(socket_options=options), timeout=60) as client,
        client.stream("GET", url + STREAM, headers=headers, params=params) as answer,
    ):
        assert answer.status_code == httpx.codes.OK, answer.read()
        yield Listener(answer)
