import subprocess
import sys

from operators import Operator
from prepaid.storage import schema

HEAVY = {"alembic", "fastapi", "pydantic", "rich", "sqlalchemy", "stripe", "uvicorn"}


def test_help_tells_the_exit_codes_and_every_command(nobody: Operator) -> None:
    said = nobody.runs("--help")
    assert said.code == 0
    told = " ".join(said.out.split())
    assert "0 done; 1 refused, or verify or doctor found something; 2 wrong usage; 3 the" in told
    for command in ("serve", "demo", "simulate", "migrate", "doctor", "verify", "balance"):
        assert f" {command} " in told


def test_help_loads_nothing_heavy(nobody: Operator) -> None:
    program = "import sys, prepaid.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env=nobody.environment | {"COVERAGE_PROCESS_CONFIG": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {*loaded.stdout.split()} & HEAVY == set()


def test_a_database_that_was_never_made_is_a_fault_of_the_settings(nobody: Operator) -> None:
    ended = nobody.runs("balance", "ada", "--json")
    assert (ended.code, ended.out) == (3, "")
    assert ended.problem["code"] == "settings_fault"
    assert ended.problem["errors"] == ["There is no database yet: run `prepaid migrate`."]


def test_migrate_makes_the_database_and_does_no_harm_twice(nobody: Operator) -> None:
    assert nobody.does("migrate") == {"revision": schema.NEWEST}
    assert nobody.runs("migrate").out == f"The database is at migration {schema.NEWEST}.\n"
    assert nobody.runs("accounts", "create", "ada").code == 0


def test_every_fault_of_the_settings_is_a_line_of_its_own(nobody: Operator) -> None:
    nobody.settings |= {"PREPAID_PORT": "many", "PREPAID_AUTOMATIC_TAX": "perhaps"}
    ended = nobody.runs("balance", "ada")
    assert (ended.code, ended.out) == (3, "")
    assert sorted(line.split(":")[0] for line in ended.err.splitlines()) == [
        "PREPAID_AUTOMATIC_TAX",
        "PREPAID_PORT",
    ]


def test_a_service_without_its_settings_says_all_that_is_missing(nobody: Operator) -> None:
    ended = nobody.runs("serve")
    assert ended.code == 3
    assert len(ended.err.splitlines()) == 4


def test_a_database_that_is_away_is_worth_another_try(nobody: Operator) -> None:
    nobody.settings["PREPAID_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    for command in (("balance", "ada"), ("verify",), ("migrate",)):
        ended = nobody.runs(*command)
        assert (ended.code, ended.err) == (4, "The database does not answer; try again.\n")
