import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from local_service import CREDITS, ISSUER, JWT_SECRET, House, refused, running, token
from local_stripe import LocalStripe
from prepaid.clock import wall_clock
from prepaid.core.errors import Unauthenticated, Unavailable
from prepaid.settings import read_settings
from prepaid.web.jwts import KEYS_FRESH_SECONDS, KEYS_RETRY_SECONDS
from prepaid.web.tokens import Tokens

WHOAMI = "/api/iam/v1/whoami"
HOUR = 3600


def written(header: object, claims: object, secret: str = JWT_SECRET) -> str:
    """A token with any header and claims at all, signed as HS256."""
    parts = [_encoded(part) for part in (header, claims)]
    made = hmac.new(secret.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join((*parts, _encoded(made))).decode()


def _encoded(part: object) -> bytes:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def good(**other: object) -> dict[str, object]:
    return {"iss": ISSUER, "sub": "user-1", "exp": int(time.time()) + HOUR, **other}


HS256 = {"alg": "HS256"}


def test_a_token_of_the_platform_is_an_account(house: House, uid: str) -> None:
    told = house.get(WHOAMI, token(uid, email="ada@example.com", given_name="Ada"))
    assert told["profile"]["uid"] == told["profile"]["id"] == uid
    assert told["profile"]["email_s"] == "ada@example.com"
    assert told["profile"]["first_name_t"] == "Ada"
    assert told["profile"]["handle_s"] == uid


def test_the_user_may_be_an_object_in_sub(house: House, uid: str) -> None:
    sub = {"uid": uid, "handle_s": "ada", "email_s": "ada@example.com", "first_name_t": "Ada"}
    profile = house.get(WHOAMI, token(sub))["profile"]
    assert (profile["uid"], profile["handle_s"]) == (uid, "ada")
    assert profile["email_s"] == "ada@example.com"


def test_a_profile_is_what_the_last_token_said(both: House, uid: str) -> None:
    both.get(WHOAMI, token(uid, handle="ada"))
    assert both.get(WHOAMI, token(uid, handle="lovelace"))["profile"]["handle_s"] == "lovelace"
    assert both.get(WHOAMI, token(uid, handle="ada"))["profile"]["handle_s"] == "ada"


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "\n", "", " ", 1, None, [], {"a": 1}])
def test_a_name_that_cannot_be_shown_is_not_taken(both: House, uid: str, odd: object) -> None:
    claims = good(sub=uid, handle=odd, email=odd, given_name=odd, family_name=odd)
    profile = both.get(WHOAMI, written(HS256, claims))["profile"]
    assert profile["handle_s"] == uid
    assert profile["email_s"] is None
    assert profile["first_name_t"] == profile["last_name_t"] == ""


@pytest.mark.parametrize(
    "uid",
    ["", " ", "a b", "a\0", "\n", "ü", "\ud800", "x" * 129, 1, True, None, [], {}, {"uid": 1}],
)
def test_a_sub_that_names_no_user_is_refused(house: House, uid: object) -> None:
    for sub in (uid, {"uid": uid}):
        refused(house.ask("GET", WHOAMI, written(HS256, good(sub=sub))), 401, "unauthenticated")


@pytest.mark.parametrize(
    "uid", ["x" * 128, "a/b", "01JABCDEFGHJKMNPQRSTVWXYZ0", "a@b.example", "~"]
)
def test_a_uid_is_any_printable_text_without_blanks(both: House, uid: str) -> None:
    assert both.get(WHOAMI, token(uid))["profile"]["uid"] == uid
    assert both.credits(token(uid)) == 0


NOW = int(time.time())
REFUSED = {
    "of another secret": token(secret="another-secret-of-32-characters!"),
    "of another issuer": token(iss="https://evil.example"),
    "of no issuer": token(iss=None),
    "of a list of issuers": token(iss=[ISSUER]),
    "expired": token(exp=NOW - 31),
    "never expiring": token(exp=None),
    "expiring in words": written(HS256, good(exp="tomorrow")),
    "expiring at true": written(HS256, good(exp=True)),
    "not valid yet": token(nbf=NOW + HOUR),
    "issued tomorrow": token(iat=NOW + HOUR),
    "without a user": token(uid=None),
    "for somebody else": token(aud="another-service"),
    "alg none": f"{written({'alg': 'none'}, good()).rpartition('.')[0]}.",
    "alg None": written({"alg": "None"}, good()),
    "alg none, signed": written({"alg": "none"}, good()),
    "alg HS512": written({"alg": "HS512"}, good()),
    "alg RS256": written({"alg": "RS256"}, good()),
    "alg a list": written({"alg": ["HS256"]}, good()),
    "no alg": written({}, good()),
    "critical headers": written(HS256 | {"crit": ["b64"], "b64": False}, good()),
    "encrypted": written({"alg": "dir", "enc": "A128GCM"}, good()),
    "a header of text": written("HS256", good()),
    "a header that is not JSON": written(b"\xff", good()),
    "claims of a list": written(HS256, [good()]),
    "claims that are not JSON": written(HS256, b"\xff"),
    "claims without end": written(HS256, b"[" * 5_000),
    "no signature": written(HS256, good()).rpartition(".")[0],
    "a cut signature": written(HS256, good())[:-3],
    "one part": "abc",
    "five parts": "a.b.c.d.e",
    "dots": "..",
    "an unknown API key": "prepaid_none",
    "an API key in part": "prepaid_",
}


@pytest.mark.parametrize("refused_token", REFUSED.values(), ids=REFUSED)
def test_a_token_that_proves_nothing_is_refused(house: House, refused_token: str) -> None:
    refused(house.ask("GET", CREDITS, refused_token), 401, "unauthenticated")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic dXNlcjpwYXNz", "prepaid_x", "ü", "Bearer ü"],
)
def test_a_header_that_is_no_bearers_is_refused(house: House, header: str) -> None:
    sent = {"Authorization": header.encode()}
    refused(house.ask("GET", CREDITS, headers=sent), 401, "unauthenticated")


def test_no_header_is_refused(house: House) -> None:
    refused(house.ask("GET", CREDITS), 401, "unauthenticated")


def test_bearer_is_written_in_any_case(house: House, user: str) -> None:
    answer = house.ask("GET", CREDITS, headers={"Authorization": f"bEARER   {user}"})
    assert answer.status_code == 200


def test_clocks_may_differ_a_little(house: House) -> None:
    assert house.credits(token("clock", exp=int(time.time()) - 10)) == 0


def test_an_audience_is_checked_where_one_is_set(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    with running(fresh_database, stripe_account, DATALAYER_JWT_AUDIENCE="prepaid") as house:
        assert house.credits(token(aud="prepaid")) == 0
        assert house.credits(token(aud=["other", "prepaid"])) == 0
        for aud in (None, "other", ["other"], 1):
            refused(house.ask("GET", CREDITS, written(HS256, good(aud=aud))), 401)


def test_without_an_issuer_no_platform_token_is_taken(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    nobody = {"DATALAYER_JWT_ISSUER": "", "DATALAYER_JWT_SECRET": ""}
    with running(fresh_database, stripe_account, **nobody) as house:
        empty = jwt.encode({"alg": "HS256"}, good(iss=""), OctKey.import_key("x" * 32))
        for made in (token(), empty, token(iss="")):
            told = refused(house.ask("GET", CREDITS, made), 401)
            assert "only its API keys" in told["detail"]


# Public keys


@dataclass
class Platform:
    """Whoever signs the tokens: a server of public keys, which may be away or answer nonsense."""

    url: str = ""
    keys: list[Key] = field(default_factory=list)
    answer: bytes | None = None
    status: int = 200
    asked: int = 0

    def jwks(self) -> bytes:
        told = {"keys": [key.as_dict(private=False) for key in self.keys]}
        return json.dumps(told).encode() if self.answer is None else self.answer


@contextmanager
def platform(*keys: Key) -> Iterator[Platform]:
    served = Platform(keys=list(keys))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            body = served.jwks()
            self.send_response(served.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def settings(url: str, algorithm: str) -> dict[str, str]:
    return {
        "DATALAYER_JWT_ALGORITHM": algorithm,
        "DATALAYER_JWT_JWKS_URL": url,
        "DATALAYER_JWT_SECRET": "",
    }


def reader(url: str, ticks: Callable[[], float], algorithm: str = "ES256") -> Tokens:
    stripe = {
        "DATALAYER_STRIPE_API_KEY": "sk_test_1",
        "DATALAYER_STRIPE_JS_API_KEY": "pk_test_1",
        "DATALAYER_STRIPE_PRODUCT_ID": "prod_1",
        "DATALAYER_STRIPE_WEBHOOK_SECRET": "whsec_1",
        "DATALAYER_JWT_ISSUER": ISSUER,
    }
    return Tokens(read_settings(**(stripe | settings(url, algorithm))), ticks)


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def signed(by: Key, algorithm: str = "ES256", **other: object) -> str:
    header = {"alg": algorithm, "kid": by.kid}
    return jwt.encode(header, good(**other), by, algorithms=[algorithm])


async def uid_of(tokens: Tokens, made: str) -> str:
    return (await tokens.person(made, wall_clock())).uid


MADE: dict[str, Callable[[], Key]] = {
    "RS256": lambda: RSAKey.generate_key(2048, {"kid": "1"}),
    "PS256": lambda: RSAKey.generate_key(2048, {"kid": "1"}),
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "1"}),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519", {"kid": "1"}),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "1"}),
}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", MADE)
async def test_public_keys_check_tokens(algorithm: str) -> None:
    made = MADE[algorithm]()
    with platform(made) as served:
        tokens = reader(served.url, lambda: 0.0, algorithm)
        assert await uid_of(tokens, signed(made, algorithm)) == "user-1"
        with pytest.raises(Unauthenticated):
            await uid_of(tokens, signed(MADE[algorithm](), algorithm))
        assert served.asked == 1


def test_public_keys_check_tokens_over_http(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    made = key("1")
    with (
        platform(made) as served,
        running(fresh_database, stripe_account, **settings(served.url, "ES256")) as house,
    ):
        assert house.credits(signed(made)) == 0
        refused(house.ask("GET", CREDITS, signed(key("1"))), 401)
        refused(house.ask("GET", CREDITS, token()), 401)


async def test_a_public_key_is_no_shared_secret() -> None:
    made = MADE["RS256"]()
    assert isinstance(made, RSAKey)
    public = made.as_pem(private=False)
    spellings = [public, public.strip(), json.dumps(made.as_dict(private=False)).encode()]
    with platform(made) as served:
        tokens = reader(served.url, lambda: 0.0, "RS256")
        assert await uid_of(tokens, signed(made, "RS256")) == "user-1"
        for spelling in spellings:
            for header in (HS256 | {"kid": "1"}, HS256, {"alg": "RS256", "kid": "1"}):
                with pytest.raises(Unauthenticated):
                    await uid_of(tokens, written(header, good(), spelling.decode()))


async def test_a_shared_secret_among_the_public_keys_signs_nothing() -> None:
    shared = OctKey.import_key(JWT_SECRET, {"kid": "1"})
    with platform(shared, key("2")) as served:
        tokens = reader(served.url, lambda: 0.0)
        for algorithm in ("HS256", "ES256"):
            with pytest.raises(Unauthenticated):
                await uid_of(tokens, written({"alg": algorithm, "kid": "1"}, good()))


async def test_a_new_key_of_the_platform_is_found_soon_and_not_at_anybodys_bidding() -> None:
    old, new, clock = key("old"), key("new"), [0.0]
    with platform(old) as served:
        tokens = reader(served.url, lambda: clock[0])
        await uid_of(tokens, signed(old))
        served.keys.append(new)
        for _ in range(5):
            with pytest.raises(Unauthenticated):
                await uid_of(tokens, signed(new))
        assert served.asked == 1
        clock[0] += KEYS_RETRY_SECONDS + 1
        assert await uid_of(tokens, signed(new)) == "user-1"
        assert await uid_of(tokens, signed(old)) == "user-1"
        assert served.asked == 2


async def test_a_key_that_the_platform_has_withdrawn_ends() -> None:
    old, new, clock = key("old"), key("new"), [0.0]
    with platform(old) as served:
        tokens = reader(served.url, lambda: clock[0])
        await uid_of(tokens, signed(old))
        served.keys = [new]
        clock[0] += KEYS_FRESH_SECONDS + 1
        with pytest.raises(Unauthenticated):
            await uid_of(tokens, signed(old))


NONSENSE = [
    b"",
    b"[]",
    b"{}",
    b"null",
    b'"x"',
    b'{"keys":1}',
    b'{"keys":[1]}',
    b'{"keys":{}}',
    b"\xff",
]


@pytest.mark.parametrize("answer", NONSENSE)
async def test_keys_that_cannot_be_read_are_the_last_ones(answer: bytes) -> None:
    made, clock = key("1"), [0.0]
    with platform(made) as served:
        tokens = reader(served.url, lambda: clock[0])
        await uid_of(tokens, signed(made))
        served.answer = answer
        clock[0] += KEYS_FRESH_SECONDS + 1
        assert await uid_of(tokens, signed(made)) == "user-1"
        assert served.asked == 2


async def test_a_key_of_a_kind_that_nobody_knows_spoils_no_other() -> None:
    made = key("1")
    with platform(made) as served:
        known = made.as_dict(private=False)
        odd: list[Any] = [{"kty": "AKP", "kid": "2"}, {"kty": "RSA", "kid": "3"}, {}, None, known]
        served.answer = json.dumps({"keys": odd}).encode()
        assert await uid_of(reader(served.url, lambda: 0.0), signed(made)) == "user-1"


async def test_a_platform_that_was_away_is_asked_again_soon() -> None:
    made, clock = key("1"), [0.0]
    with platform(made) as served:
        served.status = 503
        tokens = reader(served.url, lambda: clock[0])
        for _ in range(3):
            with pytest.raises(Unavailable):
                await uid_of(tokens, signed(made))
        assert served.asked == 1
        served.status = 200
        clock[0] += KEYS_RETRY_SECONDS + 1
        assert await uid_of(tokens, signed(made)) == "user-1"


async def test_a_platform_that_nobody_reaches_is_no_fault_of_the_token() -> None:
    with platform() as gone:
        pass
    with pytest.raises(Unavailable, match="public keys"):
        await uid_of(reader(gone.url, lambda: 0.0), signed(key("1")))
