"""An account that spends over HTTP: who may touch it, and all that the books say of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Select, Table, Update, select

from local_service import House, exact
from local_stripe import Json
from prepaid.core.audit import Finding
from prepaid.core.identity import Scope
from prepaid.flows.verification import Tally, verify
from prepaid.storage.database import Database
from prepaid.storage.tables import accounts, entries, grants, outbox, reservations

ACCOUNTS = "/api/iam/v1/accounts"
USAGE = "/api/iam/v1/usage"
RESERVATIONS = f"{USAGE}/reservations"

BOOKS = (accounts, entries, grants, outbox, reservations)


@dataclass(frozen=True)
class Holder:
    """An account, and the tokens of its user, of the platform and of an operator."""

    house: House
    uid: str
    user: str
    platform: str
    admin: str

    def give(self, credits_: object, **more: object) -> Json:
        """An operator grants credits; the entry."""
        asked = {"credits": credits_, "key": uuid4().hex, "reason": "to spend"} | more
        path = f"{ACCOUNTS}/{self.uid}/grants"
        entry: Json = self.house.post(path, self.admin, asked, 201)["entry"]
        return entry

    def asked(self, **more: object) -> Json:
        """What opens a reservation of this account."""
        usual = {"account_uid": self.uid, "resource": "k1", "burning_rate": 1, "key": "run-1"}
        return usual | more

    def opens(self, secret: str | None = None, **more: object) -> Json:
        """A reservation of this account, as the platform (or somebody else) opens it."""
        body = self.asked(key=uuid4().hex, burning_rate="0.01") | more
        told = self.house.post(RESERVATIONS, secret or self.platform, body, 201)
        one: Json = told["reservation"]
        return one

    def asks(
        self, method: str, one: Json, what: str = "", secret: str | None = None, **more: object
    ) -> httpx.Response:
        """Something is done to a reservation."""
        path = f"{RESERVATIONS}/{one['id']}{what}"
        return self.house.ask(method, path, secret or self.platform, **more)

    def does(
        self, method: str, one: Json, what: str = "", secret: str | None = None, **more: object
    ) -> Json:
        """What is said of something that has to succeed."""
        answer = self.asks(method, one, what, secret, **more)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def now(self, one: Json) -> Json:
        """A reservation as it is now."""
        found: Json = self.does("GET", one)["reservation"]
        return found

    def balance(self) -> Json:
        """What the account has."""
        return self.house.get(f"{USAGE}/credits", self.platform, params={"account_uid": self.uid})

    def entries(self) -> list[Json]:
        """How the balance came about, the newest first."""
        told = self.house.get(f"{USAGE}/entries", self.platform, params={"account_uid": self.uid})
        found: list[Json] = told["entries"]
        return found

    def findings(self) -> list[Finding]:
        """What is not as it has to be, when everybody's entries are added up again."""

        async def find() -> list[Finding]:
            database = Database(self.house.database_url)
            try:
                return [found async for found in verify(database, Tally())]
            finally:
                await database.close()

        return asyncio.run(find())

    def books(self) -> list[list[tuple[object, ...]]]:
        """All rows of the account."""

        async def read() -> list[list[tuple[object, ...]]]:
            database = Database(self.house.database_url)
            try:
                async with database.snapshot() as connection:
                    return [
                        [tuple(row) for row in await connection.execute(query)]
                        for query in map(self._rows, BOOKS)
                    ]
            finally:
                await database.close()

        return asyncio.run(read())

    def writes(self, statement: Update) -> None:
        """Somebody writes to the account's row behind the service's back."""

        async def write() -> None:
            database = Database(self.house.database_url)
            try:
                async with database.writing() as connection:
                    await connection.execute(statement.where(accounts.c.uid == self.uid))
            finally:
                await database.close()

        asyncio.run(write())

    def _rows(self, table: Table) -> Select[Any]:
        uid = table.c.uid if table is accounts else table.c.account_uid
        return select(table).where(uid == self.uid).order_by(*table.primary_key)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """What happens meanwhile leaves no trace in the books."""
        before = self.books()
        yield
        assert self.books() == before


def holder(house: House, uid: str | None = None, credits_: object = None) -> Holder:
    """A new account; with credits, if somebody gives it any."""
    uid = uid or f"user-{uuid4().hex}"
    made = Holder(
        house,
        uid,
        user=house.key(Scope.USER, uid).secret,
        platform=house.key(Scope.SERVICE).secret,
        admin=house.admin(),
    )
    if credits_ is not None:
        made.give(credits_)
    return made
