"""The first schema: accounts and their ledger, what Stripe knows, who may ask."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes every table, the guards of the ledger, and this deployment's name."""
    _ledger()
    _stripe()
    _identity()
    _guards()
    microseconds = int(datetime.now(UTC).timestamp()) * 1_000_000
    deployment = sa.table(
        "deployment", sa.column("id", sa.Uuid), sa.column("created_at", sa.BigInteger)
    )
    op.execute(deployment.insert().values(id=uuid4(), created_at=microseconds))


def _ledger() -> None:
    op.create_table(
        "accounts",
        sa.Column("uid", sa.String(length=128), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("last_entry", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "balance >= 0 AND balance <= 999999999999999", name="ck_accounts_balance"
        ),
        sa.CheckConstraint("last_entry >= 0", name="ck_accounts_last_entry"),
        sa.PrimaryKeyConstraint("uid", name="pk_accounts"),
    )
    op.create_table(
        "deployment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deployment"),
    )
    op.create_table(
        "entries",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "balance >= 0 AND balance <= 999999999999999", name="ck_entries_balance"
        ),
        sa.CheckConstraint("credits <> 0", name="ck_entries_credits"),
        sa.CheckConstraint("number > 0", name="ck_entries_number"),
        sa.PrimaryKeyConstraint("account_uid", "number", name="pk_entries"),
        sa.UniqueConstraint("account_uid", "key", name="uq_entries_account_uid_key"),
    )
    op.create_table(
        "grants",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("paid_currency", sa.String(length=3), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(paid_minor IS NULL) = (paid_currency IS NULL)", name="ck_grants_paid"),
        sa.CheckConstraint("credits > 0", name="ck_grants_credits"),
        sa.CheckConstraint("remaining >= 0 AND remaining <= credits", name="ck_grants_remaining"),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_grants_account_uid"),
        sa.PrimaryKeyConstraint("account_uid", "id", name="pk_grants"),
    )


def _stripe() -> None:
    op.create_table(
        "inbox",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("account_uid", sa.Text(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_verdict", "inbox", ["verdict", "at"], unique=False)
    op.create_table(
        "checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("price_currency", sa.String(length=3), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=False),
        sa.Column("automatic_tax", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("payment_intent", sa.Text(), nullable=True),
        sa.Column("paid_minor", sa.BigInteger(), nullable=True),
        sa.Column("paid_currency", sa.String(length=3), nullable=True),
        sa.Column("credited_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'credited') = (credited_at IS NOT NULL)", name="ck_checkouts_credited"
        ),
        sa.CheckConstraint(
            "credits > 0 AND units > 0 AND price_minor > 0", name="ck_checkouts_price"
        ),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_checkouts_account_uid"),
        sa.PrimaryKeyConstraint("id", name="pk_checkouts"),
        sa.UniqueConstraint("session_id", name="uq_checkouts_session_id"),
    )
    op.create_index("ix_checkouts_account", "checkouts", ["account_uid", "id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.CheckConstraint("generation > 0", name="ck_customers_generation"),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_customers_account_uid"),
        sa.PrimaryKeyConstraint("account_uid", "livemode", name="pk_customers"),
        sa.UniqueConstraint("customer_id", name="uq_customers_customer_id"),
    )


def _identity() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("account_uid", sa.String(length=128), nullable=True),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(scope = 'user') = (account_uid IS NOT NULL)", name="ck_api_keys_scope"
        ),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_api_keys_account_uid"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
    )
    op.create_table(
        "profiles",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_profiles_account_uid"),
        sa.PrimaryKeyConstraint("account_uid", name="pk_profiles"),
    )


def _guards() -> None:
    """An entry is for good. Class 23 makes PostgreSQL's refusal an IntegrityError, like SQLite's.

    SQLite forgets triggers when a table is rebuilt: a later migration that rebuilds `entries` has
    to make them again. The service looks for them at every start.
    """
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER entries_refuse_{verb} BEFORE {verb.upper()} ON entries BEGIN "
                "SELECT RAISE(ABORT, 'entries are append-only: post a correction instead'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'entries are append-only: post a correction instead' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for verb in ("update", "delete", "truncate"):
        op.execute(
            f"CREATE TRIGGER entries_refuse_{verb} BEFORE {verb.upper()} ON entries "
            "FOR EACH STATEMENT EXECUTE FUNCTION entries_refuse()"
        )
