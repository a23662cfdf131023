"""Grants at a shell: listed, and taken back."""

import getpass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from beside import give, kernel, start, with_credits
from operators import Operator
from prepaid.core.amounts import NOTHING, Credits, Money
from prepaid.core.commands import Give
from prepaid.core.entries import Kind
from prepaid.ids import new_id

NOBODYS = "01a209e2-d4b3-74be-9c4a-86c27b7d41bc"
FAR = datetime(2127, 1, 31, tzinfo=UTC)


@pytest.fixture
def ada(operator: Operator) -> Operator:
    """An operator with ada, who was given 100 credits and 10 that expire, and bought 5."""
    with_credits(operator, "ada")
    welcome = (Credits.of(10), Kind.PROMOTION, "welcome", "grace", FAR)
    bought = (Credits.of(5), Kind.PURCHASE, "bought", "stripe")
    give(
        operator,
        Give(new_id(), "ada", "welcome", *welcome),
        Give(new_id(), "ada", "bought", *bought, paid=Money(500, "usd")),
    )
    return operator


@pytest.fixture
def bob(local: Operator) -> Operator:
    """An operator with bob, who was given a hundred credits."""
    return with_credits(local, "bob")


def grants(operator: Operator, uid: str, *options: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = operator.does("grants", uid, *options)["grants"]
    return listed


def test_grants_are_listed_in_the_order_in_which_they_are_spent(ada: Operator) -> None:
    welcome, hundred, bought = grants(ada, "ada")
    assert (welcome["kind"], welcome["priority"], welcome["paid"]) == ("promotion", 10, None)
    assert welcome["expires_at"] == "2127-01-31T00:00:00Z"
    assert (hundred["credits"], bought["kind"], bought["expires_at"]) == (100, "purchase", None)
    assert bought["paid"] == {"amount": 500, "currency": "usd"}
    ada.does("charge", "ada", "110.5")
    (left,) = grants(ada, "ada")
    assert (left["id"], left["remaining"], left["credits"]) == (bought["id"], Decimal("4.5"), 5)
    everything = grants(ada, "ada", "--all")
    assert [one["remaining"] for one in everything] == [0, 0, Decimal("4.5")]
    people = ada.runs("grants", "ada").out
    assert people.split()[:8] == [
        *("id", "kind", "priority", "credits", "left", "paid", "expires", "since")
    ]
    assert people.splitlines()[1].split()[2:7] == ["30", "5", "4.5", "5.00", "usd"]
    assert ada.runs("grants", "zoe", "--json").problem["code"] == "unknown_account"


def test_credits_are_taken_back_once_for_a_key_with_a_reason(ada: Operator) -> None:
    id_ = grants(ada, "ada")[0]["id"]
    take = ("reverse", "ada", id_, "--credits", "2.5", "--reason", "refunded", "--key", "r1")
    first, again = ada.does(*take), ada.does(*take)
    assert (first["replayed"], again["replayed"]) == (False, True)
    entry = first["entry"]
    assert (entry["kind"], entry["credits"]) == ("reversal", Decimal("-2.5"))
    assert (entry["source"], entry["actor"]) == (id_, getpass.getuser())
    assert grants(ada, "ada")[0]["remaining"] == Decimal("7.5")
    assert ada.runs(*take).out == (
        "2.5 credits had been taken back from ada, which had 112.5 then.\n"
        "The reversal's key is r1.\n"
    )
    other = ada.runs(*take[:4], "3", *take[5:], "--json")
    assert (other.code, other.problem["code"]) == (1, "idempotency_key_reused")


def test_without_an_amount_all_that_is_left_is_taken_and_again_is_the_same(bob: Operator) -> None:
    bob.does("charge", "bob", "40")
    (grant,) = grants(bob, "bob")
    take = ("reverse", "bob", grant["id"], "--reason", "a mistake", "--key", "r1")
    assert bob.does(*take)["entry"]["credits"] == -60
    assert bob.does(*take)["replayed"]
    assert (bob.does("balance", "bob")["balance"], grants(bob, "bob")) == (0, [])
    without_key = bob.runs(*take[:5], "--json")
    assert (without_key.code, without_key.problem["code"]) == (1, "unknown_grant")
    key_of_the_grant = bob.runs(*take[:-1], "g1", "--json")
    assert key_of_the_grant.problem["code"] == "idempotency_key_reused"


def test_what_is_reserved_is_not_taken_back(bob: Operator) -> None:
    (grant,) = grants(bob, "bob")
    start(bob, [kernel("k1", NOTHING, Credits.of(40), uid="bob")])
    take = ("reverse", "bob", grant["id"], "--reason", "a mistake")
    refused = bob.runs(*take, "--credits", "61")
    assert (refused.code, refused.err) == (1, "Insufficient credits: 61 needed, 60 available.\n")
    assert bob.does(*take)["entry"]["balance"] == 40


def test_a_refusal_changes_nothing_and_says_which(bob: Operator) -> None:
    for options, code in (
        ((NOBODYS, "--reason", "x"), "unknown_grant"),
        ((NOBODYS, "--reason", "x", "--credits", "1"), "unknown_grant"),
        ((NOBODYS, "--reason", " "), "invalid_request"),
        ((NOBODYS, "--reason", "x" * 501), "invalid_request"),
        ((NOBODYS, "--reason", "x", "--credits", "much"), "invalid_credits"),
        ((NOBODYS, "--reason", "x", "--key", ""), "invalid_key"),
    ):
        refused = bob.runs("reverse", "bob", *options, "--json")
        assert (refused.code, refused.problem["code"]) == (1, code), options
    assert bob.does("balance", "bob")["balance"] == 100


def test_what_is_written_wrongly_is_usage(bob: Operator) -> None:
    for wrong in (
        ("reverse", "bob", "g1", "--reason", "x"),
        ("reverse", "bob", NOBODYS),
        ("reservations",),
        ("reservations", "open", "bob", "--rate", "1"),
        ("reservations", "open", "bob", "--resource", "k", "--rate", "1", "--heartbeat", "soon"),
        ("reservations", "list", "--limit", "0"),
    ):
        assert bob.runs(*wrong).code == 2, wrong
