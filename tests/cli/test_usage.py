"""What ran and what was charged, and what each has cost, at a shell."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from beside import kernel, start, with_credits
from operators import Operator
from prepaid.core.amounts import Credits

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def ada(operator: Operator) -> Operator:
    """An operator with ada, who has a kernel since long ago, and was charged for a job today."""
    with_credits(operator, "ada")
    start(operator, [kernel("k1", Credits.of(1), Credits.of(10))], LONG_AGO)
    operator.does("charge", "ada", "2.5", "--resource", "job nightly", "--key", "c1")
    return operator


def found(operator: Operator, *options: str) -> list[Any]:  # JSON
    usages: list[Any] = operator.does("usage", "ada", *options)["usages"]
    return [one["resource_uid"] for one in usages]


def test_what_ran_and_what_was_charged_stand_together_newest_first(ada: Operator) -> None:
    page = ada.does("usage", "ada", "--limit", "1")
    (charged,) = page["usages"]
    assert (charged["resource_uid"], charged["resource_type"]) == ("nightly", "job")
    assert (charged["resource_state"], charged["credits"]) == ("charged", Decimal("2.5"))
    assert charged["start_date"] == charged["end_date"]
    older = ada.does("usage", "ada", "--before", page["next_before"])
    (ran,) = older["usages"]
    assert (ran["resource_uid"], ran["resource_type"], ran["credits"]) == ("k1", "runtime", 10)
    assert (ran["resource_state"], ran["end_date"], ran["credits_limit"]) == ("running", None, 10)
    assert ran["start_date"] == LONG_AGO.isoformat().replace("+00:00", "Z")
    assert older["next_before"] is None
    people = ada.runs("usage", "ada", "--limit", "1").out
    assert people.split()[:4] == ["resource", "type", "state", "cost"]
    assert f"Older: --before {page['next_before']}\n" in people


def test_usages_are_filtered(ada: Operator) -> None:
    later = (LONG_AGO + timedelta(microseconds=1)).isoformat()
    assert found(ada, "--since", later) == ["nightly"]
    assert found(ada, "--until", later) == ["k1"]
    assert found(ada, "--type", "job") == ["nightly"]


def test_a_page_that_begins_nowhere_is_refused(local: Operator) -> None:
    for options in (("ada",), ("ada", "--before", "k1")):
        assert local.runs("usage", *options).code == 1
