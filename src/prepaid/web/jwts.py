"""JWTs: their signatures, with a shared secret or the platform's public keys, and their claims."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, OctKey

from prepaid.core.errors import Unauthenticated, Unavailable
from prepaid.settings import Settings

LEEWAY_SECONDS = 30
"""How far the platform's clock may be from ours."""

KEYS_FRESH_SECONDS = 600
"""How long fetched public keys are used before they are fetched again."""

KEYS_RETRY_SECONDS = 10
"""How often at most an unknown key makes us fetch them again: anyone can invent a key's name."""

log = structlog.get_logger(__name__)


class Jwts:
    """Reads JWTs as the settings say. `ticks` gives seconds that only ever grow."""

    def __init__(self, settings: Settings, ticks: Callable[[], float]) -> None:
        self._settings = settings
        self._ticks = ticks
        self._fetching = asyncio.Lock()
        self._fetched_at = float("-inf")
        self._fetched = KeySet([])

    async def claims(self, token: str, now: datetime) -> Mapping[str, object]:
        """What the token says.

        Raises:
            Unauthenticated: it is no token that we accept; the sentence says why.
            Unavailable: the platform's public keys could not be fetched.
        """
        try:
            claims = await self._signed(token)
            self._check(claims, now)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            # TypeError: the library looks into a header's `crit` before it checks its type.
            why = str(error).rstrip(".: ")
            raise Unauthenticated(f"The token is not accepted: {why}.") from error
        return claims

    async def _signed(self, token: str) -> dict[str, object]:
        keys = await self._keys(KEYS_FRESH_SECONDS)
        try:
            return jwt.decode(token, keys, algorithms=[self._settings.jwt_algorithm]).claims
        except (JoseError, ValueError, TypeError):
            if isinstance(keys, OctKey):
                raise
        keys = await self._keys(KEYS_RETRY_SECONDS)
        return jwt.decode(token, keys, algorithms=[self._settings.jwt_algorithm]).claims

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
