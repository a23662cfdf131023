"""A reservation in an `async with` block: stopped at its end, and settled whatever is cancelled."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal

import pytest

from local_proxy import LocalProxy
from local_service import House
from local_stripe import DEADLINE_SECONDS
from prepaid_client import (
    AsyncClient,
    AsyncLiveReservation,
    Client,
    CreditsDepleted,
    InsufficientCredits,
    ReservationClosed,
    Retries,
    Unavailable,
)
from prepaid_client.errors import InvalidSettlement
from purses import Purse

RESERVATIONS = "/api/iam/v1/usage/reservations"

Run = Callable[..., AsyncLiveReservation]
Things = Callable[[AsyncLiveReservation], Awaitable[object]]


@pytest.fixture(autouse=True)
async def _no_task_stays() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


@pytest.fixture
def run(async_client: AsyncClient, purse: Purse) -> Run:
    """A reservation of the account, with a heartbeat a second."""

    def of(rate: int | str, limit: int | str | None = None, **more: str) -> AsyncLiveReservation:
        return async_client.reservation(
            "job-1", rate, limit, account_uid=purse.uid, heartbeat_seconds=1, **more
        )

    return of


async def come_true(fact: Callable[[], object]) -> None:
    """Returns once the fact is true, and fails if it isn't in time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not fact():  # noqa: ASYNC110 - the fact tells nobody
            await asyncio.sleep(0.01)


async def for_ever() -> None:
    await asyncio.get_running_loop().create_future()


async def nothing(_: AsyncLiveReservation) -> None:
    """No things."""


async def confirmed(running: AsyncLiveReservation) -> None:
    await come_true(lambda: running.state == "running")


async def work(running: AsyncLiveReservation, things: Things = nothing) -> None:
    """A block that does things, and then works until somebody stops it."""
    async with running:
        await things(running)
        await for_ever()


async def test_a_block_costs_its_time(run: Run, purse: Purse) -> None:
    async with run("2.5", 50) as running:
        await confirmed(running)
        running.check()
        assert 17 < (running.seconds_left or 0) <= 20
    assert running.reservation.state == running.state == "settled"
    assert 0 < running.reservation.used == 100 - purse.credits


async def test_a_block_is_stopped_when_the_credits_are_used_up(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    began = time.monotonic()
    running = run(25, 50)
    with pytest.raises(CreditsDepleted):
        await work(running)
    assert proxy.least(50, 25) / 25 < Decimal(time.monotonic() - began) < 5
    assert running.state == "depleted"
    assert proxy.least(50, 25) < running.reservation.used == 100 - purse.credits <= 50
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_block_that_ends_after_its_credits_says_so(run: Run) -> None:
    async def overrun(running: AsyncLiveReservation) -> None:
        async with running:
            try:
                await for_ever()
            except asyncio.CancelledError:
                return

    with pytest.raises(CreditsDepleted):
        await overrun(run(25, 50))


async def test_a_block_that_fails_while_it_is_stopped_fails_so(run: Run) -> None:
    async def fail(running: AsyncLiveReservation) -> None:
        async with running:
            try:
                await for_ever()
            finally:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as failed:
        await fail(run(25, 50))
    assert any("run out" in note for note in failed.value.__notes__)


async def test_who_has_too_little_does_not_begin(run: Run, purse: Purse) -> None:
    with pytest.raises(InsufficientCredits):
        await work(run(1, 101))
    assert purse.credits == 100


async def test_a_cancellation_from_outside_stays_one_and_is_settled(run: Run, purse: Purse) -> None:
    running = run(10, 50)
    task = asyncio.create_task(work(running))
    await come_true(lambda: running._known and running.state == "running")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running.reservation.state == "settled"
    assert 0 < running.reservation.used == 100 - purse.credits


async def test_a_cancellation_while_it_is_settled_loses_no_settlement(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    async def end(running: AsyncLiveReservation) -> None:
        async with running:
            await confirmed(running)
            proxy.stuck = ("/settlement",)

    running = run(10, 50)
    task = asyncio.create_task(end(running))
    await come_true(lambda: proxy.count("/settlement") == 1)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    proxy.stuck = ()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running.reservation.state == "settled"
    assert running.reservation.used == 100 - purse.credits


async def test_a_settlement_that_hangs_is_given_up_in_time(
    platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    async with AsyncClient(proxy.url, platform, retries=Retries(9, 2, 0.1)) as client:
        running = client.reservation("r", 1, 9, account_uid=purse.uid)
        task = asyncio.create_task(work(running))
        await come_true(lambda: running._known and running.state == "running")
        proxy.stuck = ("/settlement",)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 5


async def test_if_both_happen_it_stays_a_cancellation_from_outside(run: Run, purse: Purse) -> None:
    async def linger(running: AsyncLiveReservation) -> None:
        async with running:
            try:
                await for_ever()
            except asyncio.CancelledError:
                lingering.set()
                await for_ever()

    lingering = asyncio.Event()
    running = run(25, 50)
    task = asyncio.create_task(linger(running))
    await come_true(lambda: running._known)
    task.cancel()
    await lingering.wait()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running.state == "depleted"
    assert running.reservation.used == 100 - purse.credits


async def test_a_timeout_around_it_stays_a_timeout(run: Run) -> None:
    async def impatient(running: AsyncLiveReservation) -> None:
        async with asyncio.timeout(None) as patience:

            async def lose_patience(running: AsyncLiveReservation) -> None:
                await confirmed(running)
                patience.reschedule(asyncio.get_running_loop().time())

            await work(running, lose_patience)

    running = run(1, 50)
    with pytest.raises(TimeoutError):
        await impatient(running)
    assert running.reservation.state == "settled"


async def test_only_the_block_whose_credits_are_used_up_ends(run: Run, purse: Purse) -> None:
    inner = run(25, 50)
    async with run(1, 20) as outer:
        with pytest.raises(CreditsDepleted):
            await work(inner)
        outer.check()
        await asyncio.sleep(0)
    assert outer.reservation.state == "settled"
    assert purse.credits == 100 - inner.reservation.used - outer.reservation.used


async def test_an_outer_block_that_is_used_up_settles_the_inner_one(run: Run, purse: Purse) -> None:
    inner = run(1, 20)

    async def nested(_: AsyncLiveReservation) -> None:
        await work(inner)

    outer = run(25, 50)
    with pytest.raises(CreditsDepleted):
        await work(outer, nested)
    assert inner.reservation.state == "settled"
    assert purse.credits == 100 - inner.reservation.used - outer.reservation.used


async def test_tasks_of_the_block_are_stopped_with_it(run: Run) -> None:
    stopped = []

    async def wait_and_tell() -> None:
        try:
            await for_ever()
        finally:
            stopped.append(True)

    async def group(_: AsyncLiveReservation) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wait_and_tell())
            tasks.create_task(wait_and_tell())

    with pytest.raises(CreditsDepleted):
        await work(run(25, 50), group)
    assert stopped == [True, True]


async def test_a_block_that_fails_before_its_first_heartbeat_costs_nothing(
    run: Run, purse: Purse, proxy: LocalProxy
) -> None:
    async def fail(_: AsyncLiveReservation) -> None:
        await come_true(lambda: proxy.count("/heartbeat") >= 2)
        raise ZeroDivisionError

    proxy.refuse(503, path="/heartbeat", count=1000)
    running = run(10, 50)
    with pytest.raises(ZeroDivisionError):
        await work(running, fail)
    assert running.reservation.state == "released"
    assert purse.credits == 100


async def test_a_short_block_is_confirmed_and_settled(run: Run, purse: Purse) -> None:
    began = time.monotonic()
    async with run(5, 50) as running:
        pass
    most = 5 * Decimal(time.monotonic() - began)
    assert running.reservation.state == "settled"
    assert 0 < running.reservation.used == 100 - purse.credits < most


async def test_one_that_was_lost_is_opened_again_and_goes_on(
    run: Run, house: House, platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    with Client(house.url, platform) as aside:
        async with run("0.5", 50) as running:
            await confirmed(running)
            proxy.shut = True
            await come_true(lambda: aside.reservations(purse.uid) == [])
            proxy.shut = False
            await come_true(lambda: running.reservation.epoch == 2 and running.state == "running")
            running.check()
    assert running.reservation.state == "settled"


@pytest.mark.parametrize("how", ["shut", "stuck"])
async def test_a_service_that_stays_away_stops_the_block_when_what_was_reserved_runs_out(
    platform: str, purse: Purse, proxy: LocalProxy, how: str
) -> None:
    ends_at = []

    async def go_away(running: AsyncLiveReservation) -> None:
        await confirmed(running)
        ends_at.append(time.monotonic() + (running.seconds_left or 0))
        proxy.shut, proxy.stuck = how == "shut", ("",)
        await for_ever()

    async with AsyncClient(proxy.url, platform, retries=Retries(1, 2)) as client:
        running = client.reservation("r", 20, 40, account_uid=purse.uid, heartbeat_seconds=1)
        with pytest.raises(CreditsDepleted) as over:
            await work(running, go_away)
    assert 0 <= time.monotonic() - ends_at[0] < 2 + 3  # with its settlement, given up in time
    assert isinstance(over.value.__cause__, Unavailable)
    proxy.shut, proxy.stuck = False, ()


async def test_one_that_is_ended_elsewhere_stops_the_block(
    run: Run, house: House, platform: str
) -> None:
    async def end_it(running: AsyncLiveReservation) -> None:
        await confirmed(running)
        path = f"{RESERVATIONS}/{running.reservation.id}/settlement"
        await asyncio.to_thread(house.post, path, platform, {})
        await for_ever()

    with pytest.raises(ReservationClosed):
        await work(run(1, 50), end_it)


async def test_whatever_stops_the_heartbeats_stops_the_block(
    house: House, platform: str, purse: Purse
) -> None:
    client = AsyncClient(house.url, platform)

    async def close(running: AsyncLiveReservation) -> None:
        await confirmed(running)
        await client.close()
        await for_ever()

    running = client.reservation("r", 1, 9, account_uid=purse.uid, heartbeat_seconds=1)
    with pytest.raises(RuntimeError, match="client has been closed"):
        await work(running, close)


async def test_a_limit_is_raised_and_a_rate_changed_while_it_runs(run: Run) -> None:
    async with run(2, 20) as running:
        await running.extend(60)
        assert 10 < (running.seconds_left or 0) <= 30
        await running.change_rate(1)
        assert (running.seconds_left or 0) > 40
        with pytest.raises(InsufficientCredits):
            await running.extend(1000)
    assert running.reservation.state == "settled"


async def test_a_higher_rate_is_noticed_before_the_next_heartbeat(
    async_client: AsyncClient, purse: Purse, proxy: LocalProxy
) -> None:
    async def hurry(running: AsyncLiveReservation) -> None:
        await confirmed(running)
        await running.change_rate(25)
        await for_ever()

    slow = async_client.reservation("r", 1, 50, account_uid=purse.uid, heartbeat_seconds=60)
    with pytest.raises(CreditsDepleted):
        async with asyncio.timeout(10):
            await work(slow, hurry)
    assert proxy.least(50, 25) < slow.reservation.used <= 50


async def test_one_request_of_a_reservation_is_on_its_way_at_a_time(
    run: Run, proxy: LocalProxy
) -> None:
    proxy.late_seconds = 0.05
    async with run(1) as running:
        while proxy.count("/heartbeat") < 3:
            await running.extend()
    assert proxy.most_at_once == 1


async def test_a_request_that_hangs_does_not_let_the_block_run_on(
    run: Run, proxy: LocalProxy
) -> None:
    async def extend(running: AsyncLiveReservation) -> None:
        await confirmed(running)
        proxy.stuck = ("/extension",)
        await running.extend(60)

    running = run(15, 30)
    with pytest.raises(CreditsDepleted):
        async with asyncio.timeout(5):
            await work(running, extend)
    assert proxy.count("/extension") == 1


async def test_a_hold_costs_what_is_said_and_ends_quietly(run: Run, purse: Purse) -> None:
    async with run(0, 30) as hold:
        with pytest.raises(InvalidSettlement):
            await hold.settle(31)
        assert (await hold.settle("12.5")).used == Decimal("12.5")
        with pytest.raises(ReservationClosed):
            hold.check()
    assert purse.credits == Decimal("87.5")


async def test_a_reservation_is_entered_once(run: Run) -> None:
    async with run(1, 10) as running:
        with pytest.raises(RuntimeError, match="entered once"):
            await work(running)
        running.check()


async def test_what_is_bought_meanwhile_extends_it(run: Run, purse: Purse) -> None:
    async with run(40) as running:
        await confirmed(running)
        ends_at = time.monotonic() + (running.runway_seconds or 0)
        await asyncio.to_thread(purse.give, 400)
        await come_true(lambda: time.monotonic() > ends_at + 0.5)
    assert running.reservation.used > 100


async def test_twenty_run_side_by_side(run: Run, purse: Purse) -> None:
    together = asyncio.Barrier(20)

    async def one() -> Decimal:
        async with run("0.5") as running:
            await together.wait()
            await confirmed(running)
        return running.reservation.used

    used = await asyncio.gather(*(one() for _ in range(20)))
    assert 0 < sum(used) == 100 - purse.credits


async def test_a_metered_coroutine_is_stopped_when_its_credits_are_used_up(
    async_client: AsyncClient, purse: Purse
) -> None:
    @async_client.metered(resource="job", burning_rate=25, credits=50, account_uid=purse.uid)
    async def add(one: int, other: int, *, slowly: bool = False) -> int:
        """Adds."""
        if slowly:
            await for_ever()
        return one + other

    assert await add(1, other=2) == 3
    assert add.__doc__ == "Adds."
    with pytest.raises(CreditsDepleted):
        await add(1, 2, slowly=True)
    kinds = [entry.kind async for entry in async_client.entries(purse.uid)]
    assert kinds == ["settlement", "settlement", "promotion"]


async def test_what_is_no_coroutine_is_not_metered(async_client: AsyncClient) -> None:
    def now() -> None: ...

    with pytest.raises(TypeError, match="can't be metered"):
        async_client.metered(resource="job", burning_rate=1)(now)  # type: ignore[arg-type]  # it is what is refused
