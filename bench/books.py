"""What stands in a database before it is measured, written by the project's own functions; and
what its books say afterwards."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from msgspec.structs import asdict
from sqlalchemy import TextClause, insert, text

from bench.load import ACCOUNTS, CREDITS, account
from prepaid.clock import wall_clock
from prepaid.core.amounts import Credits
from prepaid.core.checkouts import Checkout
from prepaid.core.commands import Charge, Give, Open
from prepaid.core.entries import Kind
from prepaid.core.reservations import Reservation
from prepaid.ids import new_id
from prepaid.opening import open_database, open_ledger
from prepaid.storage import deployments, tables
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

GRANTED = Credits.of(1_000_000)
"""What each account begins with: more than any load can spend."""

TOGETHER = 500
"""Commands that are posted at once."""

HEARTBEAT_SECONDS = 10
RATE = Credits(1_000)
"""What a reservation burns in a second."""


def be_quiet() -> None:
    """Has the project's functions say nothing here: what they tell would be each reservation."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


async def stock(url: str, count: int = ACCOUNTS, credits_: Credits = GRANTED) -> None:
    """Makes accounts, each with a grant, in a migrated database without any."""
    async with open_database(url) as database:
        await _add_accounts(database, [account(number) for number in range(count)])
        async with open_ledger(database) as ledger:
            for first in range(0, count, TOGETHER):
                those = range(first, min(first + TOGETHER, count))
                await ledger.post_all([_grant(account(number), credits_) for number in those])


async def charge_each(url: str, count: int = ACCOUNTS) -> None:
    """Charges each account once."""
    async with open_database(url) as database, open_ledger(database) as ledger:
        for first in range(0, count, TOGETHER):
            those = range(first, min(first + TOGETHER, count))
            await ledger.post_all([_charge(account(number)) for number in those])


async def open_reservations(url: str, count: int) -> list[str]:
    """Opens reservations without a limit, one after the other of the accounts; their names."""
    async with open_database(url) as database, open_ledger(database) as ledger:
        opened = []
        for first in range(0, count, TOGETHER):
            opened += await _open(ledger, range(first, min(first + TOGETHER, count)))
        return [one.name for one in opened]


async def add_checkouts(url: str, offers: Sequence[Checkout]) -> None:
    """Writes offers, as if buyers had opened them."""
    async with open_database(url) as database, database.writing() as connection:
        for first in range(0, len(offers), 10_000):
            rows = [_offer(one) for one in offers[first : first + 10_000]]
            await connection.execute(insert(tables.checkouts), rows)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries there are, and how many accounts have another balance, or another number
    of entries, than their entries make."""

    entries: int
    wrong: int


_COUNT = text("SELECT count(*) FROM entries")
_WRONG = text("""
    SELECT count(*) FROM accounts LEFT JOIN (
        SELECT account_uid, sum(credits) AS total, count(*) AS written, max(number) AS last
        FROM entries GROUP BY account_uid
    ) AS made ON made.account_uid = accounts.uid
    WHERE balance <> coalesce(total, 0)
        OR last_entry <> coalesce(written, 0) OR last_entry <> coalesce(last, 0)
""")


async def tally(url: str) -> Tally:
    """What the books say, all of them added up by the database itself: not by our own code."""
    return Tally(int(await _scalar(url, _COUNT)), int(await _scalar(url, _WRONG)))


async def count(url: str) -> int:
    """How many entries there are."""
    return int(await _scalar(url, _COUNT))


async def balance(url: str, uid: str) -> Credits:
    """What an account has."""
    asked = text("SELECT balance FROM accounts WHERE uid = :uid").bindparams(uid=uid)
    return Credits(int(await _scalar(url, asked)))


async def missing(url: str, keys: Sequence[str]) -> int:
    """How many of these keys no entry has."""
    wanted = set(keys)
    database = Database(url)
    try:
        async with database.snapshot() as connection:
            async for (key,) in await connection.stream(text("SELECT key FROM entries")):
                wanted.discard(key)
    finally:
        await database.close()
    return len(wanted)


async def deployment(url: str) -> UUID:
    """Which installation the database belongs to."""
    async with open_database(url) as database, database.reading() as connection:
        return await deployments.own(connection)


async def _scalar(url: str, asked: TextClause) -> int:
    """One number. The driver itself asks: an audit of millions of entries takes its time."""
    database = Database(url)
    try:
        async with database.snapshot() as connection:
            found: int = (await connection.execute(asked)).scalar_one()
            return found
    finally:
        await database.close()


async def _add_accounts(database: Database, uids: Sequence[str]) -> None:
    at = wall_clock()
    rows = [{"uid": uid, "balance": Credits(0), "last_entry": 0, "created_at": at} for uid in uids]
    async with database.writing() as connection:
        await connection.execute(insert(tables.accounts), rows)


async def _open(ledger: Ledger, those: Iterable[int]) -> list[Reservation]:
    asked = (ledger.hold(_opening(account(number))) for number in those)
    return [held.reservation for held in await asyncio.gather(*asked)]


def _grant(uid: str, credits_: Credits) -> Give:
    return Give(new_id(), uid, f"bench-{uid}", credits_, Kind.PROMOTION, "to spend", "bench")


def _charge(uid: str) -> Charge:
    spent = Credits.read(CREDITS)
    return Charge(new_id(), uid, f"first-{uid}", spent, "kernel kernel-0001", "", "bench")


def _opening(uid: str) -> Open:
    return Open(
        id=new_id(),
        account_uid=uid,
        key=f"bench-{uid}",
        resource="kernel-0001",
        resource_type="kernel",
        given_name="",
        burning_rate=RATE,
        limit=None,
        heartbeat_seconds=HEARTBEAT_SECONDS,
        actor="bench",
        by_platform=True,
    )


def _offer(one: Checkout) -> dict[str, object]:
    named = asdict(one)
    del named["price"], named["paid_total"]
    price = {"price_minor": one.price.minor, "price_currency": one.price.currency}
    return named | price
