"""The writer: the one place of a process that changes the ledger.

Whoever wants something posted submits a command and waits. The writer takes what has gathered,
loads what it touches, lets the core decide it all, saves and commits once: a commit costs a disk
flush, and a hundred commands that share one cost little more than one. Several processes may each
have a writer; the locked rows and the unique keys decide between them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.core.books import Books, Decision
from prepaid.core.commands import (
    Charge,
    Command,
    Expire,
    Expired,
    Give,
    Outcome,
    Posted,
    Tell,
    Told,
)
from prepaid.core.errors import LedgerBusy, LedgerUnavailable, Refusal
from prepaid.core.ledger import decide
from prepaid.storage import accounts, checkouts, entries, grants, inbox
from prepaid.storage.database import Database

BATCH = 500
"""Commands in one transaction: more gain little, and each waits for all."""

FINISH_SECONDS = 1.5
"""How long a stopping service waits for a database that hangs."""

QUEUE = 10_000
"""Commands that may wait: about a second's work. Beyond it a caller is told to come back."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    command: Command
    outcome: asyncio.Future[Outcome]


class Ledger:
    """The ledger of a running service. Use it as `async with Ledger(...).open() as ledger`.

    `clock` gives the instant that a batch is posted at: aware, UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Ledger"]:
        """Runs the writer. What has been submitted is finished before it stops, unless the
        database hangs: then it is refused, as whoever asked has to ask again anyway."""
        writing = asyncio.create_task(self._write_for_ever(), name="ledger writer")
        try:
            yield self
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._queue.join(), FINISH_SECONDS)
            writing.cancel()
            await asyncio.wait([writing], timeout=FINISH_SECONDS)
            self._refuse([self._queue.get_nowait() for _ in range(self._queue.qsize())])

    async def give(self, command: Give) -> Posted:
        """Posts a grant, once for each key.

        Raises:
            Refusal: it was refused, and nothing changed; or (LedgerUnavailable) the database is
                away, and the same key may be tried again.
        """
        outcome = await self._submit(command)
        assert isinstance(outcome, Posted)
        return outcome

    async def charge(self, command: Charge) -> Posted:
        """Spends, once for each key.

        Raises:
            Refusal: nothing was spent; InsufficientCredits says what is missing.
        """
        outcome = await self._submit(command)
        assert isinstance(outcome, Posted)
        return outcome

    async def charge_all(self, commands: Sequence[Charge]) -> list[Posted | Refusal]:
        """Spends several times, each as if it were alone: one refusal is no other's."""
        outcomes = await asyncio.gather(*map(self.charge, commands), return_exceptions=True)
        return [_posted_or_refused(outcome) for outcome in outcomes]

    async def expire(self, command: Expire) -> Expired:
        """Takes back what has expired of an account.

        Raises:
            LedgerUnavailable, LedgerBusy: not now.
        """
        outcome = await self._submit(command)
        assert isinstance(outcome, Expired)
        return outcome

    async def tell(self, command: Tell) -> Told:
        """Takes an event: applied or quarantined, and in the inbox.

        Raises:
            LedgerUnavailable, LedgerBusy: it was not taken, and has to be sent again.
        """
        outcome = await self._submit(command)
        assert isinstance(outcome, Told)
        return outcome

    async def _submit(self, command: Command) -> Outcome:
        waiting = _Waiting(command, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise LedgerBusy(f"{QUEUE} commands wait already; try again in a second.") from None
        outcome = await waiting.outcome
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def _write_for_ever(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._answer(batch)
            finally:
                self._refuse(batch)
                for _ in batch:
                    self._queue.task_done()

    def _refuse(self, batch: Sequence[_Waiting]) -> None:
        """Answers whoever has no answer yet."""
        for waiting in batch:
            _fail(waiting, LedgerUnavailable("The service is stopping; send it again."))

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            outcomes = await self._commit([waiting.command for waiting in batch])
        except IntegrityError:
            await self._answer_singly(batch)
        except LedgerUnavailable as away:
            _resolve(batch, [away] * len(batch))
        except Exception as fault:
            log.exception("batch_failed", commands=len(batch))
            for waiting in batch:
                _fail(waiting, fault)
        else:
            _resolve(batch, outcomes)

    async def _answer_singly(self, batch: Sequence[_Waiting]) -> None:
        """A constraint refused the batch: another process came first with the same event or key.

        Alone each command sees what the other wrote. One that is refused alone is our fault.
        """
        if len(batch) == 1:
            try:
                _resolve(batch, await self._commit([batch[0].command]))
            except LedgerUnavailable as away:
                _fail(batch[0], away)
            except Exception as fault:
                log.exception("command_failed")
                _fail(batch[0], fault)
            return
        for waiting in batch:
            await self._answer([waiting])

    async def _commit(self, commands: Sequence[Command]) -> list[Outcome]:
        async with self._database.writing() as connection:
            books = await _load(connection, commands)
            at = self._clock()  # read when the rows are locked: an account's entries are in order
            decision = decide(books, commands, at)
            await _save(connection, decision, at)
        return decision.outcomes


async def _load(connection: AsyncConnection, commands: Sequence[Command]) -> Books:
    """The books of a batch. Accounts are locked first, then checkouts, each in its order."""
    keyed = [command for command in commands if isinstance(command, Give | Charge)]
    spending = {one.account_uid for one in commands if isinstance(one, Charge | Expire)}
    tells = [command for command in commands if isinstance(command, Tell)]
    uids = {command.account_uid for command in commands if command.account_uid is not None}
    return Books(
        accounts=await accounts.lock(connection, uids),
        recorded=await entries.recorded(connection, {(one.account_uid, one.key) for one in keyed}),
        checkouts=await checkouts.lock(connection, _named(tells)),
        grants=await grants.spendable(connection, spending),
        verdicts=await inbox.verdicts(connection, {tell.event_id for tell in tells}),
    )


def _named(tells: Sequence[Tell]) -> set[UUID]:
    return {tell.claim.checkout_id for tell in tells if tell.claim.checkout_id is not None}


async def _save(connection: AsyncConnection, decision: Decision, at: datetime) -> None:
    if decision.entries:
        await entries.add(connection, decision.entries)
        await accounts.save(connection, decision.accounts.values())
    if decision.granted:
        await grants.add(connection, decision.granted.values())
    if decision.drawn:
        await grants.save(connection, decision.drawn.values())
    if decision.checkouts:
        await checkouts.save(connection, decision.checkouts.values())
    if decision.inbox:
        await inbox.keep(connection, decision.inbox.values(), at)


def _posted_or_refused(outcome: Posted | BaseException) -> Posted | Refusal:
    if isinstance(outcome, Posted | Refusal):
        return outcome
    raise outcome


def _resolve(batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if not waiting.outcome.done():  # its caller may have gone away meanwhile
            waiting.outcome.set_result(outcome)


def _fail(waiting: _Waiting, fault: Exception) -> None:
    if not waiting.outcome.done():
        waiting.outcome.set_exception(fault)
