"""What an operator can get wrong, told in words."""

import os
import sqlite3
from pathlib import Path

import pytest

from operators import Operator
from prepaid.storage.schema import NEWEST

NEWER = (
    f"The database is at migration 0007, and this version needs {NEWEST}: install the newer "
    "version again."
)


@pytest.mark.parametrize("command", [("migrate",), ("verify",), ("balance", "ada")])
def test_a_newer_database_is_left_alone(local: Operator, command: tuple[str, ...]) -> None:
    """As after an upgrade that was taken back: `migrate` is no remedy."""
    file = Path(local.settings["PREPAID_DATA"]) / "prepaid.db"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    ended = local.runs(*command, "--json")
    assert ended.code == 3
    assert ended.problem["errors"] == [NEWER]
    assert "newer version" in local.runs("doctor").out


@pytest.mark.parametrize("unprinted", [os.fsdecode(b"caf\xe9"), "two\nlines", "\x1b[31mred"])
def test_words_that_no_book_can_hold_are_refused(local: Operator, unprinted: str) -> None:
    local.does("accounts", "create", "ada")
    for command in (
        ("grant", "ada", "5", "--reason", unprinted),
        ("grant", "ada", "5", "--reason", "welcome", "--actor", unprinted),
        ("balance", unprinted),
        ("accounts", "list", "--after", unprinted),
    ):
        ended = local.runs(*command)
        assert (ended.code, ended.out) == (2, ""), command
        assert "not printed" in ended.err
    assert local.does("balance", "ada")["balance"] == 0


def test_a_number_beyond_every_entry_is_wrong_usage(local: Operator) -> None:
    local.does("accounts", "create", "ada")
    assert local.runs("entries", "ada", "--before", str(2**63)).code == 2
