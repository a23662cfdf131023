"""The doctor: looks at the whole set-up, and says for each thing what an operator should do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from prepaid.core import quarantine
from prepaid.core.currencies import spoken
from prepaid.core.errors import LedgerUnavailable, StripeRefused, StripeUnavailable, Unavailable
from prepaid.core.identity import Scope
from prepaid.core.origins import LOOPBACK
from prepaid.core.pricing import NotSold, Price, package_of
from prepaid.flows import keys
from prepaid.payments import events, setup
from prepaid.payments.gateway import Gateway
from prepaid.payments.setup import API_VERSION, Endpoint
from prepaid.storage import guards, inbox, schema
from prepaid.storage.database import Database, exists

LETTERS = 20
"""Quarantined events that are told, the newest first."""

LONGEST_SECONDS = 30
"""How long the doctor looks for who asks over HTTP."""


class Level(StrEnum):
    """How bad it is. A fault stops sales or loses track of one; a note may be as it is meant."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Sign:
    """Something the doctor saw, and the remedy, if it needs one."""

    level: Level
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is to be looked at. The gateway is None where there is no API key to ask with, the
    database where its address can't be read.

    `takes_tokens` says whether users can come in with a token of the platform.
    """

    setting_faults: Sequence[str]
    gateway: Gateway | None
    database: str | None
    webhook_url: str
    return_origins: frozenset[str]
    takes_tokens: bool
    automatic_tax: bool


class Doctor:
    """Examines a patient for whoever asks. Who asks while it does is told the same, and after
    `seconds` it says what it has seen by then: nobody can have Stripe asked without end."""

    def __init__(self, patient: Patient, seconds: float = LONGEST_SECONDS) -> None:
        self._patient = patient
        self._seconds = seconds
        self._examining: asyncio.Task[list[Sign]] | None = None

    async def signs(self) -> list[Sign]:
        """Every sign there is now."""
        if self._examining is None or self._examining.done():
            self._examining = asyncio.create_task(self._examine(), name="doctor")
        return await asyncio.shield(self._examining)

    async def _examine(self) -> list[Sign]:
        signs: list[Sign] = []
        try:
            async with asyncio.timeout(self._seconds):
                async for sign in examine(self._patient):
                    signs.append(sign)  # noqa: PERF401 - what was seen by then is kept
        except TimeoutError:
            what = f"After {self._seconds:g} seconds there was no answer: the rest was not seen."
            signs.append(Sign(Level.FAULT, what, "See whether Stripe answers, and look again."))
        return signs


async def examine(patient: Patient) -> AsyncIterator[Sign]:
    """Every sign there is, good and bad, as it is seen. Nothing is changed anywhere."""
    for sign in _settings(patient):
        yield sign
    if patient.gateway:
        for sign in await _stripe(patient, patient.gateway):
            yield sign
    if patient.database:
        for sign in await _database(patient, patient.database):
            yield sign


def _settings(patient: Patient) -> list[Sign]:
    signs = [Sign(Level.FAULT, fault) for fault in patient.setting_faults]
    if not signs:
        signs.append(Sign(Level.OK, "The settings are complete and fit together."))
    if _livemode(patient) and all(map(_is_loopback, patient.return_origins)):
        what = "Keys are live, and buyers may be sent back to this machine alone."
        remedy = "Set PREPAID_PUBLIC_URL or PREPAID_RETURN_ORIGINS to where your page is."
        signs.append(Sign(Level.NOTE, what, remedy))
    return signs


async def _stripe(patient: Patient, gateway: Gateway) -> list[Sign]:
    signs = []
    if gateway.product_id:
        try:
            prices = await setup.prices(gateway, gateway.product_id)
        except StripeUnavailable as error:
            remedy = "Check DATALAYER_STRIPE_API_KEY, and that this machine reaches Stripe."
            return [Sign(Level.FAULT, str(error), remedy)]
        except StripeRefused as error:
            remedy = "Check DATALAYER_STRIPE_PRODUCT_ID."
            return [Sign(Level.FAULT, str(error), remedy), *await _endpoints(patient, gateway)]
        mode = "live: real money moves" if gateway.livemode else "test mode: no real money moves"
        signs.append(Sign(Level.OK, f"Stripe accepts the API key ({mode})."))
        signs += await _product(gateway) + _prices(patient, gateway, prices)
    return signs + await _endpoints(patient, gateway)


async def _product(gateway: Gateway) -> list[Sign]:
    try:
        product = await setup.product(gateway, gateway.product_id)
    except Unavailable:
        remedy = "Selling doesn't need it: give the key the right to read products, or leave it."
        return [Sign(Level.NOTE, "The API key may not read the product.", remedy)]
    if product is None:
        remedy = "Set DATALAYER_STRIPE_PRODUCT_ID to one of this account and mode."
        return [Sign(Level.FAULT, f"Stripe has no product {gateway.product_id!r}.", remedy)]
    if not product.active:
        remedy = "Activate it at Stripe."
        return [Sign(Level.FAULT, f"The product {product.name!r} is archived.", remedy)]
    return [Sign(Level.OK, f"The product {product.name!r} is active.")]


def _prices(patient: Patient, gateway: Gateway, prices: Sequence[Price]) -> list[Sign]:
    offers = [(price, package_of(price, gateway.product_id)) for price in prices]
    signs = []
    for price, offer in offers:
        if isinstance(offer, NotSold):
            what = f"The price {offer.price_id} is not sold: {offer.why}."
            signs.append(Sign(Level.NOTE, what, "Archive it, if it isn't for something else."))
            continue
        what = f"The price {offer.price_id} sells {offer.credits} credits for {spoken(offer.price)}"
        signs.append(Sign(Level.OK, f"{what} (tax: {price.tax_behavior})."))
        if patient.automatic_tax and price.tax_behavior == "unspecified":
            what = f"Taxes are automatic, and the price {offer.price_id} doesn't say how."
            remedy = "Set its tax behavior, or a default one in Stripe's tax settings."
            signs.append(Sign(Level.NOTE, what, remedy))
    if all(isinstance(offer, NotSold) for _, offer in offers):
        remedy = "Make packages: prepaid stripe setup --package 50=5.00usd --webhook-url ..."
        signs.append(Sign(Level.FAULT, "The product has no package that can be bought.", remedy))
    return signs


async def _endpoints(patient: Patient, gateway: Gateway) -> list[Sign]:
    try:
        found = await setup.endpoints(gateway)
    except Unavailable as error:
        remedy = "Look at the endpoints in Stripe's Dashboard; selling needs no right to read them."
        return [Sign(Level.NOTE, f"The webhook endpoints can't be read: {error}", remedy)]
    ours = [one for one in found if one.url == patient.webhook_url]
    if not ours:
        return [_no_endpoint(patient, found)]
    return [sign for one in ours for sign in _endpoint(one)]


def _no_endpoint(patient: Patient, found: Sequence[Endpoint]) -> Sign:
    others = ", ".join(sorted(one.url for one in found)) or "none"
    what = f"No webhook endpoint is at {patient.webhook_url}; there are: {others}."
    if _is_loopback(patient.webhook_url) and not _livemode(patient):
        forward = f"`stripe listen --all-snapshot --forward-to {patient.webhook_url}`"
        return Sign(Level.NOTE, what, f"Stripe can't reach this machine: run {forward}.")
    remedy = "Set PREPAID_PUBLIC_URL to where Stripe reaches this service, and add the endpoint."
    return Sign(Level.FAULT, what, remedy)


def _endpoint(one: Endpoint) -> list[Sign]:
    signs = [Sign(Level.OK, f"The webhook endpoint {one.id} is at {one.url}.")]
    if not one.enabled:
        what = f"The webhook endpoint {one.id} is disabled: nobody gets credits."
        signs.append(Sign(Level.FAULT, what, "Enable it at Stripe."))
    for type_ in (type_ for type_ in events.TYPES if not one.hears(type_)):
        level = Level.FAULT if type_ == events.COMPLETED else Level.NOTE
        what = f"The webhook endpoint {one.id} doesn't send {type_}."
        signs.append(Sign(level, what, "Add the event to the endpoint."))
    if one.api_version != API_VERSION:
        what = f"The webhook endpoint {one.id} sends events of {one.api_version or 'no version'}."
        remedy = f"They are read all the same; a new endpoint should have {API_VERSION}."
        signs.append(Sign(Level.NOTE, what, remedy))
    return signs


async def _database(patient: Patient, url: str) -> list[Sign]:
    if not exists(url):
        return [Sign(Level.FAULT, "There is no database yet.", "Run `prepaid migrate`.")]
    database = Database(url)
    try:
        return await _schema(patient, database)
    except LedgerUnavailable as error:
        remedy = "Check PREPAID_DATABASE_URL or PREPAID_DATA, and that the database runs."
        return [Sign(Level.FAULT, str(error), remedy)]
    finally:
        await database.close()


async def _schema(patient: Patient, database: Database) -> list[Sign]:
    async with database.reading() as connection:
        at = await schema.revision(connection)
    if at != schema.NEWEST:
        what = f"The database is at migration {at}, and this version needs {schema.NEWEST}."
        remedy = "Run `prepaid migrate`." if schema.is_older(at) else "Install the newer version."
        return [Sign(Level.FAULT, what, remedy)]
    signs = [Sign(Level.OK, f"{database.product} answers, at migration {at}.")]
    for guard in sorted(await guards.missing(database)):
        remedy = "Restore it from migration 0001 before anything is sold, and run `prepaid verify`."
        signs.append(Sign(Level.FAULT, f"The ledger's guard {guard} is gone.", remedy))
    return signs + await _inbox(database) + await _ways_in(patient, database)


async def _inbox(database: Database) -> list[Sign]:
    async with database.reading() as connection:
        letters = await inbox.quarantined(connection, LETTERS)
        last_at = await inbox.last_at(connection)
    if last_at is None:
        remedy = "Buy a package in test mode, or send an event from Stripe's Dashboard."
        return [Sign(Level.NOTE, "No event about a checkout has come yet.", remedy)]
    signs = [Sign(Level.OK, f"The last event came on {last_at:%Y-%m-%d at %H:%M:%S} UTC.")]
    for one in letters:
        what = f"The event {one.event_id} ({one.type}) of {one.session_id} is in quarantine: "
        remedy = quarantine.remedy(one.why)
        signs.append(Sign(Level.NOTE, f"{what}{one.why.rstrip('.')}.", remedy))
    return signs


async def _ways_in(patient: Patient, database: Database) -> list[Sign]:
    if patient.takes_tokens:
        return [Sign(Level.OK, "Users come in with the platform's tokens.")]
    made = await keys.listed(database)
    if any(key.scope is Scope.USER and key.revoked_at is None for key in made):
        return [Sign(Level.OK, "Users come in with API keys.")]
    remedy = "Set DATALAYER_JWT_ISSUER and DATALAYER_JWT_SECRET (or _JWKS_URL), or make user keys."
    return [Sign(Level.NOTE, "There is no way for users to come in.", remedy)]


def _livemode(patient: Patient) -> bool:
    return patient.gateway is not None and patient.gateway.livemode


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK
