"""Tokens of the platform: for whom they speak."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from prepaid.core.errors import InvalidAccount, Unauthenticated
from prepaid.core.identity import account_uid
from prepaid.settings import Settings
from prepaid.storage.accounts import Profile

if TYPE_CHECKING:
    from prepaid.web.jwts import Jwts

LONGEST_NAME = 256
"""Characters of a name or an address that is taken from a token; Stripe takes no longer names."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token speaks for, until it ends (in seconds since 1970)."""

    uid: str
    profile: Profile
    ends_at: float


class Tokens:
    """Reads the platform's tokens as the settings say: algorithm, issuers and audience.

    What checks them is loaded with the first one, beside the event loop: with its cryptography
    and an HTTP client it is 50 ms of a start and 12 MB, and API keys don't need it. `ticks` gives
    seconds that only ever grow; fetched keys grow old by it.
    """

    def __init__(self, settings: Settings, ticks: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._jwts: Jwts | None = None
        self._loading = asyncio.Lock()

    async def person(self, token: str, now: datetime) -> Person:
        """Whom the token speaks for.

        Raises:
            Unauthenticated: it is no token that we accept; the sentence says why.
            Unavailable: the platform's public keys could not be fetched.
        """
        if not self._settings.issuers:
            raise Unauthenticated("This service takes no platform tokens, only its API keys.")
        async with self._loading:
            if self._jwts is None:
                self._jwts = await asyncio.to_thread(self._load)
        return _person(await self._jwts.claims(token, now))

    def _load(self) -> "Jwts":
        from prepaid.web.jwts import Jwts  # noqa: PLC0415 - see above

        return Jwts(self._settings, self._ticks)


def _person(claims: Mapping[str, object]) -> Person:
    """The platform writes the user into `sub`, as text or as an object with a `uid`."""
    sub = claims.get("sub")
    told: Mapping[str, object] = {**claims, **sub} if isinstance(sub, dict) else claims
    named = sub.get("uid") if isinstance(sub, dict) else sub
    ends_at = claims["exp"]
    assert isinstance(ends_at, int | float)  # it was compared with the clock
    if not isinstance(named, str):
        raise Unauthenticated("The token's sub names no user.")
    try:
        uid = account_uid(named)
    except InvalidAccount as error:
        raise Unauthenticated(f"The token's sub names no user: {error}") from error
    return Person(uid, _profile(uid, told), ends_at)


def _profile(uid: str, told: Mapping[str, object]) -> Profile:
    def first(*names: str) -> str | None:
        return next((text for name in names if (text := _text(told.get(name)))), None)

    return Profile(
        handle=first("handle_s", "handle", "preferred_username") or uid,
        email=first("email_s", "email"),
        first_name=first("first_name_t", "given_name") or "",
        last_name=first("last_name_t", "family_name") or "",
    )


def _text(claim: object) -> str:
    """What can be stored and shown of a claim: nothing, where it has a NUL, half of a surrogate
    pair or any other character that isn't printed."""
    good = isinstance(claim, str) and claim.isprintable()
    return str(claim)[:LONGEST_NAME].strip() if good else ""
