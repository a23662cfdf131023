"""Problems: each refusal as an RFC 9457 problem document that Datalayer's clients read too."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prepaid.core import errors
from prepaid.core.errors import InsufficientCredits, Refusal
from prepaid.settings import Settings
from prepaid.web.bodies import CreditsNumber, Json

STATUS: dict[type[Refusal], HTTPStatus] = {
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Invalid: HTTPStatus.BAD_REQUEST,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.Unknown: HTTPStatus.NOT_FOUND,
    errors.InsufficientCredits: HTTPStatus.PAYMENT_REQUIRED,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.StripeRefused: HTTPStatus.BAD_GATEWAY,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What the web answers to each branch of the tree: the nearest ancestor decides."""

RETRY_AFTER_SECONDS = 2

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Problem:
    """A refusal. `code` and `error_code` are the same, for programs; `detail` and `message` are,
    for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    success: bool = False
    message: str
    errors: list[str]
    error_code: str
    exception: None = None


class ProblemJson(Json):
    """A problem document."""

    media_type = MEDIA_TYPE


@dataclass(slots=True, kw_only=True)
class Insufficient(Problem):
    """What was asked for, what there is, and where to buy more."""

    reason: str = InsufficientCredits.code
    asked: CreditsNumber
    available: CreditsNumber
    buy_url: str


def install(app: FastAPI) -> None:
    """Answers every refusal and fault of the app with a problem document."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(_Faults)


class _Faults:
    """Answers where the fault is ours, with the headers that all answers have: Starlette's own
    place for that is outside everything that adds them. What has begun to be answered can only be
    broken off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise
            await fault(scope["path"], error)(scope, receive, send)


def status_of(refusal: Refusal) -> HTTPStatus:
    """The HTTP status of a refusal."""
    return next(STATUS[branch] for branch in type(refusal).__mro__ if branch in STATUS)


def problem_of(refusal: Refusal, settings: Settings) -> Problem:
    """The problem document of a refusal."""
    told = _told(status_of(refusal), refusal.code, refusal.title, str(refusal))
    if isinstance(refusal, InsufficientCredits):
        return Insufficient(
            **told,
            asked=Decimal(refusal.asked),
            available=Decimal(refusal.available),
            buy_url=settings.url + settings.stripe_checkout_route,
        )
    return Problem(**told)


def refused(refusal: Refusal, settings: Settings) -> Response:
    """The answer to what is refused."""
    status = status_of(refusal)
    headers = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return ProblemJson(problem_of(refusal, settings), status, headers)


def fault(path: str, error: Exception) -> Response:
    """The answer where the fault is ours; the operator's log has it."""
    log.error("request_failed", path=path, exc_info=error)
    return _answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "Internal error",
        "Something went wrong here, not with you; the operator's log has the details.",
    )


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return refused(refusal, request.app.state.service.settings)


async def _unreadable(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return _answer(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
        "Invalid request",
        "; ".join(found),
        found,
    )


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.phrase.lower().replace(" ", "_")
    return _answer(status, code, status.phrase, error.detail, headers=error.headers or {})


def _answer(  # noqa: PLR0913, PLR0917 - a problem document has this much
    status: HTTPStatus,
    code: str,
    title: str,
    detail: str,
    found: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    problem = Problem(**_told(status, code, title, detail, found))
    return ProblemJson(problem, status, headers)


def _told(
    status: HTTPStatus, code: str, title: str, detail: str, found: list[str] | None = None
) -> dict[str, Any]:  # pydantic checks each field
    return {
        "type": f"urn:prepaid:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "message": detail,
        "errors": found or [detail],
        "error_code": code,
    }
