import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from prepaid.core.amounts import Credits
from prepaid.core.audit import Finding
from prepaid.core.commands import Give, Open, Settle
from prepaid.core.entries import Kind
from prepaid.flows import accounts
from prepaid.flows.verification import Tally, verify
from prepaid.ids import new_id
from prepaid.storage import audits, checkouts
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger
from samples import AT, OFFER, PAID


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Ada has 10 credits given and 50 bought, one of them spent by what ran, and 3 reserved by
    what runs; Bob has 5; Cyd has none."""
    opened = Database(database_url)
    for uid in ("ada", "bob", "cyd"):
        await accounts.create(opened, uid, AT)
    async with opened.writing() as connection:
        await checkouts.add(connection, OFFER)
    async with Ledger(opened, lambda: AT).open() as ledger:
        await ledger.post(gift("ada", 10))
        await ledger.post(gift("bob", 5))
        await ledger.tell(PAID)
        ran, _ = [await ledger.hold(hold("ada", key, 3)) for key in ("ran", "runs")]
        await ledger.hold(Settle(ran.reservation.id, None, Credits.of(1)))
    yield opened
    await opened.close()


async def test_an_untouched_ledger_verifies(database: Database) -> None:
    tally = Tally()
    assert [found async for found in verify(database, tally)] == []
    assert tally == Tally(accounts=3, entries=4, expected=4)


@pytest.mark.parametrize(
    ("tampering", "sentence"),
    [
        (
            "UPDATE accounts SET balance = balance + 1 WHERE uid = 'ada'",
            "its balance is 59.000001; its entries make 59",
        ),
        (
            "UPDATE accounts SET last_entry = 5 WHERE uid = 'ada'",
            "it says its last entry is 5; the last there is, is 3",
        ),
        (
            "UPDATE grants SET remaining = 0, unspent = FALSE WHERE kind = 'purchase'",
            "its grants have 9 left; its entries make 59",
        ),
        (
            "DELETE FROM grants WHERE account_uid = 'ada' AND kind = 'purchase'",
            "entry 2 has no grant",
        ),
        (
            "UPDATE checkouts SET state = 'open', credited_at = NULL",
            "entry 2 is a purchase, and no credited checkout of this account has its id",
        ),
        (
            "UPDATE checkouts SET session_id = 'cs_other'",
            "entry 2 has the key 'stripe:cs_test_1'; its checkout's session is cs_other",
        ),
        (
            "UPDATE checkouts SET credits = credits * 2",
            "entry 2 has 50 credits; its checkout sold 100",
        ),
        (
            "UPDATE accounts SET reserved = 0 WHERE uid = 'ada'",
            "its reserved is 0; its reservations make 3",
        ),
        (
            "UPDATE reservations SET spent = 2 WHERE state = 'settled'",
            "entry 3 has -1 credits; its reservation has cost 0.000002",
        ),
    ],
)
async def test_a_row_changed_behind_the_ledgers_back_is_found(
    database: Database, tampering: str, sentence: str
) -> None:
    await tamper(database, tampering)
    assert Finding("ada", sentence) in await findings(database)


async def test_an_entry_changed_without_its_guard_is_found(database: Database) -> None:
    await tamper(database, *without_guard(database, "update"))
    await tamper(database, "UPDATE entries SET credits = 1 WHERE account_uid='bob'")
    assert {found.account_uid for found in await findings(database)} == {"", "bob"}


async def test_a_deleted_entry_is_found(database: Database) -> None:
    await tamper(database, *without_guard(database, "delete"))
    await tamper(database, "DELETE FROM entries WHERE account_uid = 'ada' AND number = 1")
    assert Finding("ada", "entry 2 follows entry 0: numbers are missing between them") in (
        await findings(database)
    )


async def test_a_missing_guard_is_found(database: Database) -> None:
    await tamper(database, *without_guard(database, "update"))
    sentence = "the guard entries_refuse_update is gone: an entry could be changed unseen"
    assert await findings(database) == [Finding("", sentence)]


async def test_entries_of_no_account_are_found_on_the_last_page_too(database: Database) -> None:
    await tamper(
        database,
        "INSERT INTO entries SELECT 'zoe', number, id, 'adjustment', -credits, balance, at, key, "
        "fingerprint, source, reason, actor FROM entries WHERE account_uid = 'bob'",
    )
    assert {found.account_uid for found in await findings(database)} == {"zoe"}


async def test_every_page_is_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audits, "PAGE", 1)
    monkeypatch.setattr(audits, "CHUNK", 1)
    await tamper(database, "UPDATE accounts SET balance = balance + 1")
    tally = Tally()
    found = [one.account_uid async for one in verify(database, tally)]
    assert (found, tally.accounts) == (["ada", "bob", "cyd"], 3)


async def test_a_verification_sees_one_picture_while_the_ledger_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audits, "PAGE", 1)
    await tamper(database, "UPDATE accounts SET balance = balance + 1 WHERE uid = 'ada'")
    tally, seen = Tally(), []
    async for found in verify(database, tally):
        seen.append(found.account_uid)
        async with Ledger(database, lambda: AT).open() as ledger:
            await asyncio.gather(ledger.post(gift("bob", 1)), ledger.post(gift("cyd", 1)))
    assert (seen, tally.entries) == (["ada"], 4)


def hold(uid: str, key: str, whole: int) -> Open:
    limit = Credits.of(whole)
    return Open(
        new_id(), uid, key, "pod", "runtime", "", Credits(0), limit, 30, "op", by_platform=True
    )


async def findings(database: Database) -> list[Finding]:
    return [found async for found in verify(database, Tally())]


async def tamper(database: Database, *statements: str) -> None:
    async with database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))


def without_guard(database: Database, verb: str) -> list[str]:
    on = "" if database.sqlite else " ON entries"
    return [f"DROP TRIGGER entries_refuse_{verb}{on}"]


def gift(uid: str, whole: int) -> Give:
    key = str(new_id())
    return Give(new_id(), uid, key, Credits.of(whole), Kind.PROMOTION, "welcome", "op")
