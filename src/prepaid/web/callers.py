"""Callers: a token becomes a caller with a scope, asked for once and remembered for a moment."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prepaid.clock import Clock
from prepaid.core.errors import Unauthenticated, Unavailable
from prepaid.core.identity import Caller, Scope
from prepaid.flows import accounts, keys
from prepaid.storage.accounts import Profile
from prepaid.storage.database import Database
from prepaid.storage.key_finder import KeyFinder
from prepaid.web.tokens import Person, Tokens

KEY_SECONDS = 1
"""How long an API key that was good is taken for good: so much later ends one that another
process has revoked."""

TOKEN_SECONDS = 10
"""How long a token of the platform is, though not beyond its own end: to check its signature
takes a tenth of a millisecond."""

REMEMBERED = 10_000
"""Tokens that are remembered at most; and platform users whose account is known to exist and
whose profile is known to be as written."""


@dataclass(slots=True, eq=False)
class _Known:
    """Who has a token, until ticks say otherwise: what `asked` finds. A platform's token is a
    person's."""

    until: float
    asked: asyncio.Task[Caller] = field(init=False)
    person: Person | None = None
    renewal: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Identity:
    """Finds out who calls. Whoever comes with a token that is just being asked for waits for that
    answer; a good one is remembered by the token's hash, and a refusal is not.

    `ticks` gives seconds that only ever grow; what is remembered grows old by it, and is
    forgotten when there is more than `room` for.
    """

    database: Database
    key_finder: KeyFinder
    tokens: Tokens
    clock: Clock
    ticks: Callable[[], float] = time.monotonic
    room: int = REMEMBERED
    _known: dict[bytes, _Known] = field(default_factory=dict)
    _seen: dict[str, Profile] = field(default_factory=dict)

    def known(self, token: str) -> Caller | None:
        """Who has this token, if that is known without asking anybody. A key that is used all the
        time is asked for again before it has to be, so that nobody waits for that."""
        hash_ = keys.hash_of(token)
        known = self._known.get(hash_)
        if known is None or not known.asked.done() or not self._is_good(known):
            return None
        if known.person is None:
            self._renew_soon(known, hash_, token)
        elif self._seen.get(known.person.uid) != known.person.profile:
            return None
        return known.asked.result()

    async def caller(self, token: str) -> Caller:
        """Who has this token.

        Raises:
            Unauthenticated: nobody that we know.
        """
        hash_ = keys.hash_of(token)
        known = self._known.get(hash_)
        if known is None or not self._is_good(known):
            known = self._ask(hash_, token)
        asked = known.asked
        caller = asked.result() if asked.done() else await asyncio.shield(asked)
        if known.person is not None:
            await self._enter(known.person)
        return caller

    def forget(self) -> None:
        """Asks for every token again: a key was revoked. What is being asked for already is the
        answer of those who wait for it, and of nobody else."""
        self._known.clear()

    async def still(self, token: str) -> bool:
        """Whether a token that was good still is. Who can't be asked now has not said no. It
        writes no profile: an old token would undo what a newer one said."""
        try:
            if token.startswith(keys.PREFIX):
                await self._by_key(token)
            else:
                await self.tokens.person(token, self.clock())
        except Unauthenticated:
            return False
        except Unavailable:
            return True
        return True

    def _is_good(self, known: _Known) -> bool:
        if known.person is not None and self.clock().timestamp() >= known.person.ends_at:
            return False
        return self.ticks() < known.until

    def _ask(self, hash_: bytes, token: str) -> _Known:
        if len(self._known) >= self.room and hash_ not in self._known:
            self._make_room()
        known = self._known[hash_] = _Known(self.ticks() + KEY_SECONDS)
        known.asked = asyncio.create_task(self._find(known, hash_, token), name="who calls")
        return known

    def _make_room(self) -> None:
        """Whose time is over goes first."""
        self._known = {hash_: one for hash_, one in self._known.items() if self._is_good(one)}
        if len(self._known) >= self.room:
            self._known.clear()

    def _renew_soon(self, known: _Known, hash_: bytes, token: str) -> None:
        if known.renewal is None and self.ticks() > known.until - KEY_SECONDS / 2:
            renewal = self._renew(known, hash_, token, self.ticks() + KEY_SECONDS)
            known.renewal = asyncio.create_task(renewal, name="who still calls")

    async def _renew(self, known: _Known, hash_: bytes, token: str, until: float) -> None:
        """Asks again for a key that is still taken for good. Who is not known any more is
        forgotten; who can't be asked now was not forgotten: time does that."""
        try:
            caller = await self._by_key(token)
        except Unauthenticated:
            caller = None
        except Unavailable:
            return  # not tried again: it is asked for anew when its second is over
        if caller == known.asked.result():
            known.until, known.renewal = until, None
        elif self._known.get(hash_) is known:
            del self._known[hash_]

    async def _find(self, known: _Known, hash_: bytes, token: str) -> Caller:
        try:
            if token.startswith(keys.PREFIX):
                return await self._by_key(token)
            person = await self.tokens.person(token, self.clock())
            await self._enter(person)
        except BaseException:
            if self._known.get(hash_) is known:
                del self._known[hash_]
            raise
        known.person = person
        known.until += TOKEN_SECONDS - KEY_SECONDS
        return Caller(Scope.USER, person.uid, person.uid)

    async def _by_key(self, secret: str) -> Caller:
        key = await keys.found(self.key_finder, secret)
        if key is None:
            raise Unauthenticated("There is no such API key, or it was revoked.")
        return Caller(key.scope, key.name, key.account_uid or "")

    async def _enter(self, person: Person) -> None:
        """The account of a platform user exists from now on, with the profile that their last
        token had."""
        seen = self._seen.get(person.uid)
        if seen is person.profile or seen == person.profile:
            return
        await accounts.enter(self.database, person.uid, person.profile, self.clock())
        if len(self._seen) >= self.room:
            self._seen.clear()
        self._seen[person.uid] = person.profile
