import asyncio

from sqlalchemy import text

from operators import Operator
from prepaid.storage.database import Database


def test_a_ledger_that_holds_verifies(local: Operator) -> None:
    granted(local)
    assert local.does("verify") == {"accounts": 2, "entries": 1, "findings": []}
    said = "1 entries of 2 accounts were folded: every balance follows from them.\n"
    assert local.runs("verify").out == said


def test_a_changed_balance_is_found_and_the_account_named(operator: Operator) -> None:
    granted(operator)
    tamper(operator, "UPDATE accounts SET balance = 13000000 WHERE uid = 'ada'")
    ended = operator.runs("verify", "--json")
    finding = {"account_uid": "ada", "what": "its balance is 13; its entries make 12.5"}
    assert (ended.code, ended.document["findings"]) == (1, [finding])
    people = operator.runs("verify")
    assert people.code == 1
    assert "ada      its balance is 13; its entries make 12.5" in people.out


def test_a_missing_guard_is_found_and_stops_every_other_command(local: Operator) -> None:
    tamper(local, "DROP TRIGGER entries_refuse_update")
    ended = local.runs("verify")
    assert ended.code == 1
    assert "(ledger)" in ended.out
    assert local.runs("balance", "ada").code == 3


def granted(operator: Operator) -> None:
    operator.does("accounts", "create", "ada")
    operator.does("accounts", "create", "bob")
    operator.does("grant", "ada", "12.5", "--reason", "welcome")


def tamper(operator: Operator, statement: str) -> None:
    async def execute() -> None:
        file = f"sqlite+aiosqlite:///{operator.settings.get('PREPAID_DATA')}/prepaid.db"
        database = Database(operator.settings.get("PREPAID_DATABASE_URL", file))
        async with database.writing() as connection:
            await connection.execute(text(statement))
        await database.close()

    asyncio.run(execute())
