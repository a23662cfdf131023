"""Ada and bob, what they are given and charged and have paid for, and the time it is."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec.structs import replace

from prepaid.core.amounts import Credits
from prepaid.core.commands import Charge, Give, Tell
from prepaid.core.entries import Kind
from prepaid.flows.verification import Tally, verify
from prepaid.ids import new_id
from prepaid.storage import checkouts
from prepaid.storage.database import Database
from samples import CLAIM, OFFER, PAID

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


async def offers(database: Database, *uids: str) -> list[Tell]:
    """Events that say that these have paid for an offer each."""
    told = []
    async with database.writing() as connection:
        for uid in uids:
            id_ = new_id()
            session = f"cs_{id_.hex}"
            offer = replace(OFFER, id=id_, account_uid=uid, session_id=session)
            await checkouts.add(connection, offer)
            claim = replace(CLAIM, checkout_id=offer.id, account_uid=uid, session_id=session)
            told.append(replace(PAID, event_id=f"evt_{offer.id.hex}", claim=claim))
    return told


def only_id(event: Tell) -> UUID:
    assert event.claim.checkout_id is not None
    return event.claim.checkout_id


async def books_are_right(database: Database) -> None:
    assert [found async for found in verify(database, Tally())] == []
