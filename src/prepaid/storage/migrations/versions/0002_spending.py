"""What spending reads: the grants that have something left, and those whose time has come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes two indexes that hold only grants with something left."""
    left = sa.text("remaining > 0")
    for name, columns in (
        ("ix_grants_spendable", ["account_uid"]),
        ("ix_grants_due", ["expires_at", "account_uid"]),
    ):
        op.create_index(name, "grants", columns, postgresql_where=left, sqlite_where=left)
