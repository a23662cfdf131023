"""A reservation in a `with` block: what it costs, how it ends, and what it survives."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_UP, Decimal

import pytest

from local_proxy import LocalProxy
from local_service import House
from local_stripe import wait_for
from prepaid.core.identity import Scope
from prepaid_client import (
    Client,
    CreditsDepleted,
    InsufficientCredits,
    LiveReservation,
    Reservation,
    ReservationClosed,
    Retries,
    Unauthenticated,
    Unavailable,
)
from prepaid_client.errors import InvalidRate, InvalidSettlement
from purses import Purse

RESERVATIONS = "/api/iam/v1/usage/reservations"


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    yield
    assert heartbeats() == []


def heartbeats() -> list[str]:
    """The threads that send heartbeats."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("prepaid heartbeat")]


@pytest.fixture
def run(client: Client, purse: Purse) -> Callable[..., LiveReservation]:
    """A reservation of the account, with a heartbeat a second."""

    def of(rate: int | str, limit: int | str | None = None, **more: str) -> LiveReservation:
        return client.reservation(
            "job-1", rate, limit, account_uid=purse.uid, heartbeat_seconds=1, **more
        )

    return of


Run = Callable[..., LiveReservation]


def cost(one: Reservation, rate: int | str) -> Decimal:
    """Rate times duration, in microseconds, rounded up to six decimals."""
    assert one.end_date is not None
    lasted = one.end_date - one.start_date
    seconds = Decimal(lasted.days * 86400 + lasted.seconds) + Decimal(lasted.microseconds).scaleb(
        -6
    )
    return (seconds * Decimal(rate)).quantize(Decimal("0.000001"), ROUND_UP)


def work(running: LiveReservation, *things: Callable[[], object]) -> None:
    """A block that does these things and then works until `check()` says that it is over."""
    deadline = time.monotonic() + 20
    with running:
        for do in things:
            do()
        while time.monotonic() < deadline:
            running.check()
            threading.Event().wait(0.01)


def fail(running: LiveReservation, *things: Callable[[], object]) -> None:
    """A block that does these things and then fails."""
    with running:
        for do in things:
            do()
        raise ZeroDivisionError


def confirmed(running: LiveReservation) -> Callable[[], None]:
    """Waits until its first heartbeat got through."""
    return lambda: wait_for(lambda: running.state == "running")


def test_a_block_costs_its_time_exactly(run: Run, purse: Purse, proxy: LocalProxy) -> None:
    with run("3.333333", 50) as running:
        assert running.reservation.credits == 50
        wait_for(lambda: proxy.count("/heartbeat") >= 2)
        running.check()
        assert running.state == "running"
    ended = running.reservation
    assert ended.state == running.state == "settled"
    assert ended.used == cost(ended, "3.333333") == 100 - purse.credits
    assert ended.used > Decimal("3.3")
    assert running.seconds_left == 0


def test_without_a_limit_heartbeats_reserve_ahead(
    run: Run, client: Client, purse: Purse, proxy: LocalProxy
) -> None:
    with run(2) as running:
        wait_for(lambda: proxy.count("/heartbeat") >= 2)
        wait_for(lambda: running.reservation.credits > 6)
        told = client.balance(purse.uid)
        assert told.credits == 100
        assert told.available == 100 - told.reserved
        assert told.burning_rate == 2
        assert [one.id for one in told.reservations] == [running.reservation.id]
        assert client.reservations(purse.uid)[0].id == running.reservation.id
        assert running.runway_seconds is not None
        assert running.seconds_left is not None
        assert 40 < running.runway_seconds <= 50
        assert running.seconds_left <= 3
    assert client.balance(purse.uid).reserved == 0
    assert client.reservations(purse.uid) == []


def test_what_is_left_is_counted_from_when_it_was_asked(
    run: Run, house: House, platform: str, proxy: LocalProxy
) -> None:
    proxy.late_seconds = 0.5
    with run(1, 10) as running:
        proxy.stuck = ("/heartbeat",)
        mine = running.seconds_left
        asked_at = time.monotonic()
        told = house.get(f"{RESERVATIONS}/{running.reservation.id}", platform)
        assert mine is not None
        assert mine <= float(told["seconds_left"]) + (time.monotonic() - asked_at)
        proxy.late_seconds, proxy.stuck = 0, ()


def test_the_first_heartbeat_comes_at_once(client: Client, purse: Purse) -> None:
    with client.reservation(
        "slow", 1, 10, account_uid=purse.uid, heartbeat_seconds=3600
    ) as running:
        wait_for(lambda: running.state == "running")


def test_a_block_has_one_thread_of_its_own(run: Run) -> None:
    with run(1, 10), run(1, 10):
        assert heartbeats() == ["prepaid heartbeat of job-1"] * 2


def test_what_is_used_up_is_noticed_by_checking(run: Run, purse: Purse, proxy: LocalProxy) -> None:
    began = time.monotonic()
    running = run(25, 50)
    with pytest.raises(CreditsDepleted):
        work(running)
    assert proxy.least(50, 25) / 25 < Decimal(time.monotonic() - began) < 5
    assert running.state == "depleted"
    assert proxy.least(50, 25) < running.reservation.used == 100 - purse.credits <= 50


def test_what_is_used_up_is_raised_at_the_end_of_a_block_that_never_checks(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    with pytest.raises(CreditsDepleted), run(25, 50) as running:
        wait_for(lambda: running.seconds_left == 0)
    assert proxy.least(50, 25) < 100 - purse.credits <= 50


def test_a_balance_that_is_used_up_ends_what_has_no_limit(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    with pytest.raises(CreditsDepleted):
        work(run(50))
    assert proxy.least(100, 50) < 100 - purse.credits <= 100


def test_who_has_too_little_does_not_begin(run: Run, purse: Purse) -> None:
    with pytest.raises(InsufficientCredits) as refused, run(1, 101):
        pytest.fail("the block ran")
    assert refused.value.asked == 101
    assert purse.credits == 100


def test_only_exact_rates_and_limits_are_taken(client: Client, proxy: LocalProxy) -> None:
    with pytest.raises(TypeError, match="burning_rate has to be exact"):
        client.reservation("r", 0.5)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(TypeError, match="credits has to be exact"):
        client.reservation("r", 1, 0.5)  # type: ignore[arg-type]  # what is tested
    assert proxy.seen == []


def test_what_can_not_be_opened_is_refused(run: Run) -> None:
    with pytest.raises(InvalidRate), run(-1, 1):
        pytest.fail("the block ran")
    with pytest.raises(InvalidRate), run(0):
        pytest.fail("the block ran")


def test_a_block_that_fails_pays_for_its_time(run: Run, purse: Purse) -> None:
    running = run(10, 50)
    with pytest.raises(ZeroDivisionError):
        fail(running, confirmed(running))
    assert running.reservation.state == "settled"
    assert 0 < running.reservation.used == 100 - purse.credits


def test_a_block_that_fails_before_its_first_heartbeat_costs_nothing(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    proxy.refuse(503, path="/heartbeat", count=1000)
    running = run(10, 50)
    with pytest.raises(ZeroDivisionError):
        fail(running, lambda: wait_for(lambda: proxy.count("/heartbeat") >= 2))
    assert running.reservation.state == "released"
    assert purse.credits == 100


def test_a_block_whose_heartbeat_was_confirmed_unheard_is_settled(
    house: House, purse: Purse, proxy: LocalProxy
) -> None:
    """The answer to its heartbeat was lost, and a user may not release what has run."""
    with Client(proxy.url, purse.token) as client:
        running = client.reservation("job", 10, 50)

        def confirm_unheard() -> None:
            path = f"{RESERVATIONS}/{running.reservation.id}/heartbeat"
            house.post(path, purse.token, None)

        proxy.refuse(503, path="/heartbeat", count=1000)
        with pytest.raises(ZeroDivisionError):
            fail(running, confirm_unheard)
    assert proxy.count("/release") == 1
    assert running.reservation.state == "settled"


def test_a_short_block_is_confirmed_and_settled(run: Run, purse: Purse, proxy: LocalProxy) -> None:
    began = time.monotonic()
    with run(5, 50) as running:
        pass
    most = 5 * Decimal(time.monotonic() - began)
    assert proxy.count("/heartbeat") == 1
    assert running.reservation.state == "settled"
    assert 0 < running.reservation.used == 100 - purse.credits < most


def test_a_limit_is_raised_while_it_runs(run: Run) -> None:
    with run(2, 20) as running:
        running.extend(60)
        assert running.seconds_left is not None
        assert 10 < running.seconds_left <= 30
        assert running.reservation.limit == 60
        with pytest.raises(InsufficientCredits):
            running.extend(1000)
        running.check()
    assert running.reservation.state == "settled"


def test_one_request_of_a_reservation_is_on_its_way_at_a_time(run: Run, proxy: LocalProxy) -> None:
    proxy.late_seconds = 0.05
    with run(1) as running:
        while proxy.count("/heartbeat") < 3:
            running.extend()
    assert proxy.most_at_once == 1


def test_a_block_that_ends_in_time_is_not_too_late_when_its_heartbeat_hangs(
    run: Run, proxy: LocalProxy
) -> None:
    with run(15, 40) as running:
        confirmed(running)()
        proxy.stuck = ("/heartbeat",)
        wait_for(lambda: proxy.count("/heartbeat") >= 2)
        running.check()
    assert running.seconds_left == 0
    assert running.reservation.used <= 40


def test_a_slice_is_filled_up_when_asked(run: Run, purse: Purse) -> None:
    with run(30) as running:
        purse.give(1000)
        running.extend()
        assert running.runway_seconds is not None
        assert running.runway_seconds > 10


def test_another_rate_counts_from_its_instant(run: Run, purse: Purse) -> None:
    with run(1, 90) as running:
        before = running.reservation.start_date
        running.change_rate("0")
        told = running.reservation
        assert told.burning_rate == 0
        assert (running.seconds_left, running.runway_seconds) == (None, None)
        running.change_rate("10.5")
        assert 7 < (running.seconds_left or 0) < 9
    assert running.reservation.start_date == before
    assert running.reservation.used == 100 - purse.credits


def test_a_higher_rate_is_noticed_before_the_next_heartbeat(
    client: Client, purse: Purse, proxy: LocalProxy
) -> None:
    running = client.reservation("r", 1, 50, account_uid=purse.uid, heartbeat_seconds=60)
    with pytest.raises(CreditsDepleted):
        work(running, lambda: running.change_rate(25))
    assert proxy.least(50, 25) < 100 - purse.credits <= 50


def test_a_hold_costs_what_is_said(run: Run, purse: Purse) -> None:
    with run(0, 30) as hold:
        assert hold.seconds_left is None
        assert hold.runway_seconds is None
        hold.check()
        with pytest.raises(InvalidSettlement):
            hold.settle(31)
        hold.check()
        assert hold.settle("12.5").used == Decimal("12.5")
        assert hold.state == "settled"
        with pytest.raises(ReservationClosed):
            hold.check()
    assert purse.credits == Decimal("87.5")


def test_a_hold_of_which_nothing_was_said_costs_nothing(run: Run, purse: Purse) -> None:
    with run(0, 30) as hold:
        pass
    assert hold.reservation.used == 0
    assert hold.state == "settled"
    assert purse.credits == 100


def test_what_was_settled_in_the_block_ends_quietly(run: Run, proxy: LocalProxy) -> None:
    with run(10, 50) as running:
        assert running.settle().used > 0
        with pytest.raises(ReservationClosed):
            running.extend(60)
    assert proxy.count("/settlement") == 1


def test_a_key_goes_on_where_another_program_stopped(run: Run, purse: Purse) -> None:
    with run(0, 30, key="job-7") as first, run(0, 30, key="job-7") as second:
        assert first.reservation.id == second.reservation.id
        second.settle(5)
        first.settle(5)
    assert purse.credits == 95


def test_a_key_whose_reservation_has_ended_begins_nothing(run: Run) -> None:
    with run(1, 30, key="job-8"):
        pass
    with pytest.raises(ReservationClosed, match="has ended"), run(1, 30, key="job-8"):
        pytest.fail("the block ran")


def test_a_reservation_is_entered_once(run: Run) -> None:
    running = run(1, 10)
    with pytest.raises(RuntimeError, match="not open"):
        running.check()
    with running, pytest.raises(RuntimeError, match="entered once"), running:
        pytest.fail("the block ran twice")


def test_one_that_was_lost_is_opened_again_and_goes_on(
    run: Run, house: House, platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    with run("0.5", 50) as running:
        wait_for(lambda: running.state == "running")
        first = running.reservation.id
        proxy.shut = True
        wait_for(lambda: told_state(house, platform, first) == "lost")
        running.check()
        proxy.shut = False
        wait_for(lambda: running.reservation.epoch == 2 and running.state == "running")
        running.check()
    second = running.reservation
    assert second.id != first
    assert second.state == "settled"
    lost = house.get(f"{RESERVATIONS}/{first}", platform)["reservation"]
    assert 100 - purse.credits == second.used + Decimal(str(lost["used"]))


def told_state(house: House, platform: str, reservation_id: str) -> object:
    return house.get(f"{RESERVATIONS}/{reservation_id}", platform)["reservation"]["state"]


def test_one_that_was_lost_is_extended_all_the_same(
    run: Run, house: House, platform: str, proxy: LocalProxy
) -> None:
    with run("0.5", 40) as running:
        wait_for(lambda: running.state == "running")
        first = running.reservation.id
        proxy.refuse(503, path="/heartbeat", count=10_000)
        wait_for(lambda: told_state(house, platform, first) == "lost")
        running.extend(60)
        assert running.reservation.limit == 60
        assert running.reservation.epoch == 2


def test_one_that_was_lost_and_can_not_be_paid_again_is_depleted(
    run: Run, client: Client, purse: Purse, proxy: LocalProxy
) -> None:
    running = run(1, 50)

    def lose_it_and_spend_the_rest() -> None:
        confirmed(running)()
        proxy.refuse(503, path="/heartbeat", count=10_000)
        wait_for(lambda: client.reservations(purse.uid) == [])
        client.charge(90, account_uid=purse.uid)
        proxy.instead.clear()

    with pytest.raises(CreditsDepleted, match="can't be opened again") as over:
        work(running, lose_it_and_spend_the_rest)
    assert isinstance(over.value.__cause__, InsufficientCredits)


def test_a_hold_that_was_lost_is_settled_all_the_same(
    run: Run, house: House, platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    with run(0, 50) as hold:
        wait_for(lambda: hold.state == "running")
        proxy.refuse(503, path="/heartbeat", count=10_000)
        wait_for(lambda: told_state(house, platform, hold.reservation.id) == "lost")
        assert hold.settle(20).used == 20
    assert purse.credits == 80


def test_one_that_is_ended_elsewhere_is_closed(run: Run, house: House, platform: str) -> None:
    running = run(1, 50)

    def end_it() -> None:
        house.post(f"{RESERVATIONS}/{running.reservation.id}/settlement", platform, {})

    with pytest.raises(ReservationClosed):
        work(running, confirmed(running), end_it)
    assert running.state == "settled"


def test_a_service_that_stays_away_ends_it_when_what_was_reserved_runs_out(
    platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    ends_at = []

    def go_away() -> None:
        ends_at.append(time.monotonic() + (running.seconds_left or 0))
        proxy.shut = True

    with Client(proxy.url, platform, retries=Retries(1)) as client:
        running = client.reservation("r", 9, account_uid=purse.uid, heartbeat_seconds=1)
        with pytest.raises(CreditsDepleted) as over:
            work(running, confirmed(running), go_away)
    assert 0 <= time.monotonic() - ends_at[0] < 3
    assert any("can't be reached" in note for note in over.value.__notes__)
    assert isinstance(over.value.__cause__, Unavailable)
    assert over.value.status is None


def test_a_block_that_can_not_be_settled_says_so(
    platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    with Client(proxy.url, platform, retries=Retries(2, 2, 0.01)) as client:
        with pytest.raises(Unavailable), client.reservation("r", 1, 9, account_uid=purse.uid):
            proxy.refuse(503, path="/settlement", count=2)
        running = client.reservation("s", 1, 9, account_uid=purse.uid)
        with pytest.raises(ZeroDivisionError) as failed:
            fail(
                running,
                confirmed(running),
                lambda: proxy.refuse(503, path="/settlement", count=2),
            )
    assert any("503" in note for note in failed.value.__notes__)


def test_a_token_that_is_revoked_ends_it(house: House, admin: str, purse: Purse) -> None:
    key = house.key(Scope.SERVICE)
    with Client(house.url, key.secret) as client:
        running = client.reservation("r", 1, 9, account_uid=purse.uid, heartbeat_seconds=1)
        with pytest.raises(Unauthenticated):
            work(
                running,
                confirmed(running),
                lambda: house.ask("DELETE", f"/api/iam/v1/api-keys/{key.key.id}", admin),
            )


def test_whatever_stops_the_heartbeats_is_raised(house: House, platform: str, purse: Purse) -> None:
    client = Client(house.url, platform)
    running = client.reservation("r", 1, 9, account_uid=purse.uid, heartbeat_seconds=1)
    with pytest.raises(RuntimeError, match="client has been closed"):
        work(running, confirmed(running), client.close)


def test_what_is_bought_meanwhile_extends_it(run: Run, purse: Purse) -> None:
    with run(40) as running:
        wait_for(lambda: running.state == "running")
        runway = running.runway_seconds
        assert runway is not None
        assert runway <= 2.5
        ends_at = time.monotonic() + runway
        purse.give(400)
        wait_for(lambda: time.monotonic() > ends_at + 0.5)
        running.check()
    assert running.reservation.state == "settled"
    assert running.reservation.used > 100


def test_twenty_run_side_by_side(client: Client, purse: Purse) -> None:
    together = threading.Barrier(20)

    def one(number: int) -> Decimal:
        with client.reservation(
            f"r-{number}", "0.5", account_uid=purse.uid, heartbeat_seconds=1
        ) as running:
            together.wait(20)
            wait_for(lambda: running.state == "running")
        return running.reservation.used

    with ThreadPoolExecutor(20) as pool:
        used = list(pool.map(one, range(20)))
    assert 0 < sum(used) == 100 - purse.credits
    assert client.balance(purse.uid).reserved == 0


def test_a_metered_function_runs_in_a_reservation_of_its_own(client: Client, purse: Purse) -> None:
    @client.metered(resource="job", burning_rate=1, credits=9, account_uid=purse.uid)
    def add(one: int, other: int) -> int:
        """Adds."""
        (running,) = client.reservations(purse.uid)
        assert running.resource == "job"
        return one + other

    assert add(1, other=2) == 3
    assert add(3, 4) == 7
    assert add.__doc__ == "Adds."
    assert client.reservations(purse.uid) == []
    entries = [entry.kind for entry in client.entries(purse.uid)]
    assert entries == ["settlement", "settlement", "promotion"]


def test_what_only_begins_when_it_is_called_is_not_metered(client: Client) -> None:
    async def later() -> None: ...

    with pytest.raises(TypeError, match="can't be metered"):
        client.metered(resource="job", burning_rate=1)(later)
