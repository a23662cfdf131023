"""The stream over HTTP: whatever changes is told at once, once, in order, and to nobody else."""

import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Semaphore
from uuid import uuid4

import pytest

from listeners import STREAM, listening, opened
from local_clock import LocalClock
from local_postgres import LocalPostgres
from local_service import CREDITS, RETURN_ORIGIN, House, refused, running, running_by, token
from local_stripe import Json, LocalStripe, wait_for
from prepaid.core.identity import Scope
from prepaid.flows.changes import MOST_OF_ACCOUNT
from prepaid.flows.news import MOST_MISSED
from prepaid.storage.schema import migrate
from prepaid.web import stream
from prepaid.web.stream import HEARTBEAT_SECONDS
from purses import Purse

CHARGES = "/api/iam/v1/usage/charges"
ENTRIES = "/api/iam/v1/usage/entries"
RESERVATIONS = "/api/iam/v1/usage/reservations"
WITHIN_SECONDS = 1


@pytest.fixture
def purse(house: House, uid: str) -> Purse:
    """An account with a hundred credits, at the shared service."""
    return Purse(house, house.admin(), uid).give(100)


@pytest.fixture
def own(both: House, uid: str) -> Purse:
    """The same at a service of the test's own, on SQLite and then on PostgreSQL."""
    return Purse(both, both.admin(), uid).give(100)


def charge(purse: Purse, credits_: object = "0.001") -> Json:
    """The entry."""
    body = {"credits": credits_, "key": uuid4().hex, "resource": "k1", "resource_type": "kernel"}
    entry: Json = purse.house.post(CHARGES, purse.token, body, 201)["entry"]
    return entry


def charge_many(purse: Purse, count: int, description: str = "") -> None:
    body = {"credits": "0.000001", "resource": "k1", "description": description}
    charges = [body | {"key": uuid4().hex} for _ in range(count)]
    purse.house.post(f"{CHARGES}/batch", purse.token, {"charges": charges})


def open_one(purse: Purse, rate: object, limit: object, **more: object) -> str:
    """The name of a reservation that burns."""
    body = {"resource": "k1", "burning_rate": rate, "credits": limit, "key": uuid4().hex} | more
    told = purse.house.post(RESERVATIONS, purse.token, body, 201)
    return str(told["reservation"]["id"])


def do(purse: Purse, name: str, what: str) -> Json:
    return purse.house.post(f"{RESERVATIONS}/{name}/{what}", purse.token, {})


def test_it_begins_with_the_balance_as_it_is(purse: Purse) -> None:
    open_one(purse, 0, 5)
    with listening(purse.house.url, purse.token) as listener:
        headers = listener.answer.headers
        (first,) = listener.told
    expected = purse.house.get(CREDITS, purse.token)
    moment = expected["credits"]["last_update"]
    first.document["credits"]["last_update"] = moment
    assert expected == first.document | {"success": True, "message": "OK"}
    assert (first.name, first.id) == ("balance", "1.1")
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert int(listener.retry) > 0


def test_a_change_is_told_within_a_second(own: Purse) -> None:
    """The best of five rounds is looked at: a machine may stall in any of them."""
    rounds = []
    with listening(own.house.url, own.token) as listener:
        for last in range(11, 52, 10):
            answered = {charge(own)["number"]: time.monotonic() for _ in range(10)}
            wait_for(lambda last=last: listener.numbers()[-1:] == [last])  # type: ignore[misc]  # mypy knows no type for it
            rounds.append(answered)
    came = {one.document["number"]: one.at for one in listener.told if one.name == "entry"}
    slowest = [max(came[number] - at for number, at in one.items()) for one in rounds]
    assert min(slowest) < WITHIN_SECONDS, slowest


def test_an_entry_and_a_notice_are_told_before_the_balance_they_lead_to(own: Purse) -> None:
    with listening(own.house.url, own.token) as listener:
        name = open_one(own, 1, 5, resource_given_name="notebook")
        wait_for(lambda: listener.types() == ["opened"])
        do(own, name, "settlement")
        wait_for(lambda: listener.of("balance")[-1]["reservations"] == [])
        told = list(listener.told)
    names = [one.name for one in told if one.name != "balance"]
    assert names in (["notice", "entry", "notice"], ["notice", "notice"])  # it may cost nothing
    assert told[-1].name == "balance"
    page = own.house.get(ENTRIES, own.token)["entries"]
    assert listener.of("entry") == page[: len(listener.of("entry"))]
    first, *_, last = listener.of("notice")
    assert first == {
        "number": 1,
        "type": "credits.reservation.opened",
        "at": first["at"],
        "reservation_id": name,
        "resource": "k1",
        "resource_type": "runtime",
        "state": "pending",
        "burning_rate": 1,
        "used": 0,
        "seconds_left": "5.000",
        "why": "",
    }
    assert (last["state"], last["why"]) == ("settled", "its holder settled it")


def test_its_user_is_warned_and_told_when_it_runs_out(
    database_url: str, stripe_account: LocalStripe, uid: str
) -> None:
    clock = LocalClock(speed=0)
    with running_by(clock, database_url, stripe_account) as house:
        own = Purse(house, house.admin(), uid).give(100)
        with listening(house.url, own.token) as listener:
            name = open_one(own, 1, "60.3")
            do(own, name, "heartbeat")
            clock.forward(0.3)
            wait_for(lambda: listener.types() == ["opened", "warned"])
            faster = {"burning_rate": 100}
            house.ask("PUT", f"{RESERVATIONS}/{name}/burning-rate", own.token, json=faster)
            clock.forward(0.6)
            wait_for(lambda: listener.balance == "39.7")
    assert listener.types() == ["opened", "warned", "changed", "depleted"]
    _, warned, _, depleted = listener.of("notice")
    assert warned["seconds_left"] == "60.000"
    assert (depleted["reservation_id"], depleted["state"]) == (name, "depleted")
    assert (depleted["used"], depleted["seconds_left"]) == ("60.3", "0.000")
    (settled,) = listener.of("entry")
    assert (settled["kind"], settled["credits"]) == ("settlement", "-60.3")
    assert listener.of("balance")[-1]["reservations"] == []


def test_who_is_warned_and_when_is_the_operators_choice(
    fresh_database: str, stripe_account: LocalStripe, uid: str
) -> None:
    clock = LocalClock(speed=0)
    chosen = {"PREPAID_WARN_SECONDS": "90, 30"}
    with running_by(clock, fresh_database, stripe_account, **chosen) as house:
        purse = Purse(house, house.admin(), uid).give(100)
        with listening(house.url, purse.token) as listener:
            name = open_one(purse, 1, 100, heartbeat_seconds=3_600)
            do(purse, name, "heartbeat")
            for passed, told in ((11, ["warned"]), (60, ["warned"] * 2)):
                clock.forward(passed)
                wait_for(lambda told=told: listener.types() == ["opened", *told])  # type: ignore[misc]  # mypy knows no type for it
            first, second = [one["seconds_left"] for one in listener.of("notice")[1:]]
    assert (first, second) == ("89.000", "29.000")


def test_a_page_can_count_by_itself(purse: Purse) -> None:
    """Nothing is told while time passes: the balance says how fast it burns, and from when."""
    open_one(purse, 2, 40)
    open_one(purse, "0.5", None, heartbeat_seconds=10)
    with listening(purse.house.url, purse.token) as listener:
        (told,) = listener.of("balance")
    assert told["burning_rate"] == "2.5"
    assert (told["balance"], told["reserved"], told["available"]) == (100, 55, 45)
    assert float(told["accrued"]) < 5
    assert told["credits"]["last_update"] < told["depletes_at"]


def test_who_comes_back_misses_nothing_and_reads_nothing_twice(own: Purse) -> None:
    """Entries go on being made meanwhile, and the connection breaks again and again: a connection
    meets thirty more at most, however fast the service is."""
    seen, last, times, more = list[int](), "1.0", 0, Semaphore(0)
    with ThreadPoolExecutor(1) as pool, ExitStack() as at_last:
        at_last.callback(more.release, 300)  # if anything fails, the pool is not left waiting
        spending = pool.submit(lambda: [charge(own) for _ in range(300) if more.acquire()])
        while not seen or seen[-1] < 301:
            times += 1
            more.release(30)
            with listening(own.house.url, own.token, last) as listener:
                begun = len(seen)
                wait_for(lambda: len(listener.numbers()) > 7 or listener.numbers()[-1:] == [301])
            assert listener.numbers()[:1] in ([], [begun + 2])
            seen += listener.numbers()
            last = listener.told[-1].id
        spending.result()
    assert seen == [*range(2, 302)]
    assert times > 5
    with listening(own.house.url, own.token, last) as listener:
        assert [one.name for one in listener.told] == ["balance"]


def test_who_was_away_is_told_what_happened_and_then_the_balance(own: Purse) -> None:
    charge_many(own, MOST_MISSED)
    name = open_one(own, 0, 5)
    do(own, name, "release")
    with listening(own.house.url, own.token, "1.0") as listener:
        wait_for(lambda: listener.balance)
        told = list(listener.told)
    assert listener.numbers() == [*range(2, MOST_MISSED + 2)]
    assert listener.numbers("notice") == [1, 2]
    assert [one.name for one in told].count("balance") == 1
    assert told[-1].name == "balance"
    assert told[-1].id == f"{MOST_MISSED + 1}.2"


@pytest.mark.parametrize("last", ["0.0", "9.0", "1.9", "1", "x.y", "-1.0", "1.0.0", f"{10**30}.1"])
def test_who_was_away_too_long_or_somewhere_else_is_told_to_read_again(
    purse: Purse, last: str
) -> None:
    if last == "0.0":
        charge_many(purse, MOST_MISSED)
    with listening(purse.house.url, purse.token, last) as listener:
        wait_for(lambda: listener.balance)
        numbers = len(listener.numbers())
    assert [one.name for one in listener.told] == ["reset", "balance"]
    assert "why" in listener.told[0].document
    assert listener.told[0].id == listener.told[1].id != last
    assert numbers == 0


def test_nobody_hears_of_anothers_account(house: House, purse: Purse) -> None:
    platform = house.key(Scope.SERVICE).secret
    refused(house.ask("GET", STREAM), 401)
    refused(house.ask("GET", STREAM, "nobody"), 401)
    refused(house.ask("GET", STREAM, token("eve"), params={"account_uid": purse.uid}), 403)
    refused(house.ask("GET", STREAM, platform), 403)
    refused(house.ask("GET", STREAM, platform, params={"account_uid": "nobody-at-all"}), 404)
    refused(house.ask("GET", STREAM, platform, params={"account_uid": "a b"}), 422)
    with (
        listening(house.url, platform, account=purse.uid) as listener,
        listening(house.url, token("eve")) as eve,
    ):
        charge(purse)
        wait_for(lambda: listener.numbers() == [2])
    assert eve.numbers() == []


def test_a_page_of_an_allowed_origin_may_send_the_last_events_id(house: House) -> None:
    asked = "authorization,last-event-id"
    preflight = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": asked}
    answer = house.ask("OPTIONS", STREAM, headers={"Origin": RETURN_ORIGIN} | preflight)
    assert answer.status_code == 200


def test_an_account_has_so_many_streams_and_no_more(purse: Purse) -> None:
    with ExitStack() as stack:
        for _ in range(MOST_OF_ACCOUNT):
            stack.enter_context(listening(purse.house.url, purse.token))
        refused(purse.house.ask("GET", STREAM, purse.token), 409, "too_many")
        refused(purse.house.ask("GET", STREAM, purse.token), 409, "too_many")
    wait_for(lambda: is_room(purse))


def is_room(purse: Purse) -> bool:
    try:
        with opened(purse.house.url, purse.token):
            return True
    except AssertionError:
        return False


def test_a_stream_lives_as_long_as_its_token(
    fresh_database: str, stripe_account: LocalStripe, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much happens meanwhile. What runs is told of again, since its heartbeats change
    nothing of the account."""
    clock, ticks = LocalClock(speed=0), [0.0]
    monkeypatch.setattr(stream, "_ticks", lambda: ticks[-1])
    with running_by(clock, fresh_database, stripe_account) as house, ExitStack() as reading:
        purse = Purse(house, house.admin(), uid).give(100)
        key = house.key(Scope.USER, uid)
        platform = house.key(Scope.SERVICE)
        lasts = token(uid, exp=int(clock().timestamp()) - 29)  # there is half a minute of leeway
        name = open_one(purse, 0, 5, heartbeat_seconds=60)
        goes_on, revoked, over = (
            reading.enter_context(listening(house.url, secret, account=account))
            for secret, account in ((platform.secret, uid), (key.secret, ""), (lasts, ""))
        )
        house.ask("DELETE", f"/api/iam/v1/api-keys/{key.key.id}", purse.token)
        clock.forward(3)
        do(purse, name, "heartbeat")
        for _ in range(20):
            charge(purse)
        wait_for(lambda: all(one.numbers()[-1:] == [21] for one in (goes_on, revoked, over)))
        assert [one.comments for one in (goes_on, revoked, over)] == [[], [], []]
        ticks.append(HEARTBEAT_SECONDS)
        charge(purse)
        wait_for(lambda: over.ending and revoked.ending)
        wait_for(lambda: goes_on.comments)
        assert (over.ending, revoked.ending, goes_on.ending) == ("whole", "whole", "")
        wait_for(lambda: goes_on.of("balance")[-1]["reservations"][0]["state"] == "running")
        assert goes_on.comments == ["still here"]
        refused(house.ask("GET", STREAM, key.secret), 401)


def test_the_page_that_the_docs_show_follows_an_account(purse: Purse, tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("the page of the docs: node is not on this machine")
    (script,) = re.findall(r"^```js\n(.*?)^```", FOLLOW.read_text(), re.MULTILINE | re.DOTALL)
    page = tmp_path / "page.mjs"
    page.write_text(script + FOLLOWER)
    words = ["node", str(page), purse.house.url, purse.token]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "balance 100\n"
        open_one(purse, 0, 5)
        charge(purse, "0.5")
        told = set(iter(process.stdout.readline, "balance 99.5\n"))
        process.kill()
    assert {"entry -0.5\n", "notice credits.reservation.opened\n"} <= told


FOLLOW = Path(__file__).resolve().parents[2] / "docs/how-to/follow-an-account.md"
FOLLOWER = """
const [url, token] = process.argv.slice(2);
const tell = (name, told) => console.log(name, told.type ?? told.credits.credits ?? told.credits);
await follow(url, token, tell, new AbortController().signal);
"""


def test_a_stream_outlives_an_absence_of_the_database(
    running_stripe: LocalStripe, uid: str
) -> None:
    with LocalPostgres() as server:
        server.start()
        url = server.create_database()
        migrate(url)
        with running(url, running_stripe) as house:
            purse = Purse(house, house.admin(), uid).give(10)
            key = house.key(Scope.USER, uid).secret
            with listening(house.url, key) as listener:
                server.stop("immediate")
                wait_for(lambda: house.ask("GET", "/readyz").status_code == 503)
                refused(house.ask("GET", STREAM, purse.token), 503)
                wait_for(lambda: listener.comments)  # nobody can say whether the key still holds
                server.start()
                wait_for(lambda: house.ask("GET", "/readyz").status_code == 200)
                charge(purse)
                wait_for(lambda: listener.numbers() == [2])


def test_who_reads_slowly_is_told_everything_in_the_end(purse: Purse) -> None:
    """What they don't take is not kept for them, but read from the books when they come round.
    Eight thousand entries are more than all that the system keeps of a connection."""
    with opened(purse.house.url, purse.token, narrow=True) as listener:
        for _ in range(8):
            charge_many(purse, 1_000, "x" * 500)
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(listener.read)
            wait_for(lambda: listener.balance == "99.992")
            listener.hang_up()
            reading.result()
    assert listener.numbers() == [*range(2, 8_002)]
    assert [one.name for one in listener.told][-2:] == ["entry", "balance"]
