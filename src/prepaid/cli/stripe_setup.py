"""`prepaid stripe setup`: what there should be at Stripe, parsed, made and told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType

from prepaid.cli.reports import Report, table
from prepaid.core.amounts import MICRO, MOST_MICRO
from prepaid.core.currencies import money
from prepaid.core.errors import Invalid
from prepaid.core.pricing import TaxBehavior
from prepaid.flows import setup
from prepaid.flows.setup import SetUp, Thing, Wanted
from prepaid.payments.setup import Offer
from prepaid.service import open_gateway
from prepaid.settings import Settings, SettingsFault, faults_of, read_unchecked

NEEDED = ("DATALAYER_STRIPE_API_KEY", "PREPAID_STRIPE_API_BASE")
"""The settings that count here: the others come out of it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was written on the command line."""

    packages: Sequence[str]
    currency: str
    webhook_url: str | None
    product_name: str
    tax_behavior: TaxBehavior


@dataclass(frozen=True, slots=True)
class SetUpOut:
    """What there is at Stripe now, and the settings that follow. A null is for the operator to
    fill in: Stripe tells a webhook's secret once, and the publishable key in its Dashboard."""

    things: list[Thing]
    settings: dict[str, str | None]


async def set_up(asked: Asked) -> Report:
    """Stripe, set up."""
    settings = _settings()
    wanted = Wanted(
        product_id=settings.stripe_product_id,
        product_name=asked.product_name,
        offers=[offer(one, asked.currency, asked.tax_behavior) for one in asked.packages],
        webhook_url=asked.webhook_url,
    )
    gateway = open_gateway(settings)
    try:
        return _report(settings, await setup.set_up(gateway, wanted), heard=bool(asked.webhook_url))
    finally:
        await gateway.close()


def offer(written: str, currency: str, tax_behavior: TaxBehavior) -> Offer:
    """The package that `50=5.00usd` stands for: 50 credits for five dollars.

    Raises:
        Invalid: it is not written so, or can't be sold.
    """
    parts = re.fullmatch(r"([0-9]{1,12})=([0-9.]+)([A-Za-z]*)", written)
    if parts is None:
        raise Invalid(f"{written!r} is not a package: write credits=amount, as in 50=5.00usd.")
    count, amount = int(parts[1]), money(parts[2], parts[3] or currency)
    if not 0 < count <= MOST_MICRO // MICRO:
        raise Invalid(f"A package has 1 to {MOST_MICRO // MICRO} credits, not {count}.")
    return Offer(count, amount, tax_behavior)


def _settings() -> Settings:
    settings = read_unchecked()
    if faults := [fault for fault in faults_of(settings) if fault.startswith(NEEDED)]:
        raise SettingsFault(*faults)
    return settings


def _report(settings: Settings, done: SetUp, *, heard: bool) -> Report:
    known = {
        "DATALAYER_STRIPE_PRODUCT_ID": done.product_id,
        "DATALAYER_STRIPE_WEBHOOK_SECRET": done.webhook_secret,
        "DATALAYER_STRIPE_JS_API_KEY": settings.stripe_js_api_key or None,
        "DATALAYER_STRIPE_API_KEY": None,
    }
    rows = [("made" if one.made else "found", one.what, one.id, one.note) for one in done.things]
    lines = [f"{name}={value or _hint(name, heard=heard)}" for name, value in known.items()]
    made = table("", "what", "id", "note", rows=rows)
    people: list[RenderableType] = [made, "", "Set these:", *lines]
    return Report(SetUpOut(done.things, known), people)


def _hint(name: str, *, heard: bool) -> str:
    existed = "  # the endpoint existed: reveal it in the Dashboard"
    return {
        "DATALAYER_STRIPE_WEBHOOK_SECRET": existed if heard else "  # as `stripe listen` tells it",
        "DATALAYER_STRIPE_JS_API_KEY": "  # the publishable key, pk_..., from the Dashboard",
        "DATALAYER_STRIPE_API_KEY": "  # the key that you used now",
    }[name]
