"""Operators, with and without a database."""

import shutil
from pathlib import Path

import pytest

from operators import Operator


@pytest.fixture
def nobody(tmp_path: Path) -> Operator:
    """An operator who has set nothing but where data goes."""
    return Operator({"PREPAID_DATA": str(tmp_path / "data")})


@pytest.fixture
def local(tmp_path: Path, migrated_sqlite: Path) -> Operator:
    """An operator with a migrated database on SQLite: for what the database makes no difference
    to, since each command is a process of its own."""
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_sqlite, tmp_path / "data" / "prepaid.db")
    return Operator({"PREPAID_DATA": str(tmp_path / "data")})


@pytest.fixture
def operator(database_url: str) -> Operator:
    """An operator with a migrated database: on SQLite, then on PostgreSQL."""
    return Operator({"PREPAID_DATABASE_URL": database_url})
