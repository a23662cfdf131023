"""Reading through the client: balances, entries and usages, as the service wrote them."""

from decimal import Decimal

from local_proxy import LocalProxy
from prepaid_client import AsyncClient, Client, NewCharge
from purses import Purse


def test_a_balance_tells_what_is_reserved_and_burning(client: Client, purse: Purse) -> None:
    with client.reservation("r", "0.5", 30, account_uid=purse.uid) as running:
        told = client.balance(purse.uid)
        assert told.account_uid == purse.uid
        assert told.credits == 100
        assert told.reserved == 30
        assert told.available == 70
        assert told.burning_rate == Decimal("0.5")
        assert 0 <= told.accrued < 5
        assert [one.id for one in told.reservations] == [running.reservation.id]
    assert client.balance(purse.uid).depletes_at is None


def test_entries_are_read_page_after_page(client: Client, purse: Purse, proxy: LocalProxy) -> None:
    client.charge_all([NewCharge("0.01", account_uid=purse.uid) for _ in range(150)])
    found = list(client.entries(purse.uid))
    assert [entry.number for entry in found] == list(range(151, 0, -1))
    assert found[-1].kind == "promotion"
    assert found[-1].credits == found[-1].balance == 100
    assert sum(entry.credits for entry in found) == purse.credits == Decimal("98.5")
    assert sum("/entries" in path for path in proxy.seen) == 2


def test_usages_are_read_page_after_page(client: Client, purse: Purse, proxy: LocalProxy) -> None:
    with client.reservation("r", 1, 10, account_uid=purse.uid, resource_given_name="Run") as done:
        pass
    client.charge_all(
        [NewCharge("0.01", purse.uid, f"r-{n}", "report") for n in range(120)]
    )  # fmt: skip
    found = list(client.usages(purse.uid))
    assert len(found) == 121
    assert {(one.resource_type, one.resource_state) for one in found[:-1]} == {
        ("report", "charged")
    }
    assert {one.resource_uid for one in found[:-1]} == {f"r-{n}" for n in range(120)}
    first = found[-1]
    assert (first.resource_uid, first.resource_given_name) == ("r", "Run")
    assert (first.resource_type, first.resource_state) == ("runtime", "settled")
    assert first.credits == done.reservation.used
    assert first.credits_limit == 10
    assert first.end_date == done.reservation.end_date
    assert sum(one.credits for one in found) == 100 - purse.credits
    assert sum("/user" in path for path in proxy.seen) == 2


async def test_all_of_it_is_read_asynchronously(async_client: AsyncClient, purse: Purse) -> None:
    await async_client.charge(1, account_uid=purse.uid, resource="r")
    assert [one.credits async for one in async_client.entries(purse.uid)] == [-1, 100]
    assert [one.resource_uid async for one in async_client.usages(purse.uid)] == ["r"]
    assert (await async_client.balance(purse.uid)).available == 99
    assert await async_client.reservations(purse.uid) == []
