"""Who may change a reservation over HTTP, and which can be changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from holders import RESERVATIONS, Holder, holder
from local_clock import LocalClock
from local_service import House, exact, refused, running_by
from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.identity import Scope
from prepaid.core.reservations import GRACE_HEARTBEATS
from wallets import pulse


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred credits."""
    return holder(house, credits_=100)


CHANGES: list[tuple[str, str, Json | None]] = [
    ("POST", "/heartbeat", None),
    ("POST", "/extension", {"credits": 60}),
    ("PUT", "/burning-rate", {"burning_rate": 2}),
    ("POST", "/settlement", None),
    ("POST", "/release", None),
    ("DELETE", "", None),
]
changes = pytest.mark.parametrize(("method", "what", "body"), CHANGES, ids=lambda x: str(x or "-"))


@changes
def test_only_the_platform_changes_what_it_opened(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    one = ada.opens(credits=50)
    with ada.unchanged():
        refused(ada.asks(method, one, what, ada.user, json=body), 403, "forbidden")
    assert ada.does("GET", one, secret=ada.user)["reservation"]["id"] == one["id"]
    ada.does(method, one, what, json=body)


@changes
def test_a_users_own_is_changed_by_them_and_by_the_platform(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    ada.give(100)
    for secret in (ada.user, ada.platform):
        one = ada.opens(ada.user, credits=50)
        ada.does(method, one, what, secret, json=body)


@pytest.mark.parametrize(("method", "what", "body"), [("GET", "", None), *CHANGES])
def test_another_users_looks_as_if_there_were_none(
    ada: Holder, method: str, what: str, body: Json | None
) -> None:
    eve = ada.house.key(Scope.USER, f"eve-{uuid4().hex}").secret
    for one in (ada.opens(credits=5), ada.opens(ada.user, credits=5)):
        with ada.unchanged():
            refused(ada.asks(method, one, what, eve, json=body), 404, "unknown_reservation")
    refused(ada.house.ask("POST", RESERVATIONS, eve, json=ada.asked()), 403, "forbidden")
    refused(ada.house.ask("GET", f"{RESERVATIONS}?account_uid={ada.uid}", eve), 403, "forbidden")
    unknown = {"id": f"runtime-{uuid4()}"}
    refused(ada.asks(method, unknown, what, json=body), 404, "unknown_reservation")


def test_a_user_lets_go_only_what_has_not_run(ada: Holder) -> None:
    one = ada.opens(ada.user, credits=50)
    ada.does("POST", one, "/heartbeat", ada.user)
    with ada.unchanged():
        refused(ada.asks("POST", one, "/release", ada.user), 403, "forbidden")
    assert ada.does("POST", one, "/release")["reservation"]["used"] == 0


def odd(id_: str) -> list[str]:
    kind, uuid = id_.split("-", 1)
    return [
        *(
            uuid,
            f"-{uuid}",
            f"{kind}{uuid}",
            id_.upper(),
            f"{kind}-{uuid.upper()}",
            f"Runtime-{uuid}",
        ),
        *(f"{kind}-{uuid.replace('-', '')}", f"{kind}-{{{uuid}}}", f"{kind}-urn:uuid:{uuid}"),
        *(
            f"{id_}0",
            f"{id_[:-1]}",
            f" {id_}",
            f"{id_}%20",
            f"{id_}%0A",
            f"{id_}%00",
            f"a%20b-{uuid}",
        ),
        *(
            "runtime-",
            "runtime",
            "1",
            "%ff",
            "x" * 5_000,
            f"{kind}-{'9' * 36}",
            f"{'k' * 51}-{uuid}",
        ),
    ]


def test_an_id_is_taken_as_it_was_told(ada: Holder) -> None:
    one = ada.opens(credits=5)
    with ada.unchanged():
        for id_ in odd(one["id"]):
            for method, what, body in (("GET", "", None), *CHANGES):
                answer = ada.asks(method, {"id": id_}, what, json=body)
                refused(answer, 404, "unknown_reservation")


@dataclass(frozen=True)
class Timed(Holder):
    """A holder at a service whose clock goes when it is told to."""

    clock: LocalClock

    def waits(self, seconds: int) -> None:
        """So much time passes; the service notices each second of it."""
        for _ in range(seconds):
            self.clock.forward(1)
            wait_for(lambda: pulse(self.house.database_url).at == self.clock())


def ended(ada: Timed, state: str, key: str) -> Json:
    """A reservation of two credits a second that has ended so."""
    one = ada.opens(
        key=key, burning_rate=2, credits=2 if state == "depleted" else 50, heartbeat_seconds=1
    )
    if state in {"settled", "released"}:
        ada.does("POST", one, "/settlement" if state == "settled" else "/release")
    else:
        ada.does("POST", one, "/heartbeat")
        ada.waits(1 if state == "depleted" else GRACE_HEARTBEATS)
        wait_for(lambda: ada.now(one)["state"] == state)
    return one


@pytest.fixture
def timed(fresh_database: str, stripe_account: LocalStripe) -> Iterator[Timed]:
    """An account with a hundred credits."""
    clock = LocalClock(speed=0)
    with running_by(clock, fresh_database, stripe_account) as house:
        ada = Timed(**vars(holder(house, credits_=100)), clock=clock)
        ada.waits(1)  # by now the service lives
        yield ada


def test_a_clock_that_is_far_off_is_told_and_measures_nothing(
    fresh_database: str, stripe_account: LocalStripe
) -> None:
    """Up to a minute behind what was heard last, time stands still; beyond it, nobody is asked to
    pay by that clock."""
    clock = LocalClock()
    with running_by(clock, fresh_database, stripe_account) as house:
        ada = holder(house, credits_=100)
        ones = [ada.opens(credits=20), ada.opens(burning_rate="0.1")]
        for one in ones:
            ada.does("POST", one, "/heartbeat")
        clock.forward(-50)
        heard = [ada.does("POST", one, "/heartbeat")["reservation"]["last_update"] for one in ones]
        clock.forward(-20)
        with ada.unchanged():
            for one in ones:
                for method, what, body in CHANGES:
                    answer = ada.asks(method, one, what, json=body)
                    refused(answer, 503, "clock_far_off")
        clock.forward(70)
        ended = [ada.does("POST", one, "/settlement")["reservation"] for one in ones]
    assert [one["state"] for one in ended] == ["settled"] * 2
    assert [one["last_update"] > at for one, at in zip(ended, heard, strict=True)] == [True] * 2


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("settled", "reservation_closed"),
        ("released", "reservation_closed"),
        ("lost", "reservation_lost"),
        ("depleted", "reservation_depleted"),
    ],
)
def test_what_has_ended_is_not_changed(timed: Timed, state: str, code: str) -> None:
    one = ended(timed, state, "run-1")
    with timed.unchanged():
        for method, what, body in CHANGES:
            answer = timed.asks(method, one, what, json=body)
            if what in {"/settlement", ""}:
                told = exact(answer)
                assert (answer.status_code, told["reservation"]["state"]) == (200, state)
                assert (told["seconds_left"], told["reservation"]["credits"]) == ("0.000", 0)
                assert told["reservation"]["why"]
            else:
                assert refused(answer, 409, code)["message"]


def test_what_was_lost_is_settled_and_opened_again_by_its_key(timed: Timed) -> None:
    one = ended(timed, "lost", "run-1")
    lost = timed.now(one)
    lasted = datetime.fromisoformat(lost["end_date"]) - datetime.fromisoformat(lost["last_update"])
    assert lasted == timedelta(seconds=1)  # its last proof of life, and one interval
    body = timed.asked(burning_rate=2, credits=50, heartbeat_seconds=1)
    with timed.unchanged():
        answer = timed.house.ask("POST", RESERVATIONS, timed.platform, json=body | {"credits": 51})
        refused(answer, 409, "idempotency_key_reused")
    again = timed.house.post(RESERVATIONS, timed.platform, body, 201)
    opened = again["reservation"]
    assert (again["replayed"], opened["epoch"], opened["key"]) == (False, 2, "run-1")
    assert opened["id"] != one["id"]
    assert (opened["state"], opened["used"], opened["limit"]) == ("pending", 0, 50)
    assert float(opened["credits"]) == pytest.approx(50 - float(lost["used"]))
    assert timed.house.post(RESERVATIONS, timed.platform, body, 201)["replayed"]
    assert timed.now(one) == lost


def test_what_runs_out_ends_when_it_does(timed: Timed) -> None:
    one = ended(timed, "depleted", "run-1")
    out = timed.now(one)
    lasted = datetime.fromisoformat(out["end_date"]) - datetime.fromisoformat(out["start_date"])
    assert (lasted, out["used"]) == (timedelta(seconds=1), 2)
    assert timed.balance()["balance"] == 98
