"""A holder in a process of its own: opens a reservation, says that it lives until it is told to
stop (SIGTERM), and settles. While nobody answers it asks again.

On standard input it reads what `Orders` says, as JSON; on standard output it writes what it is
told, a line each.
"""

import json
import signal
import sys
from dataclasses import asdict, dataclass
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

import httpx

AGAIN_SECONDS = 0.1
TRIES = 600


@dataclass(frozen=True)
class Orders:
    """Where it asks, the headers that let it in, and what it opens. `path` is a reservation's."""

    url: str
    path: str
    headers: dict[str, str]
    opening: dict[str, Any]

    def written(self) -> bytes:
        """As it reads them."""
        return json.dumps(asdict(self)).encode()


class Holder:
    """Holds one reservation."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._orders_to_stop = SimpleQueue[int]()  # an Event's lock may be held when a signal comes
        self._http = httpx.Client(base_url=orders.url, headers=orders.headers, timeout=1)
        signal.signal(signal.SIGTERM, lambda number, _: self._orders_to_stop.put(number))

    def hold(self) -> None:
        """From the first word to the last."""
        opening = self._orders.opening
        path = f"{self._orders.path}/{self._ask(self._orders.path, opening)['id']}"
        self._ask(f"{path}/heartbeat")
        while not self._is_stopped_within(opening["heartbeat_seconds"]):
            self._ask(f"{path}/heartbeat")
        self._ask(f"{path}/settlement")

    def _is_stopped_within(self, seconds: float) -> bool:
        try:
            self._orders_to_stop.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _ask(self, path: str, body: object = None) -> dict[str, Any]:
        for _ in range(TRIES):
            try:
                answer = self._http.post(path, json=body)
            except httpx.TransportError:
                Event().wait(AGAIN_SECONDS)
                continue
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                sys.stdout.write(f"{answer.text}\n")
                sys.stdout.flush()
                answer.raise_for_status()
                told: dict[str, Any] = answer.json()["reservation"]
                return told
            Event().wait(AGAIN_SECONDS)
        raise TimeoutError("Nobody answers.")


if __name__ == "__main__":
    Holder(Orders(**json.load(sys.stdin))).hold()
