import getpass
from decimal import Decimal

from operators import Operator


def test_an_operator_grants_credits_once_for_a_key_and_is_named_in_the_books(
    operator: Operator,
) -> None:
    operator.does("accounts", "create", "ada")
    grant = ("grant", "ada", "0.100001", "--reason", "welcome", "--key", "k1")
    first, again = operator.does(*grant), operator.does(*grant)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert first["entry"] == again["entry"]
    assert operator.does("balance", "ada")["balance"] == Decimal("0.100001")
    (entry,) = operator.does("entries", "ada")["entries"]
    assert (entry["credits"], entry["kind"]) == (Decimal("0.100001"), "promotion")
    assert (entry["actor"], entry["reason"], entry["key"]) == (getpass.getuser(), "welcome", "k1")
    other = operator.runs(*grant[:2], "1", *grant[3:], "--json")
    assert (other.code, other.out) == (1, "")
    assert other.problem["code"] == "idempotency_key_reused"


def test_accounts_and_entries_come_in_pages(local: Operator) -> None:
    for uid in ("ada", "bob"):
        local.does("accounts", "create", uid)
    page = local.does("accounts", "list", "--limit", "1")
    assert ([one["uid"] for one in page["accounts"]], page["next_after"]) == (["ada"], "ada")
    page = local.does("accounts", "list", "--after", "ada")
    assert ([one["uid"] for one in page["accounts"]], page["next_after"]) == (["bob"], None)
    for reason in ("one", "two"):
        expires = ("--expires-at", "2999-01-31T00:00:00Z", "--actor", "eve", "--kind", "adjustment")
        local.does("grant", "ada", "1", "--reason", reason, *expires)
    page = local.does("entries", "ada", "--limit", "1")
    assert ([one["reason"] for one in page["entries"]], page["next_before"]) == (["two"], 2)
    page = local.does("entries", "ada", "--before", "2")
    assert ([one["actor"] for one in page["entries"]], page["next_before"]) == (["eve"], None)


def test_people_read_sentences_and_tables(local: Operator) -> None:
    assert local.runs("accounts", "create", "ada").out.split()[:6] == [
        *("uid", "credits", "entries", "since", "handle", "email")
    ]
    said = local.runs("grant", "ada", "12.5", "--reason", "a welcome", "--key", "k1").out
    assert said.splitlines() == [
        "12.5 credits granted to ada, which had 12.5 then.",
        "The grant's key is k1.",
    ]
    again = local.runs("grant", "ada", "12.5", "--reason", "a welcome", "--key", "k1").out
    assert again.startswith("12.5 credits had been granted to ada")
    assert local.runs("balance", "ada").out == "ada has 12.5 credits.\n"
    entries = local.runs("entries", "ada").out
    assert "a welcome" in entries
    assert "12.5" in local.runs("accounts", "show", "ada").out


def test_what_is_refused_is_a_sentence_and_changes_nothing(local: Operator) -> None:
    refused = local.runs("balance", "zoe")
    assert (refused.code, refused.err) == (1, "There is no account 'zoe'.\n")
    local.does("accounts", "create", "ada")
    for amount, reason in (("1.0000001", "x"), ("0", "x"), ("1", " "), ("much", "x")):
        refused = local.runs("grant", "ada", amount, "--reason", reason)
        assert (refused.code, refused.out) == (1, ""), refused
        assert len(refused.err.splitlines()) == 1
    assert local.does("accounts", "show", "ada")["entries"] == 0


def test_what_is_written_wrongly_is_usage(local: Operator) -> None:
    for wrong in (
        ("grant", "ada", "1"),
        ("grant", "ada", "1", "--reason", "x", "--kind", "purchase"),
        ("grant", "ada", "1", "--reason", "x", "--expires-at", "2027-01-31"),
        ("grant", "ada", "1", "--reason", "x", "--expires-at", "soon"),
        ("entries", "ada", "--limit", "101"),
        ("bananas",),
    ):
        assert local.runs(*wrong).code == 2
