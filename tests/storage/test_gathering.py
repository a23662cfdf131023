"""Gathering without a database: who is asked for together, and what each is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from prepaid.core.errors import LedgerBusy, LedgerUnavailable
from prepaid.storage import gathering
from prepaid.storage.gathering import Gathering

AT_ONCE = 3


class Oracle:
    """Doubles numbers. It keeps what it was asked, and stands still while it is `held`; at a
    negative number it fails, and at a thousand it is away."""

    def __init__(self) -> None:
        self.questions: list[list[int]] = []
        self.held = asyncio.Event()
        self.held.set()

    async def find(self, numbers: Sequence[int]) -> AsyncIterator[tuple[int, int | Exception]]:
        self.questions.append([*numbers])
        await self.held.wait()
        if 1000 in numbers:
            raise LedgerUnavailable("away")
        for number in numbers:
            if number < 0:
                raise ArithmeticError(number)
            yield number, number * 2 if number else ZeroDivisionError()


def asked(gathered: Gathering[int, int], *numbers: int) -> list[asyncio.Future[int]]:
    return [gathered.ask(number) for number in numbers]


async def told(*asking: asyncio.Future[int]) -> list[object]:
    """What each is told; of a fault, its kind."""
    answers = await asyncio.gather(*asking, return_exceptions=True)
    return [type(one) if isinstance(one, BaseException) else one for one in answers]


async def test_who_has_gathered_is_asked_for_together_and_once() -> None:
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number")
    async with gathered.open():
        assert await told(*asked(gathered, 5, 5, 0, 5, 7, 8)) == [
            10,
            10,
            ZeroDivisionError,
            10,
            14,
            16,
        ]
        assert await told(*asked(gathered, 5)) == [10]
    assert oracle.questions == [[5, 0, 7], [8], [5]]


async def test_who_asks_while_a_question_is_under_way_waits_for_the_next() -> None:
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number")
    async with gathered.open():
        oracle.held.clear()
        early = asked(gathered, 1)
        await asyncio.sleep(0)
        late = asked(gathered, 1)
        oracle.held.set()
        assert await told(*early, *late) == [2, 2]
    assert oracle.questions == [[1], [1]]


async def test_nobody_is_asked_for_who_has_gone() -> None:
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number")
    async with gathered.open():
        first, second, third, fourth = asked(gathered, 1, 2, 3, 4)
        for gone in (first, second, fourth):
            gone.cancel()
        assert await third == 6
    assert oracle.questions == [[3]]


async def test_a_fault_is_told_to_whom_it_concerns() -> None:
    """The others are asked for anew, each alone; whoever has been told is not."""
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number")
    async with gathered.open():
        assert await told(*asked(gathered, 1, -1, 2, 3)) == [2, ArithmeticError, 4, 6]
    assert oracle.questions == [[1, -1, 2], [-1], [2], [3]]


async def test_who_waits_while_nobody_can_be_asked_is_refused_at_once() -> None:
    """Also who has a later turn; and the next who asks is asked for again."""
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number")
    async with gathered.open():
        assert await told(*asked(gathered, 1000, *range(9))) == [LedgerUnavailable] * 10
        assert await told(*asked(gathered, 2)) == [4]
    assert oracle.questions == [[1000, 0, 1], [2]]


async def test_who_is_one_too_many_is_refused_until_others_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However those were answered who were there before."""
    monkeypatch.setattr(gathering, "QUEUE", 10)
    gathered = Gathering(Oracle().find, AT_ONCE, "a number")
    async with gathered.open():
        for first in (1, -1, 1000):
            asking = asked(gathered, first, *range(1, 10))
            with pytest.raises(LedgerBusy, match="10 wait for a number already"):
                gathered.ask(1)
            asking[-1].cancel()
            assert len(await told(*asking)) == 10
            await asyncio.sleep(0)  # until it has counted, too
        assert await told(*asked(gathered, *range(1, 11))) == [*range(2, 21, 2)]


@pytest.mark.parametrize("patience", [0, 60])
async def test_who_has_asked_before_the_end_is_answered_if_there_is_time(patience: float) -> None:
    """Whether their question is under way or not; and nobody who asks later."""
    oracle = Oracle()
    gathered = Gathering(oracle.find, AT_ONCE, "a number", patience)
    async with gathered.open():
        asking = asked(gathered, *range(1, 6))
        oracle.held.clear()
        await asyncio.sleep(0)
        assert oracle.questions == [[1, 2, 3]]
        if patience:
            asyncio.get_running_loop().call_soon(oracle.held.set)
    answers = [2, 4, 6, 8, 10] if patience else [LedgerUnavailable] * 5
    assert await told(*asking) == answers
    with pytest.raises(LedgerUnavailable, match="stopping"):
        gathered.ask(1)
