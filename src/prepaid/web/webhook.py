"""The webhook: where Stripe tells what was paid."""

import asyncio
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from prepaid.core.commands import Told
from prepaid.flows import fulfilment
from prepaid.flows.fulfilment import Delivery
from prepaid.payments.events import Event, Ignored
from prepaid.service import Service
from prepaid.settings import WEBHOOK_ROUTE
from prepaid.web.auth import TheService
from prepaid.web.bodies import LARGEST_EVENT, Json, bounded
from prepaid.web.front import Asked, Later
from prepaid.web.openapi import refusals

router = APIRouter(tags=["webhook"])


@dataclass(slots=True, kw_only=True)
class TakenOut:
    """What became of an event: applied, quarantined or ignored. It won't be sent again."""

    success: bool = True
    message: str
    verdict: str


@router.post(
    WEBHOOK_ROUTE,
    response_model=TakenOut,
    responses=refusals(400, 413, 502, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "parameters": [
            {
                "in": "header",
                "name": "Stripe-Signature",
                "required": True,
                "schema": {"type": "string"},
            }
        ],
    },
)
async def webhook(request: Request, service: TheService) -> Response:
    """Takes a signed event of Stripe's. 200 means that what it says is committed."""
    body = await bounded(request, LARGEST_EVENT)
    delivery = Delivery(body, request.headers.get("stripe-signature", ""))
    event = _read(service, delivery)
    return _answered(await fulfilment.take(service.shop, service.ledger, delivery, event))


def webhook_at_once(asked: Asked) -> Later[Any]:
    """The same as `webhook`, before routes are looked for."""
    signature = asked.headers.get(b"stripe-signature", b"").decode("latin-1")
    service, delivery = asked.service, Delivery(asked.body, signature)
    event = _read(service, delivery)
    if telling := fulfilment.tell(service.shop, service.ledger, delivery, event):
        return Later(telling.told, lambda told: _answered(telling.end(told)))
    taking = fulfilment.take(service.shop, service.ledger, delivery, event)
    return Later(asyncio.create_task(taking, name="webhook"), _answered)


def _read(service: Service, delivery: Delivery) -> Event:
    return fulfilment.read(delivery, service.settings.webhook_secrets, service.clock())


def _answered(told: Told | Ignored) -> Response:
    if isinstance(told, Ignored):
        return Json(TakenOut(message=f"Ignored: {told.why}.", verdict="ignored"))
    message = "Taken before." if told.repeated else "Taken."
    return Json(TakenOut(message=message, verdict=told.verdict))
