"""Who waits for the writer: each command, and where its outcome is told."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from prepaid.core.commands import Command, Outcome, Posted
from prepaid.core.errors import LedgerUnavailable, Refusal
from prepaid.storage.telling import tell

Known = Outcome | Exception
"""A refusal is an outcome; any other exception is a fault of ours."""


class Waiting(Protocol):
    """A command that somebody waits for."""

    command: Command

    def is_over(self) -> bool:
        """Whether its outcome is told, or who asked has gone away meanwhile."""

    def tell(self, outcome: Known) -> None:
        """Tells its outcome, unless it is over. A refusal is raised where it is waited for."""


class Alone(Struct, eq=False):
    """A command that came alone."""

    command: Command
    told: asyncio.Future[Outcome]

    def is_over(self) -> bool:
        """See Waiting."""
        return self.told.done()

    def tell(self, outcome: Known) -> None:
        """See Waiting."""
        tell(self.told, outcome)


class Together:
    """Commands that came together: `told` is what became of each, in order, once all is known. One
    refusal is no other's. A fault of ours is raised."""

    def __init__(self, count: int, told: asyncio.Future[list[Posted | Refusal]]) -> None:
        self.told = told
        self.outcomes: list[Known | None] = [None] * count
        self._left = count
        if not count:
            told.set_result([])

    def tell(self, place: int, outcome: Known) -> None:
        """Tells one outcome."""
        self.outcomes[place] = outcome
        self._left -= 1
        if self._left == 0 and not self.told.done():
            self._end()

    def _end(self) -> None:
        ended = list[Posted | Refusal]()
        for one in self.outcomes:
            if not isinstance(one, Posted | Refusal):
                assert isinstance(one, Exception)
                self.told.set_exception(one)
                return
            ended.append(one)
        self.told.set_result(ended)


class OneOf(Struct, eq=False):
    """A command that came together with others."""

    command: Command
    together: Together
    place: int

    def is_over(self) -> bool:
        """See Waiting."""
        return self.together.outcomes[self.place] is not None

    def tell(self, outcome: Known) -> None:
        """See Waiting."""
        if not self.is_over():
            self.together.tell(self.place, outcome)


def refuse(batch: Iterable[Waiting]) -> None:
    """Answers whoever has no answer yet: the service is stopping."""
    for waiting in batch:
        waiting.tell(LedgerUnavailable("The service is stopping; send it again."))
