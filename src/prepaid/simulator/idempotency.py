"""Idempotency keys: the same request with the same key is done once, and answered alike."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prepaid.simulator.errors import Refusal, invalid
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_KEPT_SECONDS = 24 * 3600
_LONGEST = 255


@dataclass(frozen=True)
class Remembered:
    """What was answered the first time."""

    status: int
    body: Json
    request_id: str


class Keys:
    """The keys of one account; those of requests that are under way are kept in memory."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._under_way: set[str] = set()

    @contextmanager
    def claimed(self, key: str | None) -> Iterator[None]:
        """Hold a key while its request is under way; whoever comes with it meanwhile is refused."""
        if key is None:
            yield
            return
        if len(key) > _LONGEST:
            raise invalid(f"Idempotency keys can have up to {_LONGEST} characters.")
        if key in self._under_way:
            sentence = (
                "There is currently another in-progress request using this Stripe Idempotent Key."
            )
            raise Refusal(409, sentence, code="idempotency_key_in_use", kind="idempotency_error")
        self._under_way.add(key)
        try:
            yield
        finally:
            self._under_way.discard(key)

    def recall(self, key: str | None, fingerprint: str) -> Remembered | None:
        """Give what was answered before, or refuse a key that was used for something else."""
        if key is None:
            return None
        row = self._box.store.sql.execute(
            "SELECT fingerprint, status, body, request_id FROM idempotency"
            " WHERE key = ? AND kept_at > ?",
            (key, self._box.config.clock() - _KEPT_SECONDS),
        ).fetchone()
        if row is None:
            return None
        if row[0] != fingerprint:
            sentence = (
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request."
            )
            raise Refusal(400, sentence, kind="idempotency_error")
        return Remembered(row[1], json.loads(row[2]), row[3])

    def remember(self, key: str | None, fingerprint: str, answer: Remembered) -> None:
        """Keep an answer in the transaction of what it tells."""
        if key is None:
            return
        self._box.store.sql.execute(
            "INSERT OR REPLACE INTO idempotency"
            " (key, fingerprint, status, body, request_id, kept_at) VALUES (?, ?, ?, ?, ?, ?)",
            (
                key,
                fingerprint,
                answer.status,
                json.dumps(answer.body),
                answer.request_id,
                self._box.config.clock(),
            ),
        )


def fingerprint(method: str, path: str, text: str) -> str:
    """What must be the same when a key is: the route and the parameters."""
    return hashlib.sha256(f"{method} {path}\n{text}".encode()).hexdigest()
