"""Ada and bob, what they are given and charged, and the time it is."""

from datetime import UTC, datetime, timedelta

from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge, Give
from prepaid.core.entries import Kind
from prepaid.flows.verification import Tally, verify
from prepaid.ids import new_id
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, tzinfo=UTC)


class Time:
    """The instant it is, in a test."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def give(uid: str, whole: int, key: str = "given", expires_at: datetime | None = None) -> Give:
    credits_ = Credits.of(whole)
    return Give(new_id(), uid, key, credits_, Kind.PROMOTION, "", "grace", expires_at)


def charge(uid: str, whole: int, key: str, reason: str = "") -> Charge:
    return Charge(new_id(), uid, key, Credits.of(whole), "kernel", reason, "runner")


async def books_are_right(database: Database) -> None:
    assert [found async for found in verify(database, Tally())] == []
