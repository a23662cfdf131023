"""Settings: from the environment, read once, all faults told together.

The names are the Stripe addon's and the platform's where they have one, PREPAID_* otherwise.
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from prepaid.core.ledger import WARN_SECONDS
from prepaid.core.origins import LOOPBACK, origin_of
from prepaid.storage.database import InvalidDatabaseUrl, with_driver

Names = Annotated[frozenset[str], NoDecode]
Seconds = Annotated[tuple[Annotated[int, Field(ge=1, le=86_400)], ...], NoDecode]

SECRET_PREFIXES = {
    "DATALAYER_STRIPE_API_KEY": ("sk_test_", "rk_test_", "sk_live_", "rk_live_"),
    "DATALAYER_STRIPE_JS_API_KEY": ("pk_test_", "pk_live_"),
    "DATALAYER_STRIPE_PRODUCT_ID": ("prod_",),
    "DATALAYER_STRIPE_WEBHOOK_SECRET": ("whsec_",),
}

ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256"),
    *("Ed25519", "EdDSA"),  # the second is what most platforms still call the first
)
"""What a platform's token may be signed with; "none" is not among them."""

WEBHOOK_ROUTE = "/api/iam/stripe/v1/webhook"
"""Where Stripe sends events: the Stripe addon's route."""

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")

WEAK_SECRET = 32
"""A shared JWT secret shorter than this many characters can be guessed."""


class SettingsFault(Exception):  # noqa: N818 - the operator's word for it
    """Everything that is wrong with the settings, a sentence each."""

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


class Settings(BaseSettings):
    """How this deployment runs. Secrets print as stars."""

    model_config = SettingsConfigDict(
        populate_by_name=True, str_strip_whitespace=True, env_ignore_empty=True
    )

    stripe_product_id: str = Field("", alias="DATALAYER_STRIPE_PRODUCT_ID")
    stripe_webhook_secret: SecretStr = Field(SecretStr(""), alias="DATALAYER_STRIPE_WEBHOOK_SECRET")
    stripe_js_api_key: str = Field("", alias="DATALAYER_STRIPE_JS_API_KEY")
    stripe_api_key: SecretStr = Field(SecretStr(""), alias="DATALAYER_STRIPE_API_KEY")
    stripe_checkout_route: str = Field("/checkout", alias="DATALAYER_STRIPE_CHECKOUT_ROUTE")
    stripe_api_base: str = Field("", alias="PREPAID_STRIPE_API_BASE")
    automatic_tax: bool = Field(default=False, alias="PREPAID_AUTOMATIC_TAX")

    jwt_issuer: str = Field("", alias="DATALAYER_JWT_ISSUER")
    jwt_allowed_issuers: Names = Field(frozenset(), alias="DATALAYER_JWT_ALLOWED_ISSUERS")
    jwt_audience: str = Field("", alias="DATALAYER_JWT_AUDIENCE")
    jwt_algorithm: str = Field("HS256", alias="DATALAYER_JWT_ALGORITHM")
    jwt_secret: SecretStr = Field(SecretStr(""), alias="DATALAYER_JWT_SECRET")
    jwt_jwks_url: str = Field("", alias="DATALAYER_JWT_JWKS_URL")

    data: Path = Field(Path("data"), alias="PREPAID_DATA")
    database_url: SecretStr = Field(SecretStr(""), alias="PREPAID_DATABASE_URL")
    host: str = Field("127.0.0.1", alias="PREPAID_HOST")
    port: int = Field(9700, alias="PREPAID_PORT", ge=0, le=65535)
    public_url: str = Field("", alias="PREPAID_PUBLIC_URL")
    return_origins: Names = Field(frozenset(), alias="PREPAID_RETURN_ORIGINS")
    warn_seconds: Seconds = Field(WARN_SECONDS, alias="PREPAID_WARN_SECONDS")
    log_level: str = Field("info", alias="PREPAID_LOG_LEVEL")

    @field_validator("jwt_allowed_issuers", "return_origins", "warn_seconds", mode="before")
    @classmethod
    def _split(cls, written: object) -> object:
        """Several values are written with commas or blanks between them."""
        return written.replace(",", " ").split() if isinstance(written, str) else written

    @field_validator("stripe_checkout_route")
    @classmethod
    def _rooted(cls, route: str) -> str:
        """The platform's own chart writes it without the slash."""
        return f"/{route.lstrip('/')}"

    @property
    def url(self) -> str:
        """Where browsers reach the service, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def webhook_url(self) -> str:
        """Where Stripe reaches the service."""
        return self.url + WEBHOOK_ROUTE

    @property
    def database(self) -> str:
        """The database's URL with its driver; SQLite in the data folder unless one is set."""
        if written := self.database_url.get_secret_value():
            return with_driver(written)
        return f"sqlite+aiosqlite:///{self.data.absolute() / 'prepaid.db'}"

    @property
    def origins(self) -> frozenset[str]:
        """The origins that buyers may be sent back to, and pages may call from. On one's own
        machine the service has two names, and people type either."""
        here = not self.public_url and self.host in LOOPBACK
        ours = {f"http://{name}:{self.port}" for name in LOOPBACK[:2]} if here else set()
        return frozenset(map(origin_of, {*self.return_origins, *ours, self.url}))

    @property
    def issuers(self) -> frozenset[str]:
        """Whose tokens are accepted."""
        return self.jwt_allowed_issuers | frozenset(filter(None, [self.jwt_issuer]))

    @property
    def webhook_secrets(self) -> list[str]:
        """The webhook's signing secrets: two while one is being rotated."""
        return self.stripe_webhook_secret.get_secret_value().replace(",", " ").split()

    @property
    def livemode(self) -> bool:
        """Whether real money moves."""
        return "_live_" in self.stripe_api_key.get_secret_value()


def read_settings(**given: object) -> Settings:
    """The settings from the environment, checked; `given` overrides it, by the names there.

    Raises:
        SettingsFault: with every fault found, in words.
    """
    settings, unreadable = _parsed(given)
    if faults := [*unreadable, *faults_of(settings)]:
        raise SettingsFault(*faults)
    return settings


def read_unchecked() -> Settings:
    """The settings as they are written, for who asks `faults_of` what is wrong with them.

    Raises:
        SettingsFault: a value is not even of its type.
    """
    settings, unreadable = _parsed({})
    if unreadable:
        raise SettingsFault(*unreadable)
    return settings


def read_database_settings() -> Settings:
    """The settings for a command that needs the database alone: Stripe's may be missing.

    Raises:
        SettingsFault: with every fault found, in words.
    """
    settings, unreadable = _parsed({})
    if faults := [*unreadable, *_database_faults(settings)]:
        raise SettingsFault(*faults)
    return settings


def faults_of(settings: Settings) -> list[str]:
    """Everything that is wrong, a sentence each; empty when the service can run."""
    return [
        *_missing_or_strange(settings),
        *_mixed_modes(settings),
        *_simulated(settings),
        *_jwt_faults(settings),
        *_url_faults(settings),
        *_log_faults(settings),
        *_database_faults(settings),
    ]


def _parsed(given: dict[str, object]) -> tuple[Settings, list[str]]:
    """The settings, and what in them couldn't be read: the default stands there, so that the
    faults of all others are found too."""
    try:
        return Settings(**given), []  # type: ignore[arg-type]  # pydantic checks what was given
    except ValidationError as error:
        faults = {str(fault["loc"][0]): f"{fault['msg']}." for fault in error.errors()}
    usual = {
        name: field.default
        for field_name, field in Settings.model_fields.items()
        if (name := field.alias or field_name) in faults
    }
    kept = {name: value for name, value in given.items() if _alias(name) not in faults}
    told = [f"{name}: {sentence}" for name, sentence in faults.items()]
    return Settings(**(kept | usual)), told  # type: ignore[arg-type]  # as above


def _alias(name: str) -> str:
    field = Settings.model_fields.get(name)
    return (field and field.alias) or name


def _missing_or_strange(settings: Settings) -> list[str]:
    written = {
        "DATALAYER_STRIPE_API_KEY": [settings.stripe_api_key.get_secret_value()],
        "DATALAYER_STRIPE_JS_API_KEY": [settings.stripe_js_api_key],
        "DATALAYER_STRIPE_PRODUCT_ID": [settings.stripe_product_id],
        "DATALAYER_STRIPE_WEBHOOK_SECRET": settings.webhook_secrets or [""],
    }
    return [
        fault
        for name, values in written.items()
        for value in values
        if (fault := _odd(name, value))
    ]


def _odd(name: str, value: str) -> str | None:
    prefixes = SECRET_PREFIXES[name]
    if not value:
        return f"{name} is not set: it begins with {' or '.join(prefixes)}."
    if not value.startswith(prefixes) or any(letter.isspace() for letter in value):
        return f"{name} has no value of its kind: it begins with {' or '.join(prefixes)}."
    return None


def _mixed_modes(settings: Settings) -> list[str]:
    page = settings.stripe_js_api_key
    if page.startswith("pk_") and settings.livemode != page.startswith("pk_live_"):
        return [
            (
                "DATALAYER_STRIPE_API_KEY and DATALAYER_STRIPE_JS_API_KEY are of different modes: "
                "one is a live key and the other a test key."
            )
        ]
    return []


def _simulated(settings: Settings) -> list[str]:
    if settings.livemode and settings.stripe_api_base:
        return [
            "PREPAID_STRIPE_API_BASE sends requests elsewhere than to Stripe: not with a live key."
        ]
    return []


def _jwt_faults(settings: Settings) -> list[str]:
    secret, algorithm = settings.jwt_secret.get_secret_value(), settings.jwt_algorithm
    faults = []
    if algorithm not in ALGORITHMS:
        faults.append(f"DATALAYER_JWT_ALGORITHM is {algorithm!r}: use one of {ALGORITHMS}.")
    if not (secret or settings.jwt_jwks_url):
        if settings.issuers:
            faults.append(
                "DATALAYER_JWT_SECRET and DATALAYER_JWT_JWKS_URL are not set: one of them has to "
                "check the tokens of DATALAYER_JWT_ISSUER."
            )
        return faults
    if not settings.issuers:
        faults.append("DATALAYER_JWT_ISSUER is not set: whose tokens are to be accepted?")
    if algorithm.startswith("HS") and not secret:
        faults.append(f"DATALAYER_JWT_SECRET is not set: {algorithm} needs it.")
    if not algorithm.startswith("HS") and not settings.jwt_jwks_url:
        faults.append(f"DATALAYER_JWT_JWKS_URL is not set: {algorithm} needs public keys.")
    if secret and len(secret) < WEAK_SECRET:
        faults.append(f"DATALAYER_JWT_SECRET is shorter than {WEAK_SECRET} characters.")
    return faults


def _url_faults(settings: Settings) -> list[str]:
    faults = [
        f"PREPAID_RETURN_ORIGINS has {origin!r}, which is not an origin such as https://example.com."
        for origin in sorted(settings.return_origins)
        if not _is_origin(origin)
    ]
    addresses = {
        "PREPAID_PUBLIC_URL": settings.public_url,
        "PREPAID_STRIPE_API_BASE": settings.stripe_api_base,
        "DATALAYER_JWT_JWKS_URL": settings.jwt_jwks_url,
    }
    faults += [
        f"{name} is {address!r}, which is not an address that begins with https://."
        for name, address in addresses.items()
        if address and not _is_address(address)
    ]
    if settings.livemode:
        faults += [
            f"{origin!r} is not https: with live keys buyers are sent back over https alone."
            for origin in sorted(filter(None, {*settings.return_origins, settings.public_url}))
            if not origin.startswith("https://")
        ]
    return faults


def _log_faults(settings: Settings) -> list[str]:
    if settings.log_level.lower() not in LOG_LEVELS:
        return [f"PREPAID_LOG_LEVEL is {settings.log_level!r}: use one of {LOG_LEVELS}."]
    return []


def _database_faults(settings: Settings) -> list[str]:
    try:
        settings.database  # noqa: B018 - it is made from what was written
    except InvalidDatabaseUrl as error:
        return [f"PREPAID_DATABASE_URL {error}"]
    return []


def _is_origin(written: str) -> bool:
    """Whether it is one, perhaps with the port that goes without saying, and nothing behind it."""
    if not _is_address(written) or "@" in written:
        return False
    parts = urlsplit(written)
    return written == f"{parts.scheme}://{parts.netloc}".lower()


def _is_address(written: str) -> bool:
    try:
        parts = urlsplit(written)
        return bool(parts.hostname) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # a bracket without its pair, a port that is none
        return False
