"""Charges through the client: exact, once, and refused as the class that says why."""

from decimal import Decimal

import pytest

from local_proxy import LocalProxy
from local_service import House
from prepaid_client import (
    AsyncClient,
    Charge,
    Client,
    Forbidden,
    InsufficientCredits,
    Invalid,
    KeyReused,
    NewCharge,
    Retries,
    Unauthenticated,
    Unavailable,
    UnknownAccount,
)
from prepaid_client.errors import InvalidCredits
from purses import Purse


def test_a_charge_is_exact_and_says_what_is_left(client: Client, purse: Purse) -> None:
    charge = client.charge(
        Decimal("0.000001"),
        account_uid=purse.uid,
        resource="r-1",
        resource_type="report",
        description="one page",
    )
    assert charge.entry.credits == Decimal("-0.000001")
    assert charge.entry.balance == Decimal("99.999999") == purse.credits
    assert (charge.entry.source, charge.entry.reason) == ("report r-1", "one page")
    assert not charge.replayed


async def test_the_asynchronous_client_charges_too(async_client: AsyncClient, purse: Purse) -> None:
    charge = await async_client.charge("1.5", account_uid=purse.uid)
    assert charge.entry.balance == Decimal("98.5")


def test_a_user_spends_their_own(proxy: LocalProxy, purse: Purse) -> None:
    with Client(proxy.url, purse.token) as client:
        assert client.charge(1).entry.balance == 99


def test_a_key_spends_once(client: Client, purse: Purse) -> None:
    first = client.charge(3, account_uid=purse.uid, key="once")
    again = client.charge(3, account_uid=purse.uid, key="once")
    assert again.replayed
    assert again.entry == first.entry
    with pytest.raises(KeyReused) as refused:
        client.charge(4, account_uid=purse.uid, key="once")
    assert (refused.value.code, refused.value.status) == ("idempotency_key_reused", 409)
    assert purse.credits == 97


def test_a_charge_whose_answer_is_lost_is_spent_once(
    client: Client, purse: Purse, proxy: LocalProxy
) -> None:
    proxy.losing = 2
    charge = client.charge(3, account_uid=purse.uid)
    assert charge.replayed
    assert charge.entry.balance == 97 == purse.credits
    assert proxy.count("/charges") == 3


async def test_an_asynchronous_charge_whose_answer_is_lost_is_spent_once(
    async_client: AsyncClient, purse: Purse, proxy: LocalProxy
) -> None:
    proxy.losing = 1
    charge = await async_client.charge(3, account_uid=purse.uid)
    assert charge.replayed
    assert purse.credits == 97


def test_a_refusal_says_what_is_missing_and_where_to_buy(client: Client, purse: Purse) -> None:
    with pytest.raises(InsufficientCredits) as refused:
        client.charge("100.5", account_uid=purse.uid)
    error = refused.value
    assert (error.asked, error.available) == (Decimal("100.5"), Decimal(100))
    assert error.buy_url == "https://credits.example.com/checkout"
    assert (error.status, error.code) == (402, "insufficient_credits")
    assert str(error) == error.detail
    assert error.detail.startswith("Insufficient credits: 100.5 needed, 100 available")


@pytest.mark.parametrize("amount", [1.5, float("nan"), True, None, 3j, b"1"])
def test_only_exact_numbers_are_taken(client: Client, purse: Purse, amount: object) -> None:
    with pytest.raises(TypeError, match="credits has to be exact"):
        client.charge(amount, account_uid=purse.uid)  # type: ignore[arg-type]  # what is tested
    assert purse.credits == 100


@pytest.mark.parametrize("amount", ["many", "", "NaN", "Infinity", "1e999999999", 10**50])
def test_what_is_no_amount_is_not_sent(
    client: Client, purse: Purse, proxy: LocalProxy, amount: str | int
) -> None:
    with pytest.raises(ValueError, match="credits is"):
        client.charge(amount, account_uid=purse.uid)
    assert proxy.seen == []


@pytest.mark.parametrize("amount", [0, -1, "0.0000001", 10**12])
def test_what_the_service_does_not_take_is_refused(
    client: Client, purse: Purse, amount: str | int
) -> None:
    with pytest.raises(InvalidCredits):
        client.charge(amount, account_uid=purse.uid)


def test_who_may_not_is_told_why(client: Client, purse: Purse, house: House) -> None:
    with pytest.raises(UnknownAccount):
        client.charge(1, account_uid="nobody-at-all")
    with Client(house.url, purse.token) as user, pytest.raises(Forbidden):
        user.charge(1, account_uid="somebody-else")
    with Client(house.url, "wrong") as nobody, pytest.raises(Unauthenticated):
        nobody.charge(1)


def test_an_empty_key_is_refused_and_not_replaced(client: Client, purse: Purse) -> None:
    with pytest.raises(Invalid):
        client.charge(1, account_uid=purse.uid, key="")


def test_a_batch_has_an_outcome_for_each(client: Client, purse: Purse) -> None:
    def new(credits: int, key: str) -> NewCharge:  # noqa: A002 - the API's word
        return NewCharge(credits, account_uid=purse.uid, key=key)

    outcomes = client.charge_all([new(60, "a"), new(60, "b"), new(0, "c"), new(60, "a")])
    assert [type(one) for one in outcomes] == [Charge, InsufficientCredits, InvalidCredits, Charge]
    first, poor, _, again = outcomes
    assert isinstance(poor, InsufficientCredits)
    assert poor.available == 40
    assert isinstance(first, Charge)
    assert isinstance(again, Charge)
    assert again.replayed
    assert again.entry == first.entry


async def test_an_asynchronous_batch_is_the_same(async_client: AsyncClient, purse: Purse) -> None:
    batch = [NewCharge("0.5", account_uid=purse.uid) for _ in range(100)]
    assert all(isinstance(one, Charge) for one in await async_client.charge_all(batch))
    assert purse.credits == 50


def test_a_batch_of_nothing_is_refused(client: Client) -> None:
    with pytest.raises(Invalid):
        client.charge_all([])


def test_a_service_that_stays_away_is_unavailable(
    platform: str, purse: Purse, proxy: LocalProxy
) -> None:
    proxy.shut = True
    with Client(proxy.url, platform, retries=Retries(3, 5, 0.01)) as client:
        with pytest.raises(Unavailable, match="can't be reached") as away:
            client.charge(1, account_uid=purse.uid)
        assert away.value.status is None
        assert away.value.__cause__ is not None
    assert purse.credits == 100
