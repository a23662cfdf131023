"""Reservations: what claims an account's credits, what is told of it, and the service's pulse."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the tables, and what an account's row says of its reservations."""
    _claims()
    _reservations()
    _outbox()
    _pulse()


def _claims() -> None:
    """One column at a time, each with its check: SQLite then need not rebuild the table."""
    for column, kind, check in (
        ("reserved", "BIGINT", "reserved >= 0 AND reserved <= balance"),
        ("shared_rate", "BIGINT", "shared_rate >= 0"),
        ("open", "INTEGER", "open >= 0"),
        ("last_notice", "BIGINT", "last_notice >= 0"),
    ):
        op.execute(
            f"ALTER TABLE accounts ADD COLUMN {column} {kind} DEFAULT 0 NOT NULL "
            f"CONSTRAINT ck_accounts_{column} CHECK ({check})"
        )


def _reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=16), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.String(length=50), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("by_platform", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("burning_rate", sa.BigInteger(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=True),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("burnt", sa.BigInteger(), nullable=False),
        sa.Column("burnt_rest", sa.Integer(), nullable=False),
        sa.Column("heartbeat_seconds", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("rated_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("spent_before", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "burning_rate >= 0 AND reserved >= 0 AND burnt >= 0", name="ck_reservations_amounts"
        ),
        sa.CheckConstraint("spent >= 0 AND spent <= reserved", name="ck_reservations_spent"),
        sa.CheckConstraint(
            '"limit" IS NULL OR spent_before + reserved <= "limit"', name="ck_reservations_limit"
        ),
        sa.CheckConstraint(
            "(state IN ('pending', 'running')) = (ended_at IS NULL)", name="ck_reservations_ended"
        ),
        sa.ForeignKeyConstraint(
            ["account_uid"], ["accounts.uid"], name="fk_reservations_account_uid"
        ),
        sa.PrimaryKeyConstraint("account_uid", "id", name="pk_reservations"),
        sa.UniqueConstraint(
            "account_uid", "key", "epoch", name="uq_reservations_account_uid_key_epoch"
        ),
        sa.UniqueConstraint("id", name="uq_reservations_id"),
    )
    running = sa.text("state IN ('pending', 'running')")
    for name, columns in (
        ("ix_reservations_open", ["account_uid"]),
        ("ix_reservations_due", ["due_at", "id"]),
    ):
        op.create_index(
            name, "reservations", columns, postgresql_where=running, sqlite_where=running
        )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=50), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.String(length=50), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("burning_rate", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("microseconds_left", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_uid", "number", name="pk_outbox"),
    )


def _pulse() -> None:
    """Its row says that the service has never been there: the first process begins."""
    made = op.create_table(
        "pulse",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("renewed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_pulse_one"),
        sa.PrimaryKeyConstraint("id", name="pk_pulse"),
    )
    op.execute(made.insert().values(id=1, at=0, holder=UUID(int=0), renewed_at=0))
