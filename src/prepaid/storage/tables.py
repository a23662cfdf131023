"""The tables. Amounts are integer microcredits or minor units, instants integer microseconds.

The primary key of what grows with spending begins with the account, so that a distributed
PostgreSQL can keep each account's rows together. The constraints repeat the ledger's rules: the
database has the last word, whatever program talks to it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    or_,
    text,
)
from sqlalchemy.types import TypeDecorator

from prepaid.core.amounts import MOST_MICRO, Credits

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An instant as whole microseconds since 1970, exactly: a float of seconds would not be."""
    return (at - EPOCH) // MICROSECOND


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as whole microseconds since 1970: SQLite would drop the zone."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To microseconds."""
        del dialect
        return self.kept(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Back to an aware datetime."""
        del dialect
        return self.meant(value)

    @staticmethod
    def kept(value: datetime | None) -> int | None:
        """As it stands in a row."""
        return None if value is None else microseconds(value)

    @staticmethod
    def meant(value: int | None) -> datetime | None:
        """What stands in a row."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class Micro(TypeDecorator[Credits]):
    """Credits as integer microcredits."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Credits | None, dialect: Dialect) -> int | None:
        """To microcredits."""
        del dialect
        return self.kept(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Credits | None:
        """Back to credits."""
        del dialect
        return self.meant(value)

    @staticmethod
    def kept(value: Credits | None) -> int | None:
        """As it stands in a row."""
        return None if value is None else value.micro

    @staticmethod
    def meant(value: int | None) -> Credits | None:
        """What stands in a row."""
        return None if value is None else Credits(value)


def keyed(table: Table, keys: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    """Rows under these keys (account, key), of which there are some.

    Account by account: SQLite goes through the whole table for a list of pairs.
    """
    of: dict[str, list[str]] = {}
    for account_uid, key in keys:
        of.setdefault(account_uid, []).append(key)
    return or_(
        *(and_(table.c.account_uid == uid, table.c.key.in_(mine)) for uid, mine in of.items())
    )


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

deployment = Table(
    "deployment",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", Instant, nullable=False),
    comment="This installation: several may share a Stripe account and each other's events.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("uid", String(128), primary_key=True),
    Column("balance", Micro, nullable=False),
    Column("last_entry", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("reserved", Micro, nullable=False, server_default=text("0")),
    Column("shared_rate", Micro, nullable=False, server_default=text("0")),
    Column("open", Integer, nullable=False, server_default=text("0")),
    Column("last_notice", BigInteger, nullable=False, server_default=text("0")),
    CheckConstraint(f"balance >= 0 AND balance <= {MOST_MICRO}", name="balance"),
    CheckConstraint("last_entry >= 0", name="last_entry"),
    CheckConstraint("reserved >= 0 AND reserved <= balance", name="reserved"),
    CheckConstraint("shared_rate >= 0", name="shared_rate"),
    CheckConstraint("open >= 0", name="open"),
    CheckConstraint("last_notice >= 0", name="last_notice"),
    comment="The hot row: what an account has, and nothing that is not needed to decide.",
)

profiles = Table(
    "profiles",
    metadata,
    Column("account_uid", ForeignKey("accounts.uid"), primary_key=True),
    Column("handle", Text, nullable=False),
    Column("email", Text),
    Column("first_name", Text, nullable=False),
    Column("last_name", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
    comment="Who an account belongs to, as the platform's token last said.",
)

names = Table(
    "names",
    metadata,
    Column("word", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    Column("account_uid", ForeignKey("accounts.uid"), primary_key=True),
    Index("ix_names_account", "account_uid"),
    comment="What an account is searched by, in small letters: its uid, and what its profile says. "
    "Compared by code point, so that all that begins alike stands together.",
)

_TAKEN = text("kind IN ('expiry', 'reversal')")

entries = Table(
    "entries",
    metadata,
    Column("account_uid", String(128), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Uuid, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("credits", Micro, nullable=False),
    Column("balance", Micro, nullable=False),
    Column("at", Instant, nullable=False),
    Column("key", String(300), nullable=False),
    Column("fingerprint", LargeBinary(16), nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    UniqueConstraint("account_uid", "key"),
    CheckConstraint("number > 0", name="number"),
    CheckConstraint("credits <> 0", name="credits"),
    CheckConstraint(f"balance >= 0 AND balance <= {MOST_MICRO}", name="balance"),
    Index("ix_entries_taken", "kind", postgresql_where=_TAKEN, sqlite_where=_TAKEN),
    comment="The ledger. A guard refuses UPDATE and DELETE.",
)

_UNSPENT = text("unspent")

grants = Table(
    "grants",
    metadata,
    Column("account_uid", ForeignKey("accounts.uid"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("credits", Micro, nullable=False),
    Column("remaining", Micro, nullable=False),
    Column("paid_minor", BigInteger),
    Column("paid_currency", String(3)),
    Column("expires_at", Instant),
    Column("at", Instant, nullable=False),
    Column("unspent", Boolean, nullable=False),
    CheckConstraint("credits > 0", name="credits"),
    CheckConstraint("remaining >= 0 AND remaining <= credits", name="remaining"),
    CheckConstraint("(paid_minor IS NULL) = (paid_currency IS NULL)", name="paid"),
    CheckConstraint("unspent = (remaining > 0)", name="unspent"),
    Index("ix_grants_spendable", "account_uid", postgresql_where=_UNSPENT, sqlite_where=_UNSPENT),
    Index(
        "ix_grants_due",
        "expires_at",
        "account_uid",
        postgresql_where=_UNSPENT,
        sqlite_where=_UNSPENT,
    ),
)

_OPEN = text("state IN ('pending', 'running')")

reservations = Table(
    "reservations",
    metadata,
    Column("account_uid", ForeignKey("accounts.uid"), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("key", String(200), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("fingerprint", LargeBinary(16), nullable=False),
    Column("resource", Text, nullable=False),
    Column("resource_type", String(50), nullable=False),
    Column("given_name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("by_platform", Boolean, nullable=False),
    Column("state", String(20), nullable=False),
    Column("burning_rate", Micro, nullable=False),
    Column("limit", Micro),
    Column("reserved", Micro, nullable=False),
    Column("burnt", Micro, nullable=False),
    Column("burnt_rest", Integer, nullable=False),
    Column("heartbeat_seconds", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("rated_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("warned", Integer),
    Column("ended_at", Instant),
    Column("spent_before", Micro, nullable=False),
    Column("spent", Micro, nullable=False),
    Column("why", Text, nullable=False),
    UniqueConstraint("account_uid", "key", "epoch"),
    UniqueConstraint("id"),
    CheckConstraint("burning_rate >= 0 AND reserved >= 0 AND burnt >= 0", name="amounts"),
    CheckConstraint("spent >= 0 AND spent <= reserved", name="spent"),
    CheckConstraint('"limit" IS NULL OR spent_before + reserved <= "limit"', name="limit"),
    CheckConstraint(f"({_OPEN}) = (ended_at IS NULL)", name="ended"),
    Index("ix_reservations_open", "account_uid", postgresql_where=_OPEN, sqlite_where=_OPEN),
    Index("ix_reservations_due", "due_at", "id", postgresql_where=_OPEN, sqlite_where=_OPEN),
    comment="What runs, or ran, and claims credits. Its settlement is an entry with its id.",
)

outbox = Table(
    "outbox",
    metadata,
    Column("account_uid", String(128), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(50), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reservation_id", Uuid, nullable=False),
    Column("resource", Text, nullable=False),
    Column("resource_type", String(50), nullable=False),
    Column("state", String(20), nullable=False),
    Column("burning_rate", Micro, nullable=False),
    Column("used", Micro, nullable=False),
    Column("microseconds_left", BigInteger),
    Column("why", Text, nullable=False),
    comment="Notices, numbered within their account, to be delivered.",
)

pulse = Table(
    "pulse",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("holder", Uuid, nullable=False),
    Column("renewed_at", Instant, nullable=False),
    CheckConstraint("id = 1", name="one"),
    comment="The service's own sign of life: one row, written by the process that sweeps. All "
    "graces begin anew at renewed_at, when the service had been away.",
)

customers = Table(
    "customers",
    metadata,
    Column("account_uid", ForeignKey("accounts.uid"), primary_key=True),
    Column("livemode", Boolean, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("customer_id", Text),
    Column("handle", Text, nullable=False),
    Column("email", Text),
    UniqueConstraint("customer_id"),
    CheckConstraint("generation > 0", name="generation"),
    comment="An account's Stripe customer; the next generation if it was deleted at Stripe.",
)

checkouts = Table(
    "checkouts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_uid", ForeignKey("accounts.uid"), nullable=False),
    Column("state", String(20), nullable=False),
    Column("price_id", Text, nullable=False),
    Column("credits", Micro, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("price_currency", String(3), nullable=False),
    Column("livemode", Boolean, nullable=False),
    Column("customer_id", Text, nullable=False),
    Column("return_url", Text, nullable=False),
    Column("automatic_tax", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("session_id", Text),
    Column("payment_intent", Text),
    Column("paid_minor", BigInteger),
    Column("paid_currency", String(3)),
    Column("credited_at", Instant),
    UniqueConstraint("session_id"),
    CheckConstraint("credits > 0 AND units > 0 AND price_minor > 0", name="price"),
    CheckConstraint("(state = 'credited') = (credited_at IS NOT NULL)", name="credited"),
    Index("ix_checkouts_account", "account_uid", "id"),
    Index("ix_checkouts_state", "state", "id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("why", Text, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("account_uid", Text),
    Column("payload", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_inbox_at", "at", "event_id"),
    Index("ix_inbox_verdict", "verdict", "at", "event_id"),
    comment="Each event about a checkout of ours, once. A quarantined one is judged again when "
    "Stripe sends it again.",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("scope", String(20), nullable=False),
    Column("account_uid", ForeignKey("accounts.uid")),
    Column("hash", LargeBinary(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    UniqueConstraint("hash"),
    CheckConstraint("(scope = 'user') = (account_uid IS NOT NULL)", name="scope"),
    comment="A key of scope user acts for one account; the others for the platform.",
)
