"""Buying: prices, checkout sessions, and what the page needs to show Stripe's Checkout."""

from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from prepaid.core.checkouts import Checkout
from prepaid.core.pricing import Package
from prepaid.exact import number
from prepaid.flows import accounts, checkout
from prepaid.flows.customers import Buyer
from prepaid.web.auth import TheService, User
from prepaid.web.bodies import CreditsNumber, ExactRoute, Json
from prepaid.web.openapi import refusals

router = APIRouter(route_class=ExactRoute, tags=["buying"])


CheckoutName = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,255}$")]
"""Our id of a checkout, or Stripe's id of its session."""


class Division(BaseModel):
    """Stripe's package pricing, as its clients read it."""

    divide_by: int
    round: str = "up"


class PriceOut(BaseModel):
    """A package. `amount` (and `unit_amount`, the same) is in the currency's minor unit: cents,
    but whole yen. `name` and `description` are what the operator wrote at the price."""

    id: str
    name: str
    description: str
    amount: int
    unit_amount: int
    currency: str
    credits: CreditsNumber
    transform_quantity: Division
    tax_behavior: str
    default: bool


class PricesOut(BaseModel):
    """The packages, smallest amount first."""

    success: bool = True
    message: str = "OK"
    prices: list[PriceOut]


class SessionIn(BaseModel):
    """What the page asks for. Amounts are never taken from a browser: the price has them."""

    price_id: str = Field(min_length=1, max_length=255)
    return_url: str = Field(min_length=1, max_length=checkout.LONGEST_URL)


class SessionOut(BaseModel):
    """An open checkout: Stripe.js shows it with the client secret."""

    success: bool = True
    message: str = "OK"
    client_secret: str
    session_id: str
    checkout_id: str


class CheckoutTold(BaseModel):
    """A checkout and where it stands.

    `state` is open, processing (a delayed method), paid (Stripe has the money; credits are on
    their way), credited, failed or expired. `amount` is the package's price, `paid_amount` what
    the buyer paid with tax (null until that is known), both in the currency's minor unit.
    """

    id: str
    session_id: str | None
    state: str
    price_id: str
    credits: CreditsNumber
    amount: int
    currency: str
    paid_amount: int | None
    paid_currency: str | None
    created_at: datetime
    expires_at: datetime
    credited_at: datetime | None


class CheckoutOut(CheckoutTold):
    """A checkout."""

    success: bool = True
    message: str = "OK"


class PortalIn(BaseModel):
    """Where to come back to; the portal is a page of ours, so it is not needed."""

    return_url: str = ""


class PortalMetadata(BaseModel):
    """What Stripe.js needs: the publishable key."""

    stripe_key: str


class Portal(BaseModel):
    """Where buying happens, as Datalayer's clients read it."""

    url: str
    route: str
    is_modal: bool = False
    metadata: PortalMetadata


class PortalOut(BaseModel):
    """The portal."""

    success: bool = True
    message: str = "OK"
    portal: Portal


@router.get(
    "/api/iam/stripe/v1/prices",
    response_model=PricesOut,
    responses=refusals(502, 503),
)
async def prices(service: TheService) -> Response:
    """The packages that can be bought now. Anybody may look."""
    packages = await service.shop.catalog.packages()
    return Json(PricesOut(prices=[_price(package, packages[0]) for package in packages]))


@router.post(
    "/api/iam/stripe/v1/checkout/session",
    response_model=SessionOut,
    responses=refusals(400, 401, 403, 404, 409, 413, 422, 502, 503),
)
async def open_session(service: TheService, caller: User, asked: SessionIn) -> Response:
    """Opens a checkout of a package, or gives the open one that is the same."""
    account = await accounts.account(service.database, caller.account_uid)
    profile = account.profile
    buyer = Buyer(
        account_uid=account.uid,
        handle=profile.handle if profile else account.uid,
        email=profile.email if profile else None,
    )
    opened = await checkout.open_checkout(
        service.shop, buyer, asked.price_id, asked.return_url, service.clock()
    )
    return Json(
        SessionOut(
            client_secret=opened.client_secret,
            session_id=str(opened.checkout.session_id),
            checkout_id=str(opened.checkout.id),
        )
    )


@router.get(
    "/api/iam/stripe/v1/checkout/session/{name}",
    response_model=CheckoutOut,
    responses=refusals(401, 403, 404, 422, 502, 503),
)
async def session_state(service: TheService, caller: User, name: CheckoutName) -> Response:
    """Where one of the caller's checkouts stands, by our id or Stripe's."""
    found, state = await checkout.state_of(service.shop, caller.account_uid, name, service.clock())
    return Json(checkout_out(found, state, CheckoutOut))


@router.post(
    "/api/iam/v1/checkout/portal",
    response_model=PortalOut,
    responses=refusals(401, 403, 413, 422, 503),
)
async def portal(service: TheService, caller: User, asked: PortalIn) -> Response:
    """Where to buy, and the publishable key for Stripe.js."""
    del caller, asked
    return Json(
        PortalOut(
            portal=Portal(
                url=f"{service.settings.url}{service.settings.stripe_checkout_route}",
                route=service.settings.stripe_checkout_route,
                metadata=PortalMetadata(stripe_key=service.settings.stripe_js_api_key),
            )
        )
    )


Told = TypeVar("Told", bound=CheckoutTold)


def checkout_out(found: Checkout, state: str, kind: type[Told]) -> Told:
    """A checkout as it is written on the wire."""
    paid = found.paid_total
    return kind(
        id=str(found.id),
        session_id=found.session_id,
        state=state,
        price_id=found.price_id,
        credits=number(found.credits),
        amount=found.price.minor,
        currency=found.price.currency,
        paid_amount=paid.minor if paid else None,
        paid_currency=paid.currency if paid else None,
        created_at=found.created_at,
        expires_at=found.expires_at,
        credited_at=found.credited_at,
    )


def _price(package: Package, first: Package) -> PriceOut:
    return PriceOut(
        id=package.price_id,
        name=package.description,
        description=package.description,
        amount=package.price.minor,
        unit_amount=package.price.minor,
        currency=package.price.currency,
        credits=number(package.credits),
        transform_quantity=Division(divide_by=package.units),
        tax_behavior=package.tax_behavior,
        default=package is first,
    )
