"""Reservations at a shell: opened, kept alive, changed and ended by hand, as the platform."""

import getpass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from beside import kernel, start, with_credits
from operators import Operator
from prepaid.core.amounts import NOTHING, Credits
from terminals import terminal

NOBODYS = "runtime-01a209e2-d4b3-74be-9c4a-86c27b7d41bc"
CENT = Credits(10_000)


def opens(operator: Operator, uid: str, *options: str) -> Any:  # JSON
    return operator.does("reservations", "open", uid, "--resource", "kernel k1", *options)


def at(written: str) -> datetime:
    return datetime.fromisoformat(written)


@pytest.fixture
def ada(operator: Operator) -> Operator:
    """An operator on SQLite, then on PostgreSQL, with ada, who has a hundred credits."""
    return with_credits(operator, "ada")


@pytest.fixture
def bob(local: Operator) -> Operator:
    """An operator with bob, who has a hundred credits, where the database makes no difference."""
    return with_credits(local, "bob")


def test_a_reservation_lives_while_it_is_beaten_and_is_settled_to_the_microcredit(
    ada: Operator,
) -> None:
    opened = opens(ada, "ada", "--rate", "0.01", "--key", "k1")
    one = opened["reservation"]
    assert one["id"].startswith("runtime-")
    assert (one["state"], one["credits"], one["limit"]) == ("pending", Decimal("0.9"), None)
    assert (one["account_uid"], one["resource"], one["key"]) == ("ada", "kernel k1", "k1")
    again = opens(ada, "ada", "--rate", "0.01", "--key", "k1")
    assert (opened["replayed"], again["replayed"]) == (False, True)
    assert again["reservation"]["id"] == one["id"]

    beaten = ada.does("reservations", "beat", one["id"])
    assert beaten["reservation"]["state"] == "running"
    assert 0 < beaten["seconds_left"] <= 90 < beaten["runway_seconds"] <= 10_000

    ended = ada.does("reservations", "settle", one["id"])
    last = ended["reservation"]
    assert (last["state"], last["credits"], ended["seconds_left"]) == ("settled", 0, 0)
    lasted = at(last["end_date"]) - at(last["start_date"])
    hundreds, rest = divmod(lasted, timedelta(microseconds=100))
    assert last["used"] == Decimal(hundreds + bool(rest)).scaleb(-6)
    (entry,) = ada.does("entries", "ada", "--kind", "settlement")["entries"]
    assert (entry["credits"], entry["actor"]) == (-last["used"], getpass.getuser())
    assert ada.does("reservations", "settle", one["id"])["replayed"]


def test_a_limit_is_reserved_at_once_raised_and_freed(bob: Operator) -> None:
    id_ = opens(bob, "bob", "--rate", "0.001", "--limit", "40")["reservation"]["id"]
    assert bob.does("reservations", "extend", id_, "--limit", "50")["reservation"]["limit"] == 50
    assert bob.does("balance", "bob")["available"] == 50
    rated = bob.does("reservations", "rate", id_, "--rate", "0.002")["reservation"]
    assert (rated["burning_rate"], rated["limit"]) == (Decimal("0.002"), 50)
    released = bob.does("reservations", "release", id_)["reservation"]
    assert (released["state"], released["used"]) == ("released", 0)
    assert bob.does("balance", "bob")["available"] == 100
    assert bob.does("reservations", "show", id_)["reservation"] == released


def test_what_does_not_burn_costs_what_its_settlement_names(bob: Operator) -> None:
    (held,) = start(bob, [kernel("k1", NOTHING, Credits.of(10), uid="bob")])
    settled = bob.does("reservations", "settle", held.reservation.name, "--credits", "2.5")
    assert settled["reservation"]["used"] == Decimal("2.5")
    assert bob.does("balance", "bob")["balance"] == Decimal("97.5")


def test_what_runs_is_listed_by_account_or_everybodys_and_what_ran_when_asked(
    local: Operator,
) -> None:
    ada = with_credits(local, "ada", "bob")
    held = start(ada, [kernel("k", CENT, uid=uid) for uid in ("ada", "bob", "ada")])
    ids = [one.reservation.name for one in held]
    ada.does("reservations", "settle", ids[2])

    def listed(*options: str) -> list[str]:
        page = ada.does("reservations", "list", *options)
        return [one["id"] for one in page["reservations"]]

    assert listed() == [ids[1], ids[0]]
    assert listed("--all") == [ids[2], ids[1], ids[0]]
    assert listed("ada") == [ids[0]]
    assert listed("ada", "--all") == [ids[2], ids[0]]
    assert ada.does("reservations", "list", "--limit", "1")["next_before"] == ids[1]
    older = ada.does("reservations", "list", "--before", ids[1])
    assert ([one["id"] for one in older["reservations"]], older["next_before"]) == ([ids[0]], None)
    assert f"Older: --before {ids[1]}\n" in ada.runs("reservations", "list", "--limit", "1").out


def test_people_read_what_became_of_it(bob: Operator) -> None:
    options = ("--resource", "k1", "--rate", "0", "--limit", "5", "--key", "key-1")
    first = bob.runs("reservations", "open", "bob", *options).out
    id_ = first.split()[0]
    assert first == (
        f"{id_} is pending: 0 of 5 reserved credits used; it doesn't burn.\nIts key is key-1.\n"
    )
    again = bob.runs("reservations", "open", "bob", *options).out
    assert again.endswith("It had been opened before. Its key is key-1.\n")
    shown = bob.runs("reservations", "show", id_).out
    for line in (
        *(f"id             {id_}", "account        bob", "state          pending"),
        *("limit          5", "heartbeat      every 30 seconds", "epoch          1"),
        f"opened by      {getpass.getuser()}, the platform",
    ):
        assert line in shown
    assert "why it ended" not in shown
    listed = bob.runs("reservations", "list").out
    assert listed.split()[:4] == ["id", "account", "resource", "state"]
    assert f"{id_}  bob      k1        pending" in listed
    ended = bob.runs("reservations", "release", id_).out
    assert ended == f"{id_} was released at a cost of 0 credits: its holder released it.\n"
    assert bob.runs("reservations", "settle", id_).out.startswith(f"{id_} had been released at")


def test_a_narrow_terminal_breaks_no_id(bob: Operator) -> None:
    (held,) = start(bob, [kernel("a long name " * 5, CENT, uid="bob")])
    with terminal(bob, "reservations", "list", columns=60) as screen:
        assert screen.ends() == 0
    heading, line = screen.lines
    assert heading.split() == ["id", "state"]
    assert line.split() == [held.reservation.name, "running"]


def test_people_read_how_long_it_lasts(bob: Operator) -> None:
    said = bob.runs("reservations", "open", "bob", "--resource", "k1", "--rate", "0.01").out
    assert "0 of 0.9 reserved credits used; that lasts 1m 30s, with heartbeats 2h 46m." in said
    assert (
        "0.01 credits a second, 36 an hour" in bob.runs("reservations", "show", said.split()[0]).out
    )
    told = bob.runs("balance", "bob").out.splitlines()
    assert told[:2] == ["bob has 100 credits.", "0.9 of them are reserved; 99.1 are available."]
    assert told[2].endswith(", and burns 36 an hour.")
    stops = "If all goes on as it does, the first stops for want of credits in 2h 46m, at "
    assert told[3].startswith(stops)
    assert told[5].startswith("runtime-")


def test_a_balance_tells_what_claims_it_and_until_when(bob: Operator) -> None:
    limited, free = start(
        bob,
        [
            kernel("k1", Credits.of(1), Credits.of(10), uid="bob"),
            kernel("k2", Credits(500_000), uid="bob"),
        ],
    )
    told = bob.does("balance", "bob")
    assert (told["balance"], told["reserved"], told["available"]) == (100, 55, 45)
    assert (told["burning_rate"], told["burning_rate_per_hour"]) == (Decimal("1.5"), 5400)
    assert 0 < told["accrued"] < 45
    assert [one["id"] for one in told["reservations"]] == [
        limited.reservation.name,
        free.reservation.name,
    ]
    left = at(told["depletes_at"]) - free.reservation.started_at
    assert left == timedelta(seconds=180)
    shown = bob.does("reservations", "show", limited.reservation.name)["reservation"]
    known = told["reservations"][0]
    assert shown == known | {"used": shown["used"]}
    bob.does("reservations", "settle", free.reservation.name)
    assert bob.does("balance", "bob")["depletes_at"] is None
    assert "as it does" not in bob.runs("balance", "bob").out


def test_a_refusal_changes_nothing_and_says_which(bob: Operator) -> None:
    opening = ("open", "bob", "--resource", "k", "--rate")
    for command, code in (
        ((*opening, "1", "--limit", "101"), "insufficient_credits"),
        ((*opening, "much"), "invalid_rate"),
        ((*opening, "1", "--limit", "much"), "invalid_credits"),
        ((*opening, "1", "--key", ""), "invalid_key"),
        (("open", "bob", "--resource", "", "--rate", "1"), "invalid_request"),
        (("open", "bob", "--resource", "k" * 201, "--rate", "1"), "invalid_request"),
        (("open", "zoe", "--resource", "k", "--rate", "1"), "unknown_account"),
        (("show", NOBODYS), "unknown_reservation"),
        (("settle", NOBODYS.upper()), "unknown_reservation"),
        (("release", NOBODYS.partition("-")[2]), "unknown_reservation"),
        (("list", "zoe"), "unknown_account"),
        (("list", "--before", "k1"), "unknown_reservation"),
    ):
        refused = bob.runs("reservations", *command, "--json")
        assert (refused.code, refused.out) == (1, ""), command
        assert refused.problem["code"] == code, command
    assert bob.does("reservations", "list", "--all")["reservations"] == []


def test_what_has_ended_is_refused_in_words(bob: Operator) -> None:
    (held,) = start(bob, [kernel("k1", CENT, uid="bob")])
    id_ = held.reservation.name
    limit = bob.runs("reservations", "extend", id_, "--limit", "5", "--json")
    assert limit.problem["code"] == "invalid_limit"
    bob.does("reservations", "settle", id_)
    for command in (("beat", id_), ("extend", id_), ("release", id_)):
        refused = bob.runs("reservations", *command)
        told = "The reservation has ended: its holder settled it.\n"
        assert (refused.code, refused.err) == (1, told)
