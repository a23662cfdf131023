"""Purchases: whatever is asked for, paged however, it is what a list would give; and receipts."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from local_stripe import LocalStripe, local_stripe
from prepaid.core.amounts import Credits, Money
from prepaid.core.checkouts import Checkout, State
from prepaid.core.errors import Invalid, UnknownAccount, UnknownCheckout, UnknownReceipt
from prepaid.core.filters import EVERY_CHECKOUT, CheckoutFilter
from prepaid.flows import purchases
from prepaid.flows.catalog import Catalog
from prepaid.flows.shop import Shop
from prepaid.ids import new_id
from prepaid.payments.gateway import Gateway
from prepaid.storage import accounts, checkouts
from prepaid.storage.database import Database

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)

states = st.sampled_from(list(State))
moments = st.integers(-3, 3).map(lambda seconds: AT + timedelta(seconds=seconds, microseconds=1))


@st.composite
def filters(draw: st.DrawFn) -> CheckoutFilter:
    since, until = draw(st.none() | moments), draw(st.none() | moments)
    if since is not None and until is not None and since >= until:
        since = None
    return CheckoutFilter(draw(st.frozensets(states, max_size=3)), since, until)


def offered(uid: str, state: State = State.OPEN, at: datetime = AT) -> Checkout:
    """A checkout as it stands in the books."""
    one = Checkout(
        id=new_id(),
        account_uid=uid,
        state=state,
        price_id="price_50",
        credits=Credits.of(50),
        units=50,
        price=Money(500, "usd"),
        livemode=False,
        customer_id=f"cus_{uid}",
        return_url="https://example.com/",
        automatic_tax=False,
        created_at=at,
        expires_at=at + timedelta(hours=1),
    )
    if state is not State.CREDITED:
        return one
    return replace(one, paid_total=Money(600, "usd"), credited_at=at, payment_intent="pi_1")


async def write(database: Database, uid: str, opened: list[Checkout]) -> None:
    """The account exists, and has these checkouts."""
    async with database.writing() as connection:
        await accounts.add(connection, uid, AT)
        for one in opened:
            await checkouts.add(connection, one)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(
    story=st.lists(st.tuples(states, moments), max_size=12),
    wanted=filters(),
    limit=st.integers(1, 13),
)
async def test_pages_give_what_filtering_a_list_gives(
    database: Database, story: list[tuple[State, datetime]], wanted: CheckoutFilter, limit: int
) -> None:
    uid = f"user-{new_id()}"
    opened = [offered(uid, state, at) for state, at in story]
    await write(database, uid, opened)
    right = [one for one in reversed(opened) if is_wanted(one, wanted)]
    assert await paged(database, uid, wanted, limit) == right
    chunks = [chunk async for chunk in purchases.chunks(database, uid, wanted)]
    assert [*chain.from_iterable(chunks)] == right


def is_wanted(one: Checkout, wanted: CheckoutFilter) -> bool:
    """What a filter means, as one would write it over a list."""
    return (
        (not wanted.states or one.state in wanted.states)
        and (wanted.since is None or one.created_at >= wanted.since)
        and (wanted.until is None or one.created_at < wanted.until)
    )


async def paged(database: Database, uid: str, wanted: CheckoutFilter, limit: int) -> list[Checkout]:
    """Everything, by following the pages; each but the last is full."""
    page = await purchases.page(database, uid, wanted, None, limit)
    found = page.checkouts
    while page.next_before is not None:
        assert len(page.checkouts) == limit
        page = await purchases.page(database, uid, wanted, page.next_before, limit)
        assert page.checkouts != [], "a page was promised where there is none"
        found = found + page.checkouts
    return found


async def test_all_purchases_come_in_chunks(database: Database) -> None:
    opened = [offered("ada") for _ in range(purchases.CHUNK + 1)]
    await write(database, "ada", opened)
    chunks = [chunk async for chunk in purchases.chunks(database, "ada")]
    assert [len(chunk) for chunk in chunks] == [purchases.CHUNK, 1]
    (some,) = [chunk async for chunk in purchases.chunks(database, "ada", EVERY_CHECKOUT, None, 2)]
    assert some == opened[:-3:-1]


async def test_everybodys_checkouts_are_listed_newest_first(database: Database) -> None:
    """For whoever looks after the shop."""
    story = [offered("ada"), offered("bob"), offered("ada")]
    for uid in ("ada", "bob"):
        await write(database, uid, [one for one in story if one.account_uid == uid])
    async with database.reading() as connection:
        assert await checkouts.listed(connection, None, None, 3) == story[::-1]
        assert await checkouts.listed(connection, None, story[2].id, 3) == story[1::-1]


async def test_an_unknown_account_has_no_purchases(database: Database) -> None:
    with pytest.raises(UnknownAccount):
        await purchases.page(database, "nobody")
    with pytest.raises(UnknownAccount):
        await anext(purchases.chunks(database, "nobody"))


def test_a_filter_that_nothing_can_meet_is_refused() -> None:
    with pytest.raises(Invalid, match="has to be before"):
        CheckoutFilter(since=AT, until=AT)


@pytest.fixture(scope="module")
def stripe_account() -> Iterator[LocalStripe]:
    with local_stripe() as stripe:
        yield stripe


@pytest.fixture
async def shop(database: Database, stripe_account: LocalStripe) -> AsyncIterator[Shop]:
    gateway = Gateway(stripe_account.config.api_key, stripe_account.product, stripe_account.url)
    yield Shop(database, gateway, Catalog(gateway), new_id(), frozenset(), automatic_tax=False)
    await gateway.close()


async def test_only_what_was_paid_has_a_receipt(shop: Shop, stripe_account: LocalStripe) -> None:
    tried = stripe_account.ask("POST", "/v1/payment_intents", amount=500, currency="usd")["id"]
    waits = replace(offered("ada", State.CREDITED), payment_intent=tried)
    free = replace(offered("ada", State.CREDITED), payment_intent=None)
    unpaid = replace(offered("ada"), payment_intent=tried)
    await write(shop.database, "ada", [waits, free, unpaid])
    for one, said in ((waits, "not written"), (free, "Nothing"), (unpaid, "Nothing")):
        with pytest.raises(UnknownReceipt, match=said):
            await purchases.receipt_url(shop, "ada", str(one.id))
    stripe_account.ask(
        "POST", f"/v1/payment_intents/{tried}/confirm", payment_method="pm_card_visa"
    )
    assert "/receipts/" in await purchases.receipt_url(shop, "ada", str(waits.id))
    with pytest.raises(UnknownCheckout):
        await purchases.receipt_url(shop, "bob", str(waits.id))
