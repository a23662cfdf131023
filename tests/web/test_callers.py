"""Who calls is asked for once, and remembered for a moment: never longer than it may be."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from conftest import sqlite_url
from local_service import ISSUER, JWT_SECRET, token
from prepaid.clock import wall_clock
from prepaid.core.errors import Unauthenticated, Unavailable
from prepaid.core.identity import Caller, Scope
from prepaid.flows import accounts, keys
from prepaid.flows.keys import NewKey
from prepaid.settings import read_settings
from prepaid.storage.api_keys import ApiKey
from prepaid.storage.database import Database
from prepaid.storage.key_finder import KeyFinder
from prepaid.web.callers import KEY_SECONDS, TOKEN_SECONDS, Identity
from prepaid.web.tokens import Tokens

SETTINGS = read_settings(
    DATALAYER_STRIPE_API_KEY="sk_test_1",
    DATALAYER_STRIPE_JS_API_KEY="pk_test_1",
    DATALAYER_STRIPE_PRODUCT_ID="prod_1",
    DATALAYER_STRIPE_WEBHOOK_SECRET="whsec_1",
    DATALAYER_JWT_ISSUER=ISSUER,
    DATALAYER_JWT_SECRET=JWT_SECRET,
)


class Counted(KeyFinder):
    """A finder that counts how often it is asked."""

    asked = 0

    async def find(self, secret_hash: bytes) -> ApiKey | None:
        self.asked += 1
        return await super().find(secret_hash)


@dataclass
class Door:
    """Whoever asks who calls, by clocks of the test's, and how often that asks for a key."""

    database: Database
    finder: Counted
    now: datetime = field(default_factory=wall_clock)
    ticks: float = 0
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        known = self.database, self.finder, Tokens(SETTINGS)
        self.identity = Identity(*known, lambda: self.now, lambda: self.ticks)

    def later(self, seconds: float) -> None:
        self.ticks += seconds
        self.now += timedelta(seconds=seconds)

    async def key(self, scope: Scope = Scope.SERVICE, uid: str | None = None) -> NewKey:
        """A key that another process has made."""
        return await keys.make(self.database, "test", scope, uid, self.now)

    async def renewed(self) -> None:
        """When all that is being asked for beside is answered."""
        renewing = [one for one in asyncio.all_tasks() if one.get_name() == "who still calls"]
        await asyncio.wait(renewing)

    async def revoke(self, made: NewKey) -> None:
        """Another process ends a key."""
        await keys.revoke(self.database, made.key.id, self.now)

    @contextmanager
    def asks(self, times: int) -> Iterator[None]:
        """What happens meanwhile asks the database for a key so often."""
        before = self.finder.asked
        yield
        assert self.finder.asked - before == times


@pytest.fixture
async def door(database_url: str) -> AsyncIterator[Door]:
    database = Database(database_url)
    await accounts.create(database, "ada", wall_clock())
    finder = Counted(database)
    async with finder.open():
        yield Door(database, finder)
    await database.close()


@pytest.fixture
async def nowhere(tmp_path: Path) -> AsyncIterator[KeyFinder]:
    """Finds nothing: its database is away."""
    database = Database(sqlite_url(tmp_path / "none/none.db"))
    async with KeyFinder(database).open() as finder:
        yield finder
    await database.close()


async def test_a_key_is_asked_for_once_a_second(door: Door) -> None:
    secret = (await door.key(Scope.USER, "ada")).secret
    ada = Caller(Scope.USER, "test", "ada")
    with door.asks(1):
        for _ in range(5):
            assert await door.identity.caller(secret) == ada
            door.later(KEY_SECONDS * 0.19)
    door.later(KEY_SECONDS * 0.05)
    with door.asks(1):
        assert await door.identity.caller(secret) == ada


async def test_a_crowd_with_one_key_asks_once(door: Door) -> None:
    first, second = (await door.key()).secret, (await door.key(Scope.ADMIN)).secret
    with door.asks(2):
        crowd = [door.identity.caller(secret) for secret in (first, second) * 64]
        found = await asyncio.gather(*crowd)
    assert {caller.scope for caller in found[::2]} == {Scope.SERVICE}
    assert {caller.scope for caller in found[1::2]} == {Scope.ADMIN}


async def test_a_key_that_another_process_revokes_ends_within_a_second(door: Door) -> None:
    made = await door.key()
    await door.identity.caller(made.secret)
    await door.revoke(made)
    door.later(KEY_SECONDS)
    with pytest.raises(Unauthenticated):
        await door.identity.caller(made.secret)


async def test_a_key_that_is_revoked_here_ends_at_once(door: Door) -> None:
    """Also where somebody was asking for it just then."""
    made = await door.key()
    await door.identity.caller(made.secret)
    door.later(KEY_SECONDS)
    asking = asyncio.create_task(door.identity.caller(made.secret))
    await asyncio.sleep(0)
    await door.revoke(made)
    door.identity.forget()
    await asyncio.wait([asking])
    with pytest.raises(Unauthenticated):
        await door.identity.caller(made.secret)


async def test_what_is_refused_is_asked_again(door: Door) -> None:
    for _ in range(2):
        with door.asks(1), pytest.raises(Unauthenticated):
            await door.identity.caller("prepaid_none")
    crowd = [door.identity.caller("prepaid_none") for _ in range(9)]
    with door.asks(1):
        found = await asyncio.gather(*crowd, return_exceptions=True)
    assert {type(one) for one in found} == {Unauthenticated}


async def test_a_database_that_is_away_is_asked_again(door: Door, nowhere: KeyFinder) -> None:
    secret = (await door.key()).secret
    door.identity.key_finder = nowhere
    for _ in range(2):
        with pytest.raises(Unavailable):
            await door.identity.caller(secret)
    door.identity.key_finder = door.finder
    assert (await door.identity.caller(secret)).scope is Scope.SERVICE


async def test_whoever_hangs_up_ends_no_other_s_question(door: Door) -> None:
    secret = (await door.key()).secret
    first, second = (asyncio.create_task(door.identity.caller(secret)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).scope is Scope.SERVICE


async def test_a_platform_s_token_is_checked_now_and_then(door: Door) -> None:
    made = token("eve", handle="eve")
    assert await door.identity.caller(made) == Caller(Scope.USER, "eve", "eve")
    with door.asks(0):
        door.identity.tokens = Tokens(SETTINGS.model_copy(update={"jwt_issuer": "another"}))
        door.later(TOKEN_SECONDS * 0.9)
        await door.identity.caller(made)
    door.later(TOKEN_SECONDS * 0.1)
    with pytest.raises(Unauthenticated):
        await door.identity.caller(made)


async def test_a_platform_s_token_ends_when_it_says_so(door: Door) -> None:
    made = token("eve", exp=int(door.now.timestamp()) + 5)
    await door.identity.caller(made)
    door.now += timedelta(seconds=40)  # whatever ticks say: somebody has set the clock
    with pytest.raises(Unauthenticated, match="expired"):
        await door.identity.caller(made)


async def test_a_token_in_its_last_seconds_is_checked_each_time(door: Door) -> None:
    """The platform's clock may be behind ours."""
    made = token("eve", exp=int(door.now.timestamp()) - 5)
    for _ in range(2):
        await door.identity.caller(made)
    door.later(30)
    with pytest.raises(Unauthenticated, match="expired"):
        await door.identity.caller(made)


async def test_the_last_token_s_profile_is_the_account_s(door: Door) -> None:
    """Also where both tokens are remembered."""
    tokens = [token("eve", handle=handle) for handle in ("eve", "adam")]
    for made, handle in zip(tokens * 2, ("eve", "adam") * 2, strict=True):
        await door.identity.caller(made)
        row = await accounts.account(door.database, "eve")
        assert row.profile is not None
        assert row.profile.handle == handle


async def test_no_more_is_remembered_than_has_room(door: Door) -> None:
    door.identity.room = 3
    made = [(await door.key()).secret for _ in range(3)] + [token(name) for name in "abcdef"]
    for secret in made * 2:
        await door.identity.caller(secret)
        assert len(door.identity._known) <= 3
        assert len(door.identity._seen) <= 3


async def test_whose_time_is_over_makes_room_for_others(door: Door) -> None:
    """Kernels that each have a key come every ten seconds; a scheduler comes all the time."""
    door.identity.room = 4
    for _ in range(3):
        await door.identity.caller((await door.key()).secret)
    door.later(KEY_SECONDS)
    scheduler = (await door.key()).secret
    await door.identity.caller(scheduler)
    await door.identity.caller((await door.key()).secret)
    with door.asks(0):
        assert (await door.identity.caller(scheduler)).scope is Scope.SERVICE


async def test_no_token_is_kept_as_it_is(door: Door) -> None:
    secret, made = (await door.key()).secret, token("eve")
    for one in (secret, made):
        await door.identity.caller(one)
    assert len(door.identity._known) == 2
    assert not {secret, made} & {key.decode("latin-1") for key in door.identity._known}


async def test_a_key_that_is_used_all_the_time_is_asked_for_beside(door: Door) -> None:
    """Nobody waits for it: it is known until the answer is here, and a second from then on."""
    secret = (await door.key(Scope.USER, "ada")).secret
    assert door.identity.known(secret) is None
    ada = await door.identity.caller(secret)
    with door.asks(0):
        door.later(KEY_SECONDS * 0.3)
        assert door.identity.known(secret) == ada
    for _ in range(5):
        with door.asks(1):
            door.later(KEY_SECONDS * 0.6)
            assert [door.identity.known(secret) for _ in range(3)] == [ada] * 3
            await door.renewed()
    door.later(KEY_SECONDS)
    assert door.identity.known(secret) is None


async def test_a_key_that_was_revoked_is_not_renewed(door: Door) -> None:
    made = await door.key()
    caller = await door.identity.caller(made.secret)
    await door.revoke(made)
    door.later(KEY_SECONDS * 0.6)
    assert door.identity.known(made.secret) == caller
    await door.renewed()
    assert door.identity.known(made.secret) is None


async def test_a_key_is_not_renewed_after_all_was_forgotten(door: Door) -> None:
    made = await door.key()
    await door.identity.caller(made.secret)
    door.later(KEY_SECONDS * 0.6)
    door.identity.known(made.secret)
    door.identity.forget()
    await door.renewed()
    assert door.identity.known(made.secret) is None


async def test_a_key_that_can_not_be_asked_for_grows_old(door: Door, nowhere: KeyFinder) -> None:
    made = await door.key()
    caller = await door.identity.caller(made.secret)
    door.later(KEY_SECONDS * 0.6)
    door.identity.key_finder = nowhere
    assert door.identity.known(made.secret) == caller
    await door.renewed()
    assert door.identity.known(made.secret) == caller
    door.later(KEY_SECONDS * 0.5)
    assert door.identity.known(made.secret) is None


async def test_a_person_is_known_as_long_as_their_token(door: Door) -> None:
    """And once their account is entered, as the token says."""
    secret = token("eve", given_name="Eve")
    assert door.identity.known(secret) is None
    caller = await door.identity.caller(secret)
    with door.asks(0):
        assert door.identity.known(secret) == caller
        door.later(TOKEN_SECONDS)
        assert door.identity.known(secret) is None
    await door.identity.caller(secret)
    await door.identity.caller(token("eve", given_name="Eva"))
    assert door.identity.known(secret) is None


async def test_a_newer_token_that_says_the_same_is_known_too(door: Door) -> None:
    for seconds in (1800, 3600):
        secret = token("eve", given_name="Eve", exp=int(door.now.timestamp()) + seconds)
        caller = await door.identity.caller(secret)
        assert door.identity.known(secret) == caller
