"""What was sold, given and spent, at a shell; and accounts, found by their names."""

from decimal import Decimal

from beside import with_credits
from operators import Operator


def test_totals_are_told_to_machines_and_to_people(operator: Operator) -> None:
    assert operator.runs("totals").out.startswith("Nothing has been sold yet.")
    with_credits(operator, "ada", "bob")
    operator.does("charge", "ada", "0.5")
    (grant,) = operator.does("grants", "bob")["grants"]
    operator.does("reverse", "bob", grant["id"], "--credits", "10", "--reason", "a mistake")
    told = operator.does("totals")
    given = {one["kind"]: one for one in told["given"]}
    assert given["promotion"]["credits"] + given["adjustment"]["credits"] == 200
    assert (told["spent"], told["reversed"], told["expired"]) == (Decimal("0.5"), 10, 0)
    assert told["outstanding"] == Decimal("189.5")
    said = operator.runs("totals").out
    assert "0.5 credits were spent, 0 have expired, 10 were taken back" in said


def test_accounts_are_searched_by_how_a_name_begins(operator: Operator) -> None:
    with_credits(operator, "ada", "Adele", "bob")
    found = operator.does("accounts", "list", "--search", "AD")["accounts"]
    assert [one["uid"] for one in found] in (["ada", "Adele"], ["Adele", "ada"])
    assert [one["reserved"] for one in found] == [0, 0]
