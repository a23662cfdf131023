"""What an operator lists: accounts by their names, checkouts by state, events by time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

LONGEST = 128
"""Letters of a word that are kept."""


def upgrade() -> None:
    """Makes a table of names and fills it, and the indexes that lists and totals read."""
    _names()
    op.create_index("ix_checkouts_state", "checkouts", ["state", "id"])
    op.create_index("ix_inbox_at", "inbox", ["at", "event_id"])
    op.drop_index("ix_inbox_verdict", "inbox")
    op.create_index("ix_inbox_verdict", "inbox", ["verdict", "at", "event_id"])
    taken = sa.text("kind IN ('expiry', 'reversal')")
    op.create_index(
        "ix_entries_taken", "entries", ["kind"], postgresql_where=taken, sqlite_where=taken
    )


def _names() -> None:
    """SQLite makes small letters of ASCII alone: other names are put right when their owner next
    calls."""
    op.create_table(
        "names",
        sa.Column(
            "word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("account_uid", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["account_uid"], ["accounts.uid"], name="fk_names_account_uid"),
        sa.PrimaryKeyConstraint("word", "account_uid", name="pk_names"),
    )
    op.create_index("ix_names_account", "names", ["account_uid"])
    said = (
        ("uid", "uid", "accounts"),
        ("handle", "account_uid", "profiles"),
        ("email", "account_uid", "profiles"),
        ("first_name", "account_uid", "profiles"),
        ("last_name", "account_uid", "profiles"),
        ("first_name || ' ' || last_name", "account_uid", "profiles"),
    )
    op.execute(
        "INSERT INTO names (word, account_uid) "
        + " UNION ".join(
            f"SELECT substr(lower(trim({name})), 1, {LONGEST}), {uid} "  # noqa: S608 - written above
            f"FROM {table} WHERE trim({name}) <> ''"
            for name, uid, table in said
        )
    )
