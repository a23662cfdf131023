"""What operators see of the till: checkouts by state and account, and events by verdict, in pages;
and what all of it comes to."""

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from prepaid.core.amounts import MOST_MICRO, NOTHING, Credits, Money
from prepaid.core.checkouts import State
from prepaid.core.commands import Charge, Give, Reverse, Verdict
from prepaid.core.entries import Kind
from prepaid.core.errors import UnknownEvent
from prepaid.core.grants import Grant
from prepaid.core.totals import Given
from prepaid.flows import grants, till, totals
from prepaid.ids import new_id
from prepaid.payments import events
from prepaid.storage import grants as storage
from prepaid.storage.inbox import Place
from samples import AT
from signed import EXPIRED, Event

if TYPE_CHECKING:
    from flows.conftest import Counter
    from prepaid.core.checkouts import Checkout


async def tell(counter: "Counter", offer: "Checkout", id_: str, **more: object) -> None:
    """Stripe says that a checkout was paid, or something else of it."""
    usual: dict[str, object] = {"type": events.COMPLETED}
    made = {**usual, **more}
    await counter.take(Event(id=id_, checkout=offer, deployment=counter.shop.deployment, **made))  # type: ignore[arg-type] # as the test says


async def test_checkouts_are_found_by_account_and_state_the_newest_first(
    counter: "Counter",
) -> None:
    first, second = await counter.offer("ada"), await counter.offer("ada")
    third = await counter.offer("bob")
    await tell(counter, first, "evt_1")
    database = counter.shop.database

    async def ids(**wanted: object) -> list[UUID]:
        found = await till.offers(database, **wanted)  # type: ignore[arg-type] # as the test says
        return [one.id for one in found]

    assert await ids() == [third.id, second.id, first.id]
    assert await ids(account_uid="ada") == [second.id, first.id]
    assert await ids(state=State.OPEN) == [third.id, second.id]
    assert await ids(account_uid="ada", state=State.CREDITED) == [first.id]
    assert await ids(account_uid="zoe") == []
    assert await ids(limit=1) == [third.id]
    assert await ids(before=third.id, limit=1) == [second.id]
    assert await ids(before=third.id, state=State.CREDITED) == [first.id]


async def test_a_checkout_is_found_by_its_session(counter: "Counter") -> None:
    offer = await counter.offer()
    assert await till.offer(counter.shop.database, str(offer.session_id)) == [offer]
    assert await till.offer(counter.shop.database, "cs_test_none") == []


async def test_events_come_newest_first_and_each_once(counter: "Counter") -> None:
    """All of one instant, as in this test, are told apart by their ids."""
    paid, strange, late = [await counter.offer() for _ in range(3)]
    await tell(counter, paid, "evt_b")
    await tell(counter, strange, "evt_a", changed={"amount_subtotal": 1})
    await tell(counter, late, "evt_c", type=events.EXPIRED, state=EXPIRED)
    database = counter.shop.database
    everything = await till.letters(database)
    assert [one.event_id for one in everything] == ["evt_c", "evt_b", "evt_a"]
    seen: list[str] = []
    before: Place | None = None
    while found := await till.letters(database, before, limit=1):
        seen += [one.event_id for one in found]
        before = found[-1].place
    assert seen == ["evt_c", "evt_b", "evt_a"]
    (aside,) = await till.letters(database, verdict=Verdict.QUARANTINED)
    assert (aside.event_id, aside.account_uid, aside.session_id) == (
        *("evt_a", "ada", strange.session_id),
    )
    assert "amount is 1, the checkout has 500" in aside.why
    assert await till.letters(database, aside.place, verdict=Verdict.QUARANTINED) == []


async def test_an_event_is_shown_as_it_came(counter: "Counter") -> None:
    await tell(counter, await counter.offer(), "evt_1")
    found, payload = await till.letter(counter.shop.database, "evt_1")
    assert found.verdict is Verdict.APPLIED
    assert '"id": "evt_1"' in payload
    with pytest.raises(UnknownEvent):
        await till.letter(counter.shop.database, "evt_2")


async def test_what_came_in_and_went_out_is_added_up_exactly(counter: "Counter") -> None:
    database, ledger = counter.shop.database, counter.ledger
    empty = await totals.of_all(database)
    assert (empty.sold, empty.outstanding, empty.spent) == ((), NOTHING, NOTHING)
    for number, uid in enumerate(("ada", "bob")):
        await tell(counter, await counter.offer(uid), f"evt_{number}")
    await counter.offer("ada")  # nobody pays for it
    welcome, whole = new_id(), Credits.read("10.000001")
    words = ("welcome", "operator")
    await ledger.post(Give(welcome, "ada", "welcome", whole, Kind.PROMOTION, *words))
    charge = Credits.read("0.000002")
    await ledger.post(Charge(new_id(), "ada", uuid4().hex, charge, "a job", "", "ada"))
    back = Reverse(new_id(), "ada", "back", welcome, Credits.of(4), *words)
    await grants.reverse(ledger, back)
    found = await totals.of_all(database)
    (sold,) = found.sold
    assert (sold.checkouts, sold.credits, sold.livemode) == (2, Credits.of(100), False)
    assert (sold.price, sold.paid) == (Money(1_000, "usd"), Money(1_000, "usd"))
    assert found.given == (
        Given(Kind.PURCHASE, 2, Credits.of(100), Credits.of(100)),
        Given(Kind.PROMOTION, 1, whole, whole - charge - Credits.of(4)),
        Given(Kind.ADJUSTMENT, 0, NOTHING, NOTHING),
    )
    assert (found.spent, found.reversed, found.expired) == (charge, Credits.of(4), NOTHING)
    assert found.outstanding == await counter.balance("ada") + await counter.balance("bob")


async def test_more_than_64_bits_of_microcredits_are_added_up(counter: "Counter") -> None:
    """As ten thousand accounts that are full would have them."""
    database = counter.shop.database
    await counter.offer()
    full = Credits(MOST_MICRO)
    one = Grant("ada", UUID(int=0), Kind.PROMOTION, 10, full, full, None, None, AT)
    async with database.writing() as connection:
        await storage.add(connection, [replace(one, id=UUID(int=n)) for n in range(10_000)])
    found = await totals.of_all(database)
    assert found.outstanding == Credits(10_000 * MOST_MICRO)
    assert found.spent == NOTHING
