"""What resources have cost, record by record: reservations as they run, and charges."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from holders import RESERVATIONS, USAGE, Holder, holder
from local_clock import LocalClock
from local_service import House, refused, running_by
from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.identity import Scope

OWN = f"{USAGE}/user"
FIELDS = {
    *("account_uid", "usage_account_uid", "resource_uid", "resource_type", "resource_given_name"),
    *("resource_state", "start_date", "end_date", "updated_at", "burning_rate", "credits_limit"),
    *("credits", "plan", "metadata"),
}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


def charge(ada: Holder, credits_: object, **more: object) -> Json:
    """Spends at once; the entry."""
    asked = {"account_uid": ada.uid, "credits": credits_, "key": uuid4().hex} | more
    entry: Json = ada.house.post(f"{USAGE}/charges", ada.platform, asked, 201)["entry"]
    return entry


def usages(ada: Holder, query: str = "", path: str = OWN, secret: str = "") -> list[Json]:
    """The first page."""
    told = ada.house.get(f"{path}?{query}", secret or ada.user)
    found: list[Json] = told["usages"]
    assert all(one.keys() == FIELDS for one in found)
    return found


def test_a_reservation_that_runs_is_a_usage(ada: Holder) -> None:
    one = ada.opens(credits=50, burning_rate="0.000555", resource_given_name="My Kernel")
    ada.does("POST", one, "/heartbeat")
    now = ada.now(one)
    (usage,) = usages(ada)
    assert usage | {"credits": "0.000555"} == {
        "account_uid": ada.uid,
        "usage_account_uid": None,
        "resource_uid": "k1",
        "resource_type": "runtime",
        "resource_given_name": "My Kernel",
        "resource_state": "running",
        "start_date": one["start_date"],
        "end_date": None,
        "updated_at": now["last_update"],
        "burning_rate": "0.000555",
        "credits_limit": 50,
        "credits": "0.000555",
        "plan": None,
        "metadata": {"reservation_id": one["id"]},
    }


def test_a_usage_has_cost_its_time_by_now(fresh_database: str, stripe_account: LocalStripe) -> None:
    clock = LocalClock()
    with running_by(clock, fresh_database, stripe_account) as house:
        ada = holder(house, credits_=100)
        ada.does(
            "POST", ada.opens(burning_rate="0.5", credits=90, heartbeat_seconds=3600), "/heartbeat"
        )
        clock.forward(100)
        (usage,) = usages(ada)
        assert 50 <= Decimal(str(usage["credits"])) < 60
        clock.forward(1_000)
        wait_for(lambda: usages(ada)[0]["resource_state"] == "depleted")
        (usage,) = usages(ada)
        lasted = datetime.fromisoformat(usage["end_date"]) - datetime.fromisoformat(
            usage["start_date"]
        )
        assert (usage["credits"], lasted) == (90, timedelta(seconds=180))


def test_a_charge_is_a_usage(ada: Holder) -> None:
    entry = charge(ada, "2.5", resource="r7", resource_type="report", description="monthly")
    (usage,) = usages(ada)
    assert usage == {
        "account_uid": ada.uid,
        "usage_account_uid": None,
        "resource_uid": "r7",
        "resource_type": "report",
        "resource_given_name": "r7",
        "resource_state": "charged",
        "start_date": entry["at"],
        "end_date": entry["at"],
        "updated_at": entry["at"],
        "burning_rate": 0,
        "credits_limit": None,
        "credits": "2.5",
        "plan": None,
        "metadata": {"entry_id": entry["id"]},
    }


@pytest.mark.parametrize(
    ("type_", "resource", "told"),
    [
        ("report", "my big one", ("report", "my big one")),
        ("", "r7", ("", "r7")),
        ("report", "", ("", "report")),
        ("", "", ("", "")),
        ("", "r7 again", ("r7", "again")),
    ],
)
def test_a_charges_type_is_the_first_word_of_what_it_was_for(
    ada: Holder, type_: str, resource: str, told: tuple[str, str]
) -> None:
    charge(ada, 1, resource=resource, resource_type=type_)
    (usage,) = usages(ada)
    assert (usage["resource_type"], usage["resource_uid"]) == told


def story(ada: Holder) -> list[str]:
    """Charges and reservations by turns; how their resources are called, the newest first."""
    for n in range(4):
        one = ada.opens(resource=f"k{n}", resource_type="kernel" if n % 2 else "runtime")
        charge(ada, "0.5", resource=f"c{n}", resource_type="kernel" if n < 2 else "report")
        if n == 2:
            ada.does("POST", one, "/settlement")
    return ["c3", "k3", "c2", "k2", "c1", "k1", "c0", "k0"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_both_come_newest_first_in_pages(house: House, limit: int) -> None:
    ada = holder(house, credits_=100)
    names = story(ada)
    assert pages(ada, f"limit={limit}") == [
        names[start : start + limit] for start in range(0, len(names), limit)
    ]


def pages(ada: Holder, query: str, path: str = OWN) -> list[list[str]]:
    """The resources of each page."""
    found: list[list[str]] = []
    more: str | None = ""
    while more is not None:
        before = f"&before={more}" if more else ""
        told = ada.house.get(f"{path}?{query}{before}", ada.admin if path != OWN else ada.user)
        found.append([one["resource_uid"] for one in told["usages"]])
        more = told["next_before"]
    return found


def test_usages_are_filtered(both: House) -> None:
    ada = holder(both, credits_=100)
    names = story(ada)
    began = {one["resource_uid"]: one["start_date"] for one in usages(ada)}

    def found(query: str) -> list[str]:
        return [name for page in pages(ada, query) for name in page]

    assert found("resource_type=kernel") == ["k3", "c1", "k1", "c0"]
    assert found("resource_type=kernel&limit=1") == ["k3", "c1", "k1", "c0"]
    assert found("resource_type=report") == ["c3", "c2"]
    assert found("resource_type=kern") == found("resource_type=KERNEL") == []
    assert found("resource=k2") == ["k2"]
    assert found("resource=c2") == ["c2"]
    assert found(f"since={began['c1']}") == names[:5]
    assert found(f"until={began['c1']}") == names[5:]
    assert found(f"since={began['k1']}&until={began['c2']}&resource_type=kernel") == ["c1", "k1"]


def test_what_ended_and_what_was_charged_is_all_that_was_spent(ada: Holder) -> None:
    story(ada)
    for one in ada.house.get(RESERVATIONS, ada.user)["reservations"]:
        ada.does("POST", one, "/heartbeat")
        ada.does("DELETE", one)
    spent = sum(Decimal(str(one["credits"])) for one in usages(ada))
    assert Decimal(str(ada.balance()["balance"])) == 100 - spent


def test_the_platform_sees_the_same(ada: Holder) -> None:
    story(ada)
    own = [one | {"credits": 0} for one in usages(ada)]
    for path, secret in (
        (f"{OWN}?account_uid={ada.uid}", ada.platform),
        (f"{OWN}?billing_entity_uid={ada.uid}&billing_entity_kind=user", ada.admin),
        (f"{USAGE}/users/{ada.uid}?limit=100", ada.platform),
        (f"{USAGE}/users/{ada.uid}", ada.admin),
        (f"{OWN}?account_uid={ada.uid}&billing_entity_uid={ada.uid}", ada.user),
    ):
        told = ada.house.get(path, secret)["usages"]
        assert [one | {"credits": 0} for one in told] == own


def test_an_operator_sees_everybodys_reservations(both: House) -> None:
    ada, bob = holder(both, credits_=10), holder(both, credits_=10)
    for n, who in enumerate((ada, bob, ada, bob)):
        who.opens(resource=f"k{n}", resource_type="kernel" if n < 3 else "runtime")
    charge(ada, 1, resource="c1")
    everything = f"{USAGE}/platform"
    assert pages(ada, "limit=3", everything) == [["k3", "k2", "k1"], ["k0"]]
    assert pages(ada, "resource_type=kernel", everything) == [["k2", "k1", "k0"]]
    owners = [one["account_uid"] for one in usages(ada, path=everything, secret=ada.admin)]
    assert owners == [bob.uid, ada.uid, bob.uid, ada.uid]


def test_nobody_sees_anothers(ada: Holder) -> None:
    eve = ada.house.key(Scope.USER, f"eve-{uuid4().hex}").secret
    for path, secret, status in (
        (f"{OWN}?account_uid={ada.uid}", eve, 403),
        (f"{OWN}?billing_entity_uid={ada.uid}", eve, 403),
        (f"{OWN}?billing_entity_uid=org&billing_entity_kind=organization", ada.user, 403),
        (f"{OWN}?account_uid={ada.uid}&billing_entity_uid=x", ada.platform, 403),
        (OWN, ada.platform, 403),
        (OWN, None, 401),
        (f"{OWN}?account_uid=nobody-at-all", ada.platform, 404),
        (f"{USAGE}/users/nobody-at-all", ada.platform, 404),
        (f"{USAGE}/users/{ada.uid}", ada.user, 403),
        (f"{USAGE}/platform", ada.user, 403),
        (f"{USAGE}/platform", ada.platform, 403),
        (f"{USAGE}/platform", None, 401),
        (f"{USAGE}/credits?billing_entity_uid={ada.uid}", eve, 403),
    ):
        refused(ada.house.ask("GET", path, secret), status)
    told = ada.house.get(f"{USAGE}/credits?billing_entity_uid={ada.uid}", ada.user)
    assert told["account_uid"] == ada.uid


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=1e1", 422),
        ("before=", 422),
        ("before=x", 422),
        ("before=1", 422),
        ("before=-1.", 422),
        (f"before={'9' * 19}.", 422),
        ("before=1.x", 422),
        ("since=yesterday", 422),
        ("since=2026-11-23", 422),
        ("until=1700000000", 422),
        ("resource_type=", 422),
        ("resource_type=a%20b", 422),
        ("resource_type=%00", 422),
        (f"resource_type={'x' * 51}", 422),
        ("resource=", 400),
        ("since=2026-11-24T00:00:00Z&until=2026-11-23T00:00:00Z", 400),
    ],
)
def test_a_page_that_nobody_can_ask_for_is_refused(ada: Holder, query: str, status: int) -> None:
    for path, secret in (
        (OWN, ada.user),
        (f"{USAGE}/users/{ada.uid}", ada.platform),
        (f"{USAGE}/platform", ada.admin),
    ):
        refused(ada.house.ask("GET", f"{path}?{query}", secret), status, "invalid_request")


def test_a_page_before_everything_is_empty(ada: Holder) -> None:
    story(ada)
    told = ada.house.get(f"{OWN}?before=1.00000000-0000-0000-0000-000000000000", ada.user)
    assert (told["usages"], told["next_before"]) == ([], None)
