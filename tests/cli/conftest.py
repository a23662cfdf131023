"""Operators, with and without a database."""

from pathlib import Path

import pytest

from operators import Operator


@pytest.fixture
def nobody(tmp_path: Path) -> Operator:
    """An operator who has set nothing but where data goes."""
    return Operator({"PREPAID_DATA": str(tmp_path / "data")})


@pytest.fixture
def operator(database_url: str) -> Operator:
    """An operator with a migrated database: on SQLite, then on PostgreSQL."""
    return Operator({"PREPAID_DATABASE_URL": database_url})
