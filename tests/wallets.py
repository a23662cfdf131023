"""An account over real HTTP for tests: what it has, what it reserves, what its time has cost."""

import asyncio
import csv
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import httpx

from local_service import CREDITS, bearer, exact, token
from local_stripe import Json
from operators import Operator
from prepaid.clock import wall_clock
from prepaid.core.identity import Scope
from prepaid.core.notices import Notice
from prepaid.core.pulses import Pulse
from prepaid.flows import accounts, keys
from prepaid.storage import outbox, pulses
from prepaid.storage.database import Database
from programs import http

ACCOUNTS = "/api/iam/v1/accounts"
CHARGES = "/api/iam/v1/usage/charges"
ENTRIES = "/api/iam/v1/usage/entries"
RESERVATIONS = "/api/iam/v1/usage/reservations"

PICO = 1_000_000
"""Picocredits in a microcredit."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micro(credits_: object) -> int:
    """Microcredits of what the wire says."""
    return int(Decimal(str(credits_)).scaleb(6))


def decimal(microcredits: int) -> str:
    """Microcredits as the wire takes them."""
    return str(Decimal(microcredits).scaleb(-6))


def instant(written: str) -> int:
    """Microseconds since 1970 of what the wire says."""
    return microseconds(datetime.fromisoformat(written))


def microseconds(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def now() -> int:
    """This machine's clock, in microseconds since 1970."""
    return time.time_ns() // 1_000


def cost(rate: int, since: int, until: int) -> int:
    """What time costs in microcredits, rounded up once: microcredits a second, microseconds."""
    return -(-rate * (until - since) // PICO)


def told_cost(one: Json) -> int:
    """What a reservation whose rate never changed has cost, by the instants that it tells."""
    return cost(micro(one["burning_rate"]), instant(one["start_date"]), instant(one["end_date"]))


def uuid_of(reservation_id: str) -> UUID:
    return UUID(reservation_id[-36:])


@dataclass(frozen=True)
class Wallet:
    """An account, the tokens of all who may touch it, and the database that it is in."""

    database_url: str
    uid: str
    service: str
    admin: str

    def ask(self, url: str, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """A request of the platform's."""
        return http.request(method, url + path, headers=bearer(self.service), json=body)

    def does(self, url: str, method: str, path: str, body: Json | None = None) -> Json:
        """What a request of the platform's that has to succeed says."""
        answer = self.ask(url, method, path, body)
        assert answer.is_success, answer.text
        return exact(answer)

    def give(self, url: str, microcredits: int) -> None:
        """An operator grants credits."""
        body = {"credits": decimal(microcredits), "key": uuid4().hex, "reason": "to spend"}
        path = f"{ACCOUNTS}/{self.uid}/grants"
        answer = http.post(url + path, headers=bearer(self.admin), json=body)
        assert answer.status_code == 201, answer.text

    def opening(self, key: str, rate: int, limit: int | None, heartbeat: int = 3_600) -> Json:
        """The body that opens a reservation: microcredits a second, microcredits, seconds."""
        return {
            "account_uid": self.uid,
            "resource": key,
            "burning_rate": decimal(rate),
            "credits": None if limit is None else decimal(limit),
            "heartbeat_seconds": heartbeat,
            "key": key,
        }

    def balance(self, url: str) -> Json:
        """What the account has."""
        return self.does(url, "GET", f"{CREDITS}/users/{self.uid}")

    def reservation(self, url: str, id_: str) -> Json:
        """A reservation as it is now."""
        found: Json = self.does(url, "GET", f"{RESERVATIONS}/{id_}")["reservation"]
        return found

    def reservations(self, url: str) -> list[Json]:
        """All there were, by pages."""
        found: list[Json] = []
        path = f"{RESERVATIONS}?account_uid={self.uid}&state=all"
        while True:
            before = f"&before={found[-1]['id']}" if found else ""
            page = self.does(url, "GET", path + before)
            found += page["reservations"]
            if page["next_before"] is None:
                return found

    def entries(self, url: str) -> list[dict[str, str]]:
        """All entries in their order, from the CSV file."""
        path = f"{ENTRIES}?account_uid={self.uid}&format=csv"
        answer = http.get(url + path, headers=bearer(self.service))
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(answer.text.splitlines()))[::-1]

    def notices(self, after: int = 0) -> list[Notice]:
        """What the outbox has for the account, from a number on."""

        async def read() -> list[Notice]:
            database = Database(self.database_url)
            try:
                async with database.reading() as connection:
                    return await outbox.after(connection, self.uid, after, 1_000_000)
            finally:
                await database.close()

        return asyncio.run(read())

    def user(self) -> str:
        """The user's own token."""
        return token(self.uid)

    def check_books(self, url: str) -> list[dict[str, str]]:
        """Each entry follows from the one before, none is below zero, the balance is the last
        one's, and `prepaid verify` finds nothing. The entries."""
        found, balance = self.entries(url), 0
        for number, entry in enumerate(found, 1):
            balance += micro(entry["credits"])
            assert int(entry["number"]) == number
            assert micro(entry["balance"]) == balance >= 0
        assert len({entry["key"] for entry in found}) == len(found)
        assert micro(self.balance(url)["balance"]) == balance
        verified = Operator({"PREPAID_DATABASE_URL": self.database_url}).runs("verify")
        assert verified.code == 0, verified.out
        return found


def wallet(database_url: str, uid: str | None = None) -> Wallet:
    """A new account without credits, and keys, made as an operator makes them."""
    uid = uid or f"user-{uuid4().hex}"

    async def make() -> Wallet:
        database, at = Database(database_url), wall_clock()
        try:
            await accounts.create(database, uid, at)
            service = await keys.make(database, "runner", Scope.SERVICE, None, at)
            admin = await keys.make(database, "operator", Scope.ADMIN, None, at)
        finally:
            await database.close()
        return Wallet(database_url, uid, service.secret, admin.secret)

    return asyncio.run(make())


def pulse(database_url: str) -> Pulse:
    """The service's sign of life."""

    async def read() -> Pulse:
        database = Database(database_url)
        try:
            async with database.reading() as connection:
                return await pulses.read(connection)
        finally:
            await database.close()

    return asyncio.run(read())
