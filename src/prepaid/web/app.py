"""The app: routes, refusals and one log line for each request, around a running service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prepaid.clock import Clock
from prepaid.ids import new_id
from prepaid.service import open_service
from prepaid.settings import WEBHOOK_ROUTE, Settings
from prepaid.web import (
    admin,
    charges,
    charts,
    checkouts,
    doctor,
    door,
    entries,
    grants,
    health,
    holdings,
    page,
    people,
    problems,
    purchases,
    reservations,
    stream,
    till,
    totals,
    usage,
    usages,
    webhook,
)
from prepaid.web.bodies import LARGEST_BATCH, LARGEST_BODY, LARGEST_EVENT
from prepaid.web.callers import Identity
from prepaid.web.front import Front, Hot
from prepaid.web.openapi import DocumentedApp
from prepaid.web.reservations import RESERVATIONS
from prepaid.web.tokens import Tokens

HOT = {
    ("POST", charges.CHARGES): Hot(charges.charge_at_once, LARGEST_BATCH),
    ("POST", charges.BATCH): Hot(charges.charges_at_once, LARGEST_BATCH),
    ("POST", f"{RESERVATIONS}/*/heartbeat"): Hot(
        holdings.heartbeat_at_once, LARGEST_BODY, is_json=False
    ),
    ("GET", usage.CREDITS): Hot(usage.balance_at_once, is_json=False),
    ("GET", usage.MISSING_SLASH): Hot(usage.balance_at_once, is_json=False),
    ("POST", WEBHOOK_ROUTE): Hot(webhook.webhook_at_once, LARGEST_EVENT, is_json=False),
}
"""What is asked most."""

log = structlog.get_logger(__name__)


def create_app(
    settings: Settings,
    clock: Clock | None = None,
    *,
    demo_token: str = "",
    demo_operator_token: str = "",
) -> FastAPI:
    """The app of a service with these settings; it starts and stops with the server.

    Its page hands `demo_token` and `demo_operator_token`, if there is a demo, to anybody at this
    machine.
    """

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[dict[str, Callable[[], None]]]:
        async with open_service(settings, clock) as service:
            tokens = Tokens(settings)
            identity = Identity(service.database, service.key_finder, tokens, service.clock)
            app.state.service, app.state.identity = service, identity
            app.front.open(service, identity)
            app.state.surgery = doctor.Surgery(settings, service.shop.gateway)
            yield {"end_streams": service.changes.stop}  # for the server: cli/servers.py

    app = App(
        title="prepaid",
        summary="Prepaid credits, sold through Stripe.",
        version="0.1.0",
        lifespan=lifespan,
        openapi_url="/api/iam/v1/openapi.json",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
    )
    for router in (
        *(health, purchases, checkouts, webhook, usage, usages, entries, charts),
        *(charges, reservations, holdings, stream, people, admin, grants),
        *(till, totals, doctor),
    ):
        app.include_router(router.router)
    app.streamed = stream.MODELS
    problems.install(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=sorted(settings.origins),
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[
            *("Authorization", "Cache-Control", "Content-Type", "Idempotency-Key"),
            *("Last-Event-ID", "Pragma", "X-External-Token"),
        ],
        expose_headers=["Content-Disposition"],
    )
    app.add_middleware(RequestLog)
    if demo_token:
        app.include_router(door.router(demo_token, demo_operator_token))
    app.include_router(page.router(settings, demo=bool(demo_token)))
    return app


class App(DocumentedApp):
    """The app, with a front, which a server may ask before it asks the app."""

    def __init__(self, **told: Any) -> None:  # what FastAPI takes
        super().__init__(**told)
        self.front = Front(HOT)


class RequestLog:
    """One line for each request, with an id that the answer carries too.

    Nothing of the query or the headers is logged: they can hold secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, and writes down how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began, status = str(new_id()), perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])  # not the enum, which logs write otherwise
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, noting)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round((perf_counter() - began) * 1000, 1),
            )
            structlog.contextvars.unbind_contextvars("request_id")
