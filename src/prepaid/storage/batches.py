"""Batches: what has gathered is answered by the express way, and at length what that leaves."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import structlog

from prepaid.core.commands import (
    Beat,
    Charge,
    Command,
    Expire,
    Give,
    Open,
    Outcome,
    Reverse,
    Tell,
)
from prepaid.core.errors import LedgerUnavailable
from prepaid.core.ledger import decide
from prepaid.core.notices import Notice
from prepaid.storage import books
from prepaid.storage.database import Database
from prepaid.storage.express import Driver, Express
from prepaid.storage.express_postgres import PostgresDriver
from prepaid.storage.express_sqlite import SqliteDriver
from prepaid.storage.remembered import Remembered
from prepaid.storage.waiting import Waiting

log = structlog.get_logger(__name__)


class Batches:
    """Answers the commands of one process, a batch after the other.

    `clock` gives the instant that a batch is posted at: aware, UTC. `warn` are the seconds left at
    which the holder of a reservation is warned.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], warn: Sequence[int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._warn = warn
        self._express = Express(driver_of(database), clock, warn)

    @property
    def remembered(self) -> Remembered:
        """The books of the last batches."""
        return self._express.remembered

    @property
    def is_saving(self) -> bool:
        """Whether something is being saved, so that others can be decided ahead."""
        return self._express.is_saving

    def go_ahead(self, coming: Sequence[Charge] | Sequence[Tell]) -> None:
        """Decides what comes next, while others are saved."""
        try:
            self._express.go_ahead(coming)
        except Exception:  # it is met again when it is their turn
            log.exception("express_failed", commands=len(coming))

    async def close(self) -> None:
        """Gives its connections back."""
        await self._express.close()

    async def answer(self, batch: Sequence[Waiting]) -> None:
        """Charges, then heartbeats, then events, then the rest. They came at once, so any order is
        right; but what is asked of one account under keys keeps the order in which it came."""
        try:
            for part in _express_parts(batch):
                await self._answer_express(part)
        except LedgerUnavailable as away:  # for the rest too: nobody waits for it twice
            _tell(batch, [away] * len(batch))
        if left := [one for one in batch if not one.is_over()]:
            await self._answer_at_length(left)

    async def _answer_express(self, batch: Sequence[Waiting]) -> None:
        """Answers those that the express way can; the others have no answer yet.

        Raises:
            LedgerUnavailable: the database is away.
        """
        try:
            outcomes = await self._express.outcomes(_commands(batch))
        except LedgerUnavailable:
            raise
        except Exception:
            log.exception("express_failed", commands=len(batch))
        else:
            for waiting, outcome in zip(batch, outcomes, strict=True):
                if outcome is not None:
                    waiting.tell(outcome)

    async def _answer_at_length(self, batch: Sequence[Waiting]) -> None:
        try:
            outcomes = await self._commit(_commands(batch))
        except LedgerUnavailable as away:
            _tell(batch, [away] * len(batch))
        except Exception:  # noqa: BLE001 - each command meets it again alone, or not at all
            await self._answer_apart(batch)
        else:
            _tell(batch, outcomes)

    async def _answer_apart(self, batch: Sequence[Waiting]) -> None:
        """A constraint refused the batch: another process came first with the same event or key.
        Or one command met a fault, in the books or of ours, which is no other's concern.

        Each half is tried again, down to the one command. Alone it sees what the other process
        wrote; one that fails alone is our fault.
        """
        if len(batch) == 1:
            await self._answer_alone(batch[0])
            return
        middle = len(batch) // 2
        await self._answer_at_length(batch[:middle])
        await self._answer_at_length(batch[middle:])

    async def _answer_alone(self, waiting: Waiting) -> None:
        try:
            _tell([waiting], await self._commit([waiting.command]))
        except LedgerUnavailable as away:
            waiting.tell(away)
        except Exception as fault:
            log.exception("command_failed", command=type(waiting.command).__name__)
            waiting.tell(fault)

    async def _commit(self, commands: Sequence[Command]) -> list[Outcome]:
        async with self._database.writing() as connection:
            read = await books.load(connection, commands)
            self._express.forget(read)
            at = self._clock()  # read when the rows are locked: an account's entries are in order
            decision = decide(read, commands, at, self._warn)
            await books.save(connection, decision, at)
        for notice in decision.notices:
            _log(notice)
        return decision.outcomes


def driver_of(database: Database) -> Driver:
    """The express way to a database."""
    return (SqliteDriver if database.sqlite else PostgresDriver)(database.engine)


def _express_parts(batch: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    """The charges, the heartbeats and the events of a batch, of which there are some."""
    if all(isinstance(one.command, Charge) for one in batch):
        yield [*batch]
        return
    others = {
        one.command.account_uid
        for one in batch
        if isinstance(one.command, Give | Reverse | Open | Expire)
    }
    charges = [
        one
        for one in batch
        if isinstance(one.command, Charge) and one.command.account_uid not in others
    ]
    beats = [one for one in batch if isinstance(one.command, Beat)]
    told = [one for one in batch if isinstance(one.command, Tell)]
    yield from filter(None, (charges, beats, told))


def _log(notice: Notice) -> None:
    log.info(
        "reservation",
        what=notice.type,
        account=notice.account_uid,
        id=f"{notice.resource_type}-{notice.reservation_id}",
        state=notice.state,
        used=str(notice.used),
    )


def _commands(batch: Sequence[Waiting]) -> list[Command]:
    return [waiting.command for waiting in batch]


def _tell(batch: Sequence[Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        waiting.tell(outcome)
