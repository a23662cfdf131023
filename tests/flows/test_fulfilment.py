"""A signed delivery raises the balance once, and nothing else does."""

import asyncio
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from prepaid.core.amounts import Credits
from prepaid.core.checkouts import Checkout, State
from prepaid.core.commands import Told, Verdict
from prepaid.flows import history
from prepaid.payments import events
from prepaid.payments.events import Ignored
from prepaid.storage import inbox
from signed import EXPIRED, PAID, UNPAID, Event

if TYPE_CHECKING:
    from flows.conftest import Counter


def told(counter: "Counter", checkout: Checkout, **fields: object) -> Event:
    about: dict[str, object] = {
        "id": "evt_1",
        "type": events.COMPLETED,
        "checkout": checkout,
        "deployment": counter.shop.deployment,
    }
    return Event(**(about | fields))  # type: ignore[arg-type]  # the tests name the fields


async def test_a_paid_session_raises_the_balance(counter: "Counter") -> None:
    checkout = await counter.offer()
    assert isinstance(await counter.take(told(counter, checkout)), Told)
    assert await counter.balance() == Credits.of(50)
    assert await counter.state(checkout) is State.CREDITED


async def test_a_session_we_never_heard_the_name_of_is_known_by_our_id(counter: "Counter") -> None:
    """The service died between Stripe's answer and writing down the session's id."""
    checkout = await counter.offer()
    event = told(counter, checkout, changed={"id": "cs_test_unheard"})
    async with counter.shop.database.writing() as connection:
        await connection.exec_driver_sql("UPDATE checkouts SET session_id = NULL")
    await counter.take(event)
    assert await counter.balance() == Credits.of(50)


async def test_two_hundred_deliveries_of_one_event_at_once_grant_once(counter: "Counter") -> None:
    checkout = await counter.offer()
    event = told(counter, checkout)
    taken = await asyncio.gather(*(counter.take(event) for _ in range(200)))
    assert sum(isinstance(one, Told) and one.entry is not None for one in taken) == 1
    assert await counter.balance() == Credits.of(50)


async def test_a_delayed_payment_is_granted_when_it_has_come(counter: "Counter") -> None:
    checkout = await counter.offer()
    await counter.take(told(counter, checkout, state=UNPAID))
    assert await counter.balance() == Credits(0)
    assert await counter.state(checkout) is State.PROCESSING
    await counter.take(told(counter, checkout, id="evt_2", type=events.ASYNC_SUCCEEDED))
    assert await counter.balance() == Credits.of(50)


@pytest.mark.parametrize(
    ("type_", "state", "ends"),
    [
        (events.ASYNC_FAILED, UNPAID, State.FAILED),
        (events.EXPIRED, EXPIRED, State.EXPIRED),
    ],
)
async def test_a_checkout_that_comes_to_nothing_is_closed(
    counter: "Counter", type_: str, state: tuple[str, str], ends: State
) -> None:
    checkout = await counter.offer()
    await counter.take(told(counter, checkout, type=type_, state=state))
    assert await counter.state(checkout) is ends
    assert await counter.balance() == Credits(0)


async def test_another_deployments_session_is_ignored_and_not_kept(counter: "Counter") -> None:
    checkout = await counter.offer()
    event = told(counter, checkout, deployment=uuid4(), changed={"id": "cs_test_theirs"})
    assert isinstance(await counter.take(event), Ignored)
    async with counter.shop.database.reading() as connection:
        assert await inbox.last_at(connection) is None


async def test_a_session_of_ours_that_lost_its_metadata_is_quarantined(counter: "Counter") -> None:
    checkout = await counter.offer()
    taken = await counter.take(told(counter, checkout, changed={"metadata": {}}))
    assert isinstance(taken, Told)
    assert taken.verdict is Verdict.QUARANTINED
    assert await counter.balance() == Credits(0)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_subtotal": 5},
        {"currency": "jpy"},
        {"customer": "cus_eve"},
        {"customer": None},
        {"mode": "subscription"},
        {"payment_status": "no_payment_required"},
    ],
)
async def test_what_is_signed_and_does_not_fit_is_quarantined(
    counter: "Counter", changed: dict[str, object]
) -> None:
    checkout = await counter.offer()
    taken = await counter.take(told(counter, checkout, changed=changed))
    assert isinstance(taken, Told)
    assert taken.verdict is Verdict.QUARANTINED
    assert await counter.balance() == Credits(0)
    async with counter.shop.database.reading() as connection:
        (letter,) = await inbox.quarantined(connection, 10)
    assert (letter.event_id, letter.why) == ("evt_1", taken.why)


async def test_a_quarantined_event_that_is_sent_again_and_fits_is_applied(
    counter: "Counter",
) -> None:
    checkout = await counter.offer()
    await counter.take(told(counter, checkout, changed={"amount_subtotal": 5}))
    await counter.take(told(counter, checkout))
    assert await counter.balance() == Credits.of(50)
    async with counter.shop.database.reading() as connection:
        assert await inbox.quarantined(connection, 10) == []


async def test_an_event_of_live_money_does_not_fit_a_test_checkout(counter: "Counter") -> None:
    checkout = await counter.offer()
    taken = await counter.take(told(counter, checkout, livemode=True))
    assert isinstance(taken, Told)
    assert "livemode" in taken.why


async def test_events_about_other_things_are_ignored(counter: "Counter") -> None:
    checkout = await counter.offer()
    assert isinstance(await counter.take(told(counter, checkout, type="charge.refunded")), Ignored)


async def test_the_books_say_what_was_bought(counter: "Counter") -> None:
    checkout = await counter.offer()
    await counter.take(told(counter, checkout, state=PAID))
    (entry,) = (await history.page(counter.shop.database, "ada")).entries
    assert (entry.reason, entry.actor, entry.source) == (
        "50 credits bought",
        "stripe",
        checkout.session_id,
    )
