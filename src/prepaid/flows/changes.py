"""Changes: whoever listens to an account is woken when it changes, whichever process changed it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime

import structlog

from prepaid.core.books import Account
from prepaid.core.errors import TooMany, Unavailable
from prepaid.flows.news import Asked, News, Position
from prepaid.flows.readings import Readings
from prepaid.storage import accounts
from prepaid.storage.database import Database

POLL_SECONDS = 0.2
"""How long a change may stay unnoticed. It costs one query, however many listen, and none while
nobody does."""

MOST_OF_ACCOUNT = 20
"""Listeners to one account in one process: a person has a few pages open, on a few machines."""

MOST = 1_000
"""Listeners in one process. Each has a connection and a task, and reads when its account changes:
more are for another process."""

REST_SECONDS = 0.0005
"""How long they are told no balance who have read one, for each reservation in it. Two thousand
take an eighth of a second to read and to write, and heartbeats change the account all the time.
What is posted and noticed meanwhile they are told at once."""

FINISH_SECONDS = 0.5
"""How long a stopping service waits for a poll of a database that hangs."""

log = structlog.get_logger(__name__)


class Listener:
    """Somebody who listens to an account.

    `seen` is the account as it was when they had last read all there was, with its balance; None
    if they have to read it again. `ended` says that nothing more will come, or that they are gone.
    """

    def __init__(self, uid: str) -> None:
        self.uid = uid
        self.seen: Account | None = None
        self.ended = False
        self._shown: Account | None = None
        self._heard: Account | None = None
        self._rests_until = 0.0
        self._woken = asyncio.Event()

    async def change(self, seconds: float) -> bool:
        """Waits for a change, or the end, for so long at most; says whether there was one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        changed = self._woken.is_set()
        self._woken.clear()
        return changed

    def show(self, account: Account) -> None:
        """Wakes them if they have not seen the account so, and if they rest only to hear what has
        happened to it. Several changes wake them once."""
        self._shown = account
        if account != self.seen and not (self.rests and self._has_heard(account)):
            self._woken.set()

    def see(self, account: Account) -> None:
        """They have read all there was, with the balance, from which they rest."""
        self.seen = account
        self._rests_until = _ticks() + account.open * REST_SECONDS
        self.hear(account)

    def hear(self, account: Account) -> None:
        """They have read all that had happened; if they were to be woken for just that, they need
        not."""
        self._heard = account
        if self._shown == account:
            self._woken.clear()

    @property
    def rests(self) -> bool:
        """Whether they have just read a balance, and are told the next one later."""
        return _ticks() < self._rests_until

    def _has_heard(self, account: Account) -> bool:
        last, heard = (account.last_entry, account.last_notice), self._heard
        return heard is not None and last == (heard.last_entry, heard.last_notice)

    def end(self) -> None:
        """Ends their listening."""
        self.ended = True
        self._woken.set()


class Changes:
    """Watches the accounts that somebody listens to. Use it as `async with Changes(...).open()`.
    `clock` gives the instant that balances are reckoned for.

    PostgreSQL could tell of changes by itself (NOTIFY): SQLite could not, a connection pooler
    would be in the way, and each commit would pay for it, whether or not anybody listens.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._readings = Readings(database, clock)
        self._listeners: dict[str, set[Listener]] = {}
        self._anybody = asyncio.Event()
        self._stopping = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Changes"]:
        """Runs the watcher until the block ends. A poll is finished before: to break off would
        cost the connection, and the driver complains. One of a database that hangs is broken off,
        and gives its connection back before the database is closed."""
        watching = asyncio.create_task(self._watch_for_ever(), name="changes")
        try:
            yield self
        finally:
            self.stop()
            await asyncio.wait([watching], timeout=FINISH_SECONDS)
            watching.cancel()
            await asyncio.wait([watching], timeout=FINISH_SECONDS)

    @contextmanager
    def listening(self, uid: str) -> Iterator[Listener]:
        """Somebody listens to an account until the block ends.

        Raises:
            TooMany: as many listen to it as may.
            Unavailable: as many listen here as may, or the service is stopping.
        """
        self._check_room(uid)
        listener = Listener(uid)
        self._listeners.setdefault(uid, set()).add(listener)
        self._anybody.set()
        try:
            yield listener
        finally:
            self._leave(listener)

    async def news(self, listener: Listener, since: Position) -> News:
        """What has happened to their account since a position, and what it has now, unless they
        rest.

        Raises:
            LedgerUnavailable: the database is away. They are woken when it is back.
        """
        asked = Asked(listener.uid, since, balance=not listener.rests)
        found = await self._readings.news(asked)
        if found.balance is not None:
            listener.see(found.account)
        elif found.is_all:
            listener.hear(found.account)
        return found

    def stop(self) -> None:
        """Ends all listening, and lets nobody begin: the service is stopping."""
        self._stopping.set()
        self._anybody.set()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    def _check_room(self, uid: str) -> None:
        if self._stopping.is_set():
            raise Unavailable("The service is stopping; try again.")
        if len(self._listeners.get(uid, ())) >= MOST_OF_ACCOUNT:
            raise TooMany(f"{MOST_OF_ACCOUNT} streams of the account are open already: close one.")
        if sum(map(len, self._listeners.values())) >= MOST:
            raise Unavailable(f"{MOST} streams are open already; try again.")

    def _leave(self, listener: Listener) -> None:
        left = self._listeners[listener.uid]
        left.remove(listener)
        if not left:
            del self._listeners[listener.uid]
        if not self._listeners and not self._stopping.is_set():
            self._anybody.clear()

    async def _watch_for_ever(self) -> None:
        """Also after the database was away, or something else went wrong: those who listen would
        never be told anything again."""
        await self._anybody.wait()
        while not self._stopping.is_set():
            try:
                await self._look()
            except Unavailable as away:
                log.warning("changes_unseen", why=str(away))
            except Exception:
                log.exception("changes_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._stopping.wait()
            await self._anybody.wait()

    async def _look(self) -> None:
        async with self._database.reading() as connection:
            booked = await accounts.booked(connection, list(self._listeners))
        for uid, account in booked.items():
            for listener in self._listeners.get(uid, ()):
                listener.show(account)


def _ticks() -> float:
    return asyncio.get_running_loop().time()
