"""Spenders: each does random things to one account over HTTP, and keeps all that it is told."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import httpx

from local_service import CREDITS, bearer, exact
from local_stripe import Json
from wallets import ACCOUNTS, CHARGES, RESERVATIONS, Wallet, decimal, micro

LIMITS = httpx.Limits(max_connections=2, keepalive_expiry=1)
"""Each has connections of its own, one to each process: a pool of many is slow to choose. None is
idle for so long that the service might close it just as it is used again."""

TLS = SSLContext(PROTOCOL_TLS_CLIENT)
"""One for all: each client would make its own, which costs as much as a hundred requests."""

TRIES = 1_000
"""How often a spender asks again while the service is busy."""

MOST_RUNNING = 3
"""Reservations that one has open at most. Together they still meet what a user may have open."""

TOO_MUCH = 1_000_000_000_000
"""Microcredits: more than any account of a test has, with all that is granted meanwhile."""

NOT_OPENED = {"insufficient_credits", "reservation_depleted", "too_many"}
GONE = {"reservation_lost", "reservation_depleted", "reservation_closed"}


@dataclass
class Spender:
    """One of many. `posted` is each key with its entry, `held` each reservation as it was last
    told, `named` what it said that a hold had cost; `tally` counts what was answered to what."""

    urls: Sequence[str]
    wallet: Wallet
    secret: str
    name: str
    rng: Random
    posted: dict[str, Json] = field(default_factory=dict)
    held: dict[str, Json] = field(default_factory=dict)
    named: dict[str, int] = field(default_factory=dict)
    tally: Counter[tuple[str, int | str]] = field(default_factory=Counter)
    _client: httpx.AsyncClient = field(init=False)
    _running: list[str] = field(default_factory=list)
    _charges: list[Json] = field(default_factory=list)
    _openings: list[Json] = field(default_factory=list)

    async def spend(self, times: int) -> None:
        """Asks for too much, does so many random things, and settles all that it ever opened:
        what had ended before is told as it ended."""
        async with httpx.AsyncClient(limits=LIMITS, timeout=60, verify=TLS) as self._client:
            await self._ask_for_too_much()
            for _ in range(times):
                chosen = self.rng.choices([*ACTS], [*ACTS.values()])[0]
                await getattr(self, chosen)()
            for id_ in self.held:
                self._keep((await self._settle(id_))["reservation"])

    async def _ask_for_too_much(self) -> None:
        """Whether what is random is ever refused depends on who comes first; this always is. Later
        it may be asked for again, as anything."""
        await self._charge(self._new_charge(TOO_MUCH))
        await self._open(self.wallet.opening(self._key(), 0, TOO_MUCH, 600))

    async def charge(self) -> None:
        await self._charge(self._new_charge(self._amount()))

    async def replay(self) -> None:
        if self._charges:
            await self._charge(self.rng.choice(self._charges))

    async def reuse(self) -> None:
        """The same key with other content."""
        if self.posted and self._charges:
            body = self.rng.choice(self._charges) | {"resource": "another"}
            if body["key"] in self.posted:
                answer = await self._ask("reuse", "POST", CHARGES, body)
                assert answer.json()["code"] == "idempotency_key_reused"

    async def batch(self) -> None:
        bodies = [self._new_charge(self._amount()) for _ in range(self.rng.randint(1, 6))]
        bodies += [self.rng.choice(self._charges)]
        answer = await self._ask("batch", "POST", f"{CHARGES}/batch", {"charges": bodies})
        for body, outcome in zip(bodies, exact(answer)["outcomes"], strict=True):
            self._charged(body, outcome)

    async def top_up(self) -> None:
        """On the whole by less than is asked for: so some of that is refused, however long all
        goes on, and what was granted is used up in time."""
        key, whole = self._key(), self.rng.randint(1, 9)
        body = {"credits": whole, "key": key, "reason": "more"}
        path = f"{ACCOUNTS}/{self.wallet.uid}/grants"
        answer = await self._ask("top_up", "POST", path, body, self.wallet.admin)
        self.posted[key] = exact(answer)["entry"]

    async def balance(self) -> None:
        """One picture, in which everything fits."""
        told = exact(await self._ask("balance", "GET", f"{CREDITS}?account_uid={self.wallet.uid}"))
        running = told["reservations"]
        assert micro(told["reserved"]) == sum(micro(one["credits"]) for one in running)
        assert micro(told["accrued"]) == sum(micro(one["used"]) for one in running)
        assert micro(told["burning_rate"]) == sum(micro(one["burning_rate"]) for one in running)
        assert micro(told["available"]) == micro(told["balance"]) - micro(told["reserved"]) >= 0

    async def hold(self) -> None:
        """Reserves without burning."""
        await self._open(self.wallet.opening(self._key(), 0, self.rng.randint(1, 3_000_000), 600))

    async def open_limited(self) -> None:
        """Now and then so little that it runs out at once."""
        limit = self.rng.choice([5_000, 500_000, 3_000_000])
        rate = self.rng.randint(1, 300_000)
        await self._open(self.wallet.opening(self._key(), rate, limit, 600))

    async def open_sliced(self) -> None:
        """Now and then with so short a grace that it is lost."""
        heartbeat = self.rng.choice([1, 600])
        rate = self.rng.randint(1, 1_000_000 // heartbeat)
        await self._open(self.wallet.opening(self._key(), rate, None, heartbeat))

    async def reopen(self) -> None:
        if self._openings:
            await self._open(self.rng.choice(self._openings))

    async def beat(self) -> None:
        await self._change("beat", "POST", "heartbeat")

    async def extend(self) -> None:
        if (id_ := self._any()) is not None:
            limit = self.held[id_]["limit"]
            more = self.rng.randint(0, 1_000_000)
            body = {} if limit is None else {"credits": decimal(micro(limit) + more)}
            await self._change("extend", "POST", "extension", body, id_)

    async def rate(self) -> None:
        if (id_ := self._any()) is not None and micro(self.held[id_]["burning_rate"]):
            body = {"burning_rate": decimal(self.rng.randint(1, 300_000))}
            await self._change("rate", "PUT", "burning-rate", body, id_)

    async def settle(self) -> None:
        if (id_ := self._any()) is not None:
            self._running.remove(id_)
            self._keep((await self._settle(id_))["reservation"])

    async def release(self) -> None:
        await self._change("release", "POST", "release")

    async def _charge(self, body: Json) -> None:
        self._charged(body, exact(await self._ask("charge", "POST", CHARGES, body)))

    def _charged(self, body: Json, told: Json) -> None:
        """A key is posted once, with what was asked for; and refused only for want of credits."""
        first = self.posted.get(body["key"])
        if "entry" not in told:
            assert told["code"] == "insufficient_credits", told
            assert micro(told["available"]) < micro(told["asked"]) == micro(body["credits"])
            assert first is None
            return
        assert told["replayed"] == (first is not None)
        assert told["entry"] == (first or told["entry"])
        assert micro(told["entry"]["credits"]) == -micro(body["credits"])
        self.posted[body["key"]] = told["entry"]

    async def _open(self, body: Json) -> None:
        """A key opens once, and again after it was lost."""
        if len(self._running) >= MOST_RUNNING:
            await self.settle()
        answer = await self._ask("open", "POST", RESERVATIONS, body)
        told = exact(answer)
        self._openings.append(body)
        if answer.status_code != 201:
            assert told["code"] in NOT_OPENED, told
            return
        one = told["reservation"]
        assert told["replayed"] == (one["id"] in self.held)
        assert one["epoch"] == 1 + sum(
            other["key"] == one["key"] and id_ != one["id"] for id_, other in self.held.items()
        )
        if not told["replayed"]:
            self._running.append(one["id"])
        self._keep(one)

    async def _change(
        self, act: str, method: str, path: str, body: Json | None = None, id_: str | None = None
    ) -> None:
        if (id_ := id_ or self._any()) is None:
            return
        answer = await self._ask(act, method, f"{RESERVATIONS}/{id_}/{path}", body)
        told = exact(answer)
        if answer.is_success:
            self._keep(told["reservation"])
        else:
            assert told["code"] in GONE | {"insufficient_credits", "forbidden"}, told
            self.tally[act, told["code"]] += 1
        if told.get("code") in GONE or (act == "release" and answer.is_success):
            self._running.remove(id_)

    async def _settle(self, id_: str) -> Json:
        body = None
        if not micro(self.held[id_]["burning_rate"]):
            spent = self.named.setdefault(id_, self.rng.randint(0, micro(self.held[id_]["limit"])))
            body = {"credits": decimal(spent)}
        answer = await self._ask("settle", "POST", f"{RESERVATIONS}/{id_}/settlement", body)
        assert answer.status_code == 200, answer.text
        return exact(answer)

    def _keep(self, one: Json) -> None:
        """What has ended stays as it ended."""
        before = self.held.get(one["id"], one)
        assert before["end_date"] is None or before == one
        self.held[one["id"]] = one

    def _any(self) -> str | None:
        return self.rng.choice(self._running) if self._running else None

    def _key(self) -> str:
        return f"{self.name}-{self.rng.getrandbits(64):016x}"

    def _amount(self) -> int:
        return self.rng.randint(1, 2_000_000)

    def _new_charge(self, microcredits: int) -> Json:
        amount = decimal(microcredits)
        body = {"account_uid": self.wallet.uid, "credits": amount, "key": self._key()}
        self._charges.append(body)
        return body

    async def _ask(
        self, act: str, method: str, path: str, body: Json | None = None, secret: str = ""
    ) -> httpx.Response:
        """Of any process; again while it is busy, which is the only fault that there may be."""
        headers = bearer(secret or self.secret)
        for _ in range(TRIES):
            url = self.rng.choice(self.urls) + path
            answer = await self._client.request(method, url, headers=headers, json=body)
            self.tally[act, answer.status_code] += 1
            if answer.status_code != 503 or answer.json()["code"] != "ledger_busy":
                assert answer.status_code < 500, answer.text
                return answer
            await asyncio.sleep(0)
        raise AssertionError("it stayed busy")


ACTS = {
    "charge": 20,
    "replay": 8,
    "reuse": 2,
    "batch": 6,
    "top_up": 6,
    "balance": 6,
    "hold": 3,
    "open_limited": 8,
    "open_sliced": 8,
    "reopen": 3,
    "beat": 12,
    "extend": 5,
    "rate": 5,
    "settle": 6,
    "release": 2,
}
"""What they do, and how often."""
