import asyncio
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from local_stripe import LocalStripe, local_stripe
from prepaid.core.checkouts import News
from prepaid.core.commands import Tell
from prepaid.core.identity import Scope
from prepaid.flows import accounts, keys
from prepaid.flows.doctor import Doctor, Level, Patient, Sign, examine
from prepaid.payments.gateway import Gateway
from prepaid.payments.sessions import StripeSession, claim_of
from prepaid.payments.setup import API_VERSION, make_endpoint
from prepaid.storage import schema
from prepaid.storage.database import Database
from prepaid.storage.writer import Ledger

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
URL = "https://credits.example.com/api/iam/stripe/v1/webhook"
LOCAL = "http://127.0.0.1:9700/api/iam/stripe/v1/webhook"


class Signs:
    """What the doctor said."""

    def __init__(self, signs: list[Sign]) -> None:
        self.signs = signs

    def of(self, level: Level) -> list[str]:
        return [sign.what for sign in self.signs if sign.level is level]


async def seen(patient: Patient) -> Signs:
    return Signs([sign async for sign in examine(patient)])


@pytest.fixture(scope="module")
def stripe_process() -> Iterator[LocalStripe]:
    with local_stripe() as running:
        yield running


@pytest.fixture
def stripe(stripe_process: LocalStripe) -> LocalStripe:
    """A Stripe with one product and nothing else."""
    stripe_process.control("reset")
    product = stripe_process.ask("POST", "/v1/products", name="Credits")
    stripe_process.product = product["id"]
    return stripe_process


@pytest.fixture
async def patient(stripe: LocalStripe, migrated_sqlite: Path) -> AsyncIterator[Patient]:
    """A set-up of which only the database is looked at as it is; the rest lacks something."""
    gateway = Gateway(stripe.config.api_key, stripe.product, stripe.url)
    yield Patient(
        setting_faults=[],
        gateway=gateway,
        database=f"sqlite+aiosqlite:///{migrated_sqlite}",
        webhook_url=URL,
        return_origins=frozenset(),
        takes_tokens=True,
        automatic_tax=False,
    )
    await gateway.close()


@pytest.fixture
def bare(database_url: str) -> Patient:
    """A set-up without Stripe, on both databases."""
    return Patient(
        setting_faults=[],
        gateway=None,
        database=database_url,
        webhook_url=URL,
        return_origins=frozenset(),
        takes_tokens=True,
        automatic_tax=False,
    )


async def test_a_whole_set_up_has_no_fault(stripe: LocalStripe, patient: Patient) -> None:
    price = stripe.package(50, 500)
    assert patient.gateway
    endpoint = await make_endpoint(patient.gateway, URL)
    signs = await seen(patient)
    assert signs.of(Level.FAULT) == []
    assert signs.of(Level.OK) == [
        "The settings are complete and fit together.",
        "Stripe accepts the API key (test mode: no real money moves).",
        "The product 'Credits' is active.",
        f"The price {price} sells 50 credits for 5.00 usd (tax: unspecified).",
        f"The webhook endpoint {endpoint.id} is at {URL}.",
        f"SQLite {sqlite3.sqlite_version} answers, at migration {schema.NEWEST}.",
        "Users come in with the platform's tokens.",
    ]
    assert signs.of(Level.NOTE) == ["No event about a checkout has come yet."]


async def test_the_database_is_told_with_its_version(bare: Patient) -> None:
    signs = await seen(bare)
    told = rf"(SQLite|PostgreSQL) [1-9]\d*(\.\d+)+ answers, at migration {schema.NEWEST}\."
    assert any(re.fullmatch(told, sign) for sign in signs.of(Level.OK))


async def test_every_fault_of_the_settings_is_told(bare: Patient) -> None:
    signs = await seen(replace(bare, setting_faults=["one.", "two."], database=None))
    assert signs.of(Level.FAULT) == ["one.", "two."]


async def test_a_live_key_with_pages_on_this_machine_alone_is_noted(patient: Patient) -> None:
    live = Gateway("sk_live_none", "", "http://127.0.0.1:1")
    origins = frozenset(("http://127.0.0.1:9700", "http://localhost:8888"))
    noted = "Keys are live, and buyers may be sent back to this machine alone."
    signs = await seen(replace(patient, gateway=live, return_origins=origins))
    assert noted in signs.of(Level.NOTE)
    signs = await seen(
        replace(patient, gateway=live, return_origins=origins | {"https://example.com"})
    )
    assert noted not in signs.of(Level.NOTE)
    await live.close()


async def test_a_key_that_stripe_does_not_accept_is_a_fault(
    stripe: LocalStripe, patient: Patient
) -> None:
    wrong = Gateway("sk_test_wrong_key_000", stripe.product, stripe.url)
    (fault,) = (await seen(replace(patient, gateway=wrong))).of(Level.FAULT)
    assert fault.startswith("Stripe does not accept this service's API key")
    await wrong.close()


async def test_what_stripe_refuses_is_a_fault(stripe: LocalStripe, patient: Patient) -> None:
    stripe.fault("lock_timeout", path="/v1/prices", status=400, retry=False, count=9)
    signs = await seen(patient)
    assert any(one.startswith("Stripe refused: ") for one in signs.of(Level.FAULT))
    assert any(one.remedy == "Check DATALAYER_STRIPE_PRODUCT_ID." for one in signs.signs)
    stripe.well()


async def test_a_product_that_does_not_exist_is_a_fault(
    stripe: LocalStripe, patient: Patient
) -> None:
    gone = Gateway(stripe.config.api_key, "prod_gone", stripe.url)
    assert "Stripe has no product 'prod_gone'." in (await seen(replace(patient, gateway=gone))).of(
        Level.FAULT
    )
    await gone.close()


async def test_an_archived_product_is_a_fault(stripe: LocalStripe, patient: Patient) -> None:
    stripe.ask("POST", f"/v1/products/{stripe.product}", active="false")
    assert "The product 'Credits' is archived." in (await seen(patient)).of(Level.FAULT)


async def test_a_key_that_may_not_read_products_is_noted(
    stripe: LocalStripe, patient: Patient
) -> None:
    stripe.fault("server_error", path="/v1/products/*", count=9)
    assert "The API key may not read the product." in (await seen(patient)).of(Level.NOTE)
    stripe.well()


async def test_a_product_without_a_package_is_a_fault_and_each_price_says_why(
    stripe: LocalStripe, patient: Patient
) -> None:
    nothing = {"transform_quantity[divide_by]": None, "transform_quantity[round]": None}
    single = stripe.package(50, 500, **nothing)
    monthly = stripe.package(50, 500, **{"recurring[interval]": "month"})
    signs = await seen(patient)
    assert "The product has no package that can be bought." in signs.of(Level.FAULT)
    recurring = "it is recurring: a package is a one-off price"
    bare_price = "it has no package pricing: set transform_quantity[divide_by] to the number of"
    assert {
        f"The price {monthly} is not sold: {recurring}.",
        f"The price {single} is not sold: {bare_price} credits.",
    } <= {*signs.of(Level.NOTE)}


@pytest.mark.parametrize(("behavior", "noted"), [("unspecified", True), ("exclusive", False)])
async def test_a_price_that_leaves_taxes_open_is_noted_when_they_are_automatic(
    stripe: LocalStripe, patient: Patient, behavior: str, *, noted: bool
) -> None:
    price = stripe.package(tax_behavior=behavior)
    what = f"Taxes are automatic, and the price {price} doesn't say how."
    assert (what in (await seen(replace(patient, automatic_tax=True))).of(Level.NOTE)) is noted


async def test_a_webhook_that_stripe_does_not_know_is_a_fault(
    stripe: LocalStripe, patient: Patient
) -> None:
    endpoint(stripe, "https://other.example.com/hook")
    faults = (await seen(patient)).of(Level.FAULT)
    what = f"No webhook endpoint is at {URL}; there are: https://other.example.com/hook."
    assert what in faults


async def test_a_webhook_on_this_machine_needs_the_forwarder(patient: Patient) -> None:
    signs = await seen(replace(patient, webhook_url=LOCAL))
    assert f"No webhook endpoint is at {LOCAL}; there are: none." in signs.of(Level.NOTE)
    forward = f"`stripe listen --all-snapshot --forward-to {LOCAL}`"
    assert any(forward in one.remedy for one in signs.signs)


async def test_a_disabled_endpoint_without_the_indispensable_event_is_a_fault(
    stripe: LocalStripe, patient: Patient
) -> None:
    ours = endpoint(stripe, URL, "checkout.session.expired")
    stripe.ask("POST", f"/v1/webhook_endpoints/{ours}", disabled="true")
    signs = await seen(patient)
    assert {
        f"The webhook endpoint {ours} is disabled: nobody gets credits.",
        f"The webhook endpoint {ours} doesn't send checkout.session.completed.",
    } <= {*signs.of(Level.FAULT)}
    assert {
        f"The webhook endpoint {ours} doesn't send checkout.session.async_payment_failed.",
        f"The webhook endpoint {ours} sends events of no version.",
    } <= {*signs.of(Level.NOTE)}
    assert any(API_VERSION in one.remedy for one in signs.signs)


async def test_an_endpoint_for_all_events_is_enough(stripe: LocalStripe, patient: Patient) -> None:
    endpoint(stripe, URL, "*")
    assert not any("doesn't send" in one.what for one in (await seen(patient)).signs)


async def test_endpoints_that_the_key_may_not_read_are_noted(
    stripe: LocalStripe, patient: Patient
) -> None:
    stripe.fault("server_error", path="/v1/webhook_endpoints", count=9)
    signs = await seen(patient)
    assert any(
        one.startswith("The webhook endpoints can't be read") for one in signs.of(Level.NOTE)
    )
    stripe.well()


async def test_no_database_yet_is_a_fault(bare: Patient, tmp_path: Path) -> None:
    signs = await seen(replace(bare, database=f"sqlite+aiosqlite:///{tmp_path}/none.db"))
    assert signs.of(Level.FAULT) == ["There is no database yet."]


async def test_an_empty_database_is_a_fault(bare: Patient, empty_database_url: str) -> None:
    empty = replace(bare, database=empty_database_url)
    async with opened(empty) as database:
        await database.answers()
    faults = (await seen(empty)).of(Level.FAULT)
    needed = f"this version needs {schema.NEWEST}"
    assert faults == [f"The database is at migration None, and {needed}."]


async def test_a_database_that_is_away_is_a_fault(bare: Patient) -> None:
    away = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
    faults = (await seen(replace(bare, database=away))).of(Level.FAULT)
    assert faults == ["The database does not answer; try again."]


async def test_a_missing_guard_is_a_fault(bare: Patient) -> None:
    async with opened(bare) as database, database.writing() as connection:
        on = "" if database.sqlite else " ON entries"
        await connection.execute(text(f"DROP TRIGGER entries_refuse_update{on}"))
    faults = (await seen(bare)).of(Level.FAULT)
    assert faults == ["The ledger's guard entries_refuse_update is gone."]


async def test_a_letter_in_quarantine_is_told_with_its_reason(bare: Patient) -> None:
    async with opened(bare) as database, Ledger(database, lambda: AT).open() as ledger:
        await ledger.tell(STRANGE)
    signs = await seen(bare)
    assert "The last event came on 2026-11-23 at 12:30:00 UTC." in signs.of(Level.OK)
    why = "no checkout of this service has the id it names"
    letter = "The event evt_1 (checkout.session.completed) of cs_1 is in quarantine"
    assert signs.of(Level.NOTE) == [f"{letter}: {why}."]


async def test_users_need_a_way_in(bare: Patient) -> None:
    closed = replace(bare, takes_tokens=False)
    nowhere = "There is no way for users to come in."
    assert nowhere in (await seen(closed)).of(Level.NOTE)
    async with opened(bare) as database:
        await accounts.create(database, "ada", AT)
        made = await keys.make(database, "laptop", Scope.USER, "ada", AT)
        assert "Users come in with API keys." in (await seen(closed)).of(Level.OK)
        await keys.revoke(database, made.key.id, AT)
    assert nowhere in (await seen(closed)).of(Level.NOTE)


def endpoint(stripe: LocalStripe, url: str, event: str = "checkout.session.completed") -> str:
    made = stripe.ask("POST", "/v1/webhook_endpoints", url=url, **{"enabled_events[0]": event})
    return str(made["id"])


@asynccontextmanager
async def opened(patient: Patient) -> AsyncIterator[Database]:
    database = Database(patient.database or "")
    yield database
    await database.close()


SESSION = StripeSession(id="cs_1", livemode=False, mode="payment", payment_status="paid")
STRANGE = Tell(
    event_id="evt_1",
    type="checkout.session.completed",
    news=News.PAID,
    claim=claim_of(SESSION),
    payload="{}",
)


async def test_who_asks_while_the_doctor_looks_is_told_the_same(bare: Patient) -> None:
    doctor = Doctor(bare)
    first, second = await asyncio.gather(doctor.signs(), doctor.signs())
    assert first is second
    assert first == (await seen(bare)).signs
    assert await doctor.signs() is not first


async def test_the_doctor_does_not_look_for_ever(bare: Patient) -> None:
    """Stripe takes the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        gateway = Gateway("sk_test_1", "prod_1", f"http://127.0.0.1:{port}")
        signs = await Doctor(replace(bare, gateway=gateway), seconds=0.3).signs()
    assert [sign.level for sign in signs] == [Level.OK, Level.FAULT]
    assert signs[1].what == "After 0.3 seconds there was no answer: the rest was not seen."
    await gateway.close()
