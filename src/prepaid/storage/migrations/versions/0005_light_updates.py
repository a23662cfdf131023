"""Updates that touch no index: PostgreSQL writes a row anew in its own page if there is room and
nothing that an index speaks of has changed.

What is left of a grant changes with each charge, and two indexes spoke of it: they hold grants with
something left. They now speak of a column that says just that, and changes once.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ROOM = 60
"""Percent of a page that are filled when its rows are new."""


def upgrade() -> None:
    """Adds the column, makes the two indexes anew, and leaves room in pages to come."""
    for name in ("ix_grants_spendable", "ix_grants_due"):
        op.drop_index(name, "grants")
    sqlite = op.get_bind().dialect.name == "sqlite"
    kept = "" if sqlite else " STORED"
    op.execute(
        f"ALTER TABLE grants ADD COLUMN unspent BOOLEAN GENERATED ALWAYS AS (remaining > 0){kept}"
    )
    unspent = sa.text("unspent")
    for name, columns in (
        ("ix_grants_spendable", ["account_uid"]),
        ("ix_grants_due", ["expires_at", "account_uid"]),
    ):
        op.create_index(name, "grants", columns, postgresql_where=unspent, sqlite_where=unspent)
    if not sqlite:
        for table in ("accounts", "grants"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = {ROOM})")
