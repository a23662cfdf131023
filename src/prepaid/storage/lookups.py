"""Look-ups: what events are about is read before their turn comes.

Stripe's events come one by one, each about a checkout that nobody has asked for since it was
opened. While some are saved, those that came meanwhile are looked up here, on a connection of its
own: else the writer would wait for that between two batches, and the database for the writer.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from prepaid.core.commands import Tell
from prepaid.core.errors import LedgerUnavailable
from prepaid.storage.database import FINISH_SECONDS
from prepaid.storage.express import Driver
from prepaid.storage.remembered import Remembered
from prepaid.storage.waiting import Waiting

AT_ONCE = 500
"""Events in one look-up."""

log = structlog.get_logger(__name__)


class Lookups:
    """The look-ups of one process: the events that have gathered at a time. What is found is
    remembered, and `go_on` takes the events, also where nothing could be found out."""

    def __init__(
        self, driver: Driver, remembered: Remembered, go_on: Callable[[Waiting], None]
    ) -> None:
        self._driver = driver
        self._remembered = remembered
        self._go_on = go_on
        self._events: list[tuple[Waiting, Tell]] = []
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    def __len__(self) -> int:
        """How many events have not gone on yet."""
        return len(self._events)

    def add(self, waiting: Waiting, event: Tell) -> None:
        """Looks up an event, soon."""
        if self._is_closed:
            self._go_on(waiting)
            return
        self._events.append((waiting, event))
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_up_all(), name="look-ups")

    def stop(self) -> None:
        """Lets all events go on as they are, and those that come from now on."""
        self._is_closed = True
        if self._looking is not None:
            self._looking.cancel()
        self._let_go(len(self._events))

    async def close(self) -> None:
        """Gives the connection back."""
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=FINISH_SECONDS)
        await self._driver.close()

    async def _look_up_all(self) -> None:
        try:
            while count := min(AT_ONCE, len(self._events)):
                await self._try_to_look_up([event for _, event in self._events[:count]])
                self._let_go(count)
        finally:
            self._looking = None
            self._let_go(len(self._events))

    async def _try_to_look_up(self, events: Sequence[Tell]) -> None:
        """Where the database is away, or something is damaged, the writer finds that out too."""
        try:
            await self._look_up(events)
        except LedgerUnavailable as away:
            log.warning("look_up_failed", events=len(events), why=str(away))
        except Exception:
            log.exception("look_up_failed", events=len(events))

    async def _look_up(self, events: Sequence[Tell]) -> None:
        known = self._remembered
        named = {one.claim.checkout_id for one in events}
        found = await self._driver.checkouts([*filter(None, named)])
        uids = {one.account_uid for one in found.values() if one.account_uid not in known.accounts}
        read = await self._driver.accounts([*uids]) if uids else {}
        known.learn({uid: one for uid, one in read.items() if uid not in known.accounts}, {})
        known.expect(found)

    def _let_go(self, count: int) -> None:
        gone, self._events = self._events[:count], self._events[count:]
        for waiting, _ in gone:
            self._go_on(waiting)
