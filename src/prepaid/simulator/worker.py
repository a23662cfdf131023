"""What happens by itself: due deliveries are sent, sessions expire, bank debits come to an end."""

import asyncio
import json
import logging
import time
from collections import defaultdict
from contextlib import suppress

import httpx

from prepaid.simulator import deliveries, later
from prepaid.simulator.sandbox import Sandbox
from prepaid.simulator.shapes import Json

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 1.0  # sessions that expire are looked for this often


class Worker:
    """One loop for one account. Deliveries run side by side, a few at a time to each endpoint."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self._flying: set[int] = set()
        most = box.config.deliveries_at_once
        self._slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(most))

    async def run(self) -> None:
        """Work until cancelled."""
        timeout = self._box.config.delivery_timeout_seconds
        client = httpx.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)
        async with client, asyncio.TaskGroup() as tasks:
            while True:
                self._box.wake.clear()
                later.run_due(self._box)
                for delivery in self._due():
                    self._flying.add(delivery["seq"])
                    tasks.create_task(self._send(client, delivery))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._box.wake.wait(), self._pause())

    def _due(self) -> list[Json]:
        rows = self._box.store.sql.execute(
            "SELECT seq, event, endpoint, copies, tries FROM deliveries"
            " WHERE state IN ('pending', 'waiting') AND due <= ? ORDER BY seq",
            (self._box.config.clock(),),
        )
        names = ("seq", "event", "endpoint", "copies", "tries")
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [delivery for delivery in found if delivery["seq"] not in self._flying]

    def _pause(self) -> float:
        known = ", ".join(map(str, self._flying)) or "-1"
        row = self._box.store.sql.execute(
            "SELECT min(due) FROM (SELECT due FROM deliveries"  # noqa: S608 - our own integers
            f" WHERE state IN ('pending', 'waiting') AND seq NOT IN ({known})"
            " UNION ALL SELECT due FROM later)"
        ).fetchone()
        soonest = row[0] - self._box.config.clock() if row[0] is not None else 3600.0
        return min(max(soonest, 0.001), _LONGEST_PAUSE_SECONDS)

    async def _send(self, client: httpx.AsyncClient, delivery: Json) -> None:
        try:
            async with self._slots[delivery["endpoint"]]:
                await self._try(client, delivery)
        except Exception:  # noqa: BLE001 - one delivery must not end all others
            _log.exception("delivery %s of %s failed", delivery["seq"], delivery["event"])
        finally:
            self._flying.discard(delivery["seq"])
            self._box.wake.set()

    async def _try(self, client: httpx.AsyncClient, delivery: Json) -> None:
        endpoint = self._box.store.get(delivery["endpoint"], "webhook_endpoint")
        event = self._box.store.get(delivery["event"], "event")
        if endpoint is None or event is None or endpoint.get("deleted"):
            self._note(delivery, {"at": time.time(), "status": None, "error": "no such endpoint"})
            return
        payload = deliveries.body(self._box, event, endpoint)
        secret = self._box.store.hidden(endpoint["id"])["secret"]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": deliveries.signature(self._box, payload, secret),
        }
        began, status, error = time.time(), None, None
        try:
            status = (
                await client.post(endpoint["url"], content=payload, headers=headers)
            ).status_code
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ArithmeticError, OSError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        took = round(time.time() - began, 4)
        self._note(delivery, {"at": began, "status": status, "error": error, "seconds": took})

    def _note(self, delivery: Json, outcome: Json) -> None:
        """Keep the outcome: done, once more, later, or never. 3xx is a failure, as at Stripe."""
        tries = [*json.loads(delivery["tries"]), outcome]
        config, now = self._box.config, self._box.config.clock()
        state, due, copies = "pending", now, delivery["copies"]
        if outcome["status"] is not None and 200 <= outcome["status"] < 300:  # noqa: PLR2004
            copies -= 1
            state = "pending" if copies else "delivered"
        else:
            failures = sum(not 200 <= (t["status"] or 0) < 300 for t in tries)  # noqa: PLR2004
            if failures > len(config.retry_seconds):
                state = "failed"
            else:
                due += config.retry_seconds[failures - 1] * config.retry_scale
        with self._box.store.transaction():
            self._box.store.sql.execute(
                "UPDATE deliveries SET state = ?, due = ?, copies = ?, tries = ? WHERE seq = ?",
                (state, due, copies, json.dumps(tries), delivery["seq"]),
            )
            if state == "delivered":
                self._let_waiting_go(delivery)

    def _let_waiting_go(self, delivered: Json) -> None:
        """A reordered delivery may leave when a later one has arrived."""
        self._box.store.sql.execute(
            "UPDATE deliveries SET state = 'pending', due = ?"
            " WHERE state = 'waiting' AND endpoint = ? AND seq < ?",
            (self._box.config.clock(), delivered["endpoint"], delivered["seq"]),
        )
