"""Tokens of the platform: JWTs, checked with a shared secret or the platform's public keys."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey

from prepaid.core.errors import InvalidAccount, Unauthenticated, Unavailable
from prepaid.core.identity import account_uid
from prepaid.settings import Settings
from prepaid.storage.accounts import Profile

LEEWAY_SECONDS = 30
"""How far the platform's clock may be from ours."""

KEYS_FRESH_SECONDS = 600
"""How long fetched public keys are used before they are fetched again."""

KEYS_RETRY_SECONDS = 10
"""How often at most an unknown key makes us fetch them again: anyone can invent a key's name."""

LONGEST_NAME = 256
"""Characters of a name or an address that is taken from a token; Stripe takes no longer names."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token speaks for, until it ends (in seconds since 1970)."""

    uid: str
    profile: Profile
    ends_at: float


class Tokens:
    """Reads the platform's tokens as the settings say: algorithm, issuers and audience.

    `ticks` gives seconds that only ever grow; fetched keys grow old by it.
    """

    def __init__(self, settings: Settings, ticks: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._ticks = ticks
        self._fetching = asyncio.Lock()
        self._fetched_at = float("-inf")
        self._fetched = KeySet([])

    async def person(self, token: str, now: datetime) -> Person:
        """Whom the token speaks for.

        Raises:
            Unauthenticated: it is no token that we accept; the sentence says why.
            Unavailable: the platform's public keys could not be fetched.
        """
        if not self._settings.issuers:
            raise Unauthenticated("This service takes no platform tokens, only its API keys.")
        try:
            claims = await self._claims(token, now)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            # TypeError: the library looks into a header's `crit` before it checks its type.
            why = str(error).rstrip(".: ")
            raise Unauthenticated(f"The token is not accepted: {why}.") from error
        return _person(claims)

    async def _claims(self, token: str, now: datetime) -> Mapping[str, object]:
        keys = await self._keys(KEYS_FRESH_SECONDS)
        try:
            claims = jwt.decode(token, keys, algorithms=[self._settings.jwt_algorithm]).claims
        except (JoseError, ValueError, TypeError):
            if isinstance(keys, OctKey):
                raise
            keys = await self._keys(KEYS_RETRY_SECONDS)
            claims = jwt.decode(token, keys, algorithms=[self._settings.jwt_algorithm]).claims
        self._check(claims, now)
        return claims

    def _check(self, claims: dict[str, object], now: datetime) -> None:
        audience = self._settings.jwt_audience
        if not audience and "aud" in claims:
            raise ValueError("it is meant for an audience, and DATALAYER_JWT_AUDIENCE is not set")
        rules: dict[str, jwt.ClaimsOption] = {
            "iss": {"essential": True, "values": sorted(self._settings.issuers)},
            "exp": {"essential": True},
        }
        if audience:
            rules["aud"] = {"essential": True, "value": audience}
        registry = jwt.JWTClaimsRegistry(int(now.timestamp()), LEEWAY_SECONDS, **rules)
        registry.validate({name: claim for name, claim in claims.items() if name != "sub"})

    async def _keys(self, fresh_seconds: float) -> OctKey | KeySet:
        if self._settings.jwt_algorithm.startswith("HS"):
            return OctKey.import_key(self._settings.jwt_secret.get_secret_value())
        async with self._fetching:
            now = self._ticks()
            enough = fresh_seconds if self._fetched.keys else KEYS_RETRY_SECONDS
            if now - self._fetched_at > enough:
                self._fetched_at = now
                self._fetched = await _fetch(self._settings.jwt_jwks_url) or self._fetched
        if not self._fetched.keys:
            raise Unavailable("The platform's public keys can't be read; try again.")
        return self._fetched


async def _fetch(url: str) -> KeySet | None:
    """The keys; None if they can't be read, and the last ones go on being used."""
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            told = (await client.get(url)).raise_for_status().json()["keys"]
        found = [key for written in told if (key := _public_key(written))]
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        log.warning("jwks_unreadable", url=url, error=str(error))
        return None
    return KeySet(found) if found else None


def _public_key(written: object) -> Key | None:
    """A key; None if it is of no kind that we know: a platform may add kinds at any time."""
    try:
        return JWKRegistry.import_key(written)  # type: ignore[arg-type]  # whatever stands there
    except (JoseError, ValueError, LookupError, TypeError, AttributeError) as error:
        log.warning("jwk_unreadable", error=str(error))
        return None


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
