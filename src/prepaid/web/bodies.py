"""Bodies in and out: bounded, and with numbers that never pass through a float."""

import json
import re
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    StringConstraints,
    WithJsonSchema,
)
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from prepaid.core.errors import TooLarge
from prepaid.exact import ExactNumber, encode

LARGEST_BODY = 64 * 1024
"""Bytes of a request, but for a webhook's."""

LARGEST_BATCH = 1024 * 1024
"""Bytes of a request with a thousand charges."""

LARGEST_EVENT = 1024 * 1024
"""Bytes of a webhook delivery; Stripe's events have a few thousand."""

DECIMAL = r"^-?[0-9]{1,20}([.][0-9]{1,20})?$"
"""Credits as text."""


def _exactly(written: object) -> object:
    """Python reads more as a number than anybody means: true, " 1_0", other scripts' digits."""
    if isinstance(written, str) and not re.fullmatch(DECIMAL, written):
        raise ValueError("it is not a decimal number such as 12.5")
    if isinstance(written, bool) or not isinstance(written, int | Decimal | str):
        raise ValueError("it is not a number")  # noqa: TRY004 - what pydantic takes for a refusal
    return written


CreditsNumber = Annotated[
    ExactNumber,
    BeforeValidator(_exactly),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "pattern": DECIMAL}],
            "description": "At most six decimals, exact.",
        },
        mode="validation",
    ),
]
"""Credits on the wire: a JSON number (a decimal string is taken too)."""

UID = re.compile("[!-~]{1,128}")

Uid = Annotated[str, StringConstraints(pattern=f"^{UID.pattern}$")]
"""An account's uid, where one is asked for."""

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$")]
"""Text of one line, that every database and terminal takes."""

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x20\x7f]*$")]
"""A line without blanks: a resource's type, which stands before its name."""


def _instant(at: datetime) -> datetime:
    """In UTC: an instant that is written in two ways is still the same."""
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is beyond the calendar") from None


def _written_out(written: object) -> object:
    """A number would be read as seconds or as milliseconds since 1970, by its size."""
    if not isinstance(written, str) or written.strip("+-.0123456789") == "":
        raise ValueError("it is not an instant such as 2027-01-31T00:00:00Z")
    return written


Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_instant)]
"""An instant that somebody sent, with the offset of its zone."""


class Json(JSONResponse):
    """A JSON answer that writes decimals as they are.

    Most have no headers but those of their body, and most of what Starlette does for these is to
    look for others.
    """

    def __init__(
        self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        if headers:
            super().__init__(content, status_code, headers)
            return
        self.status_code, self.background = status_code, None
        self.body = body = self.render(content)
        type_ = self.media_type.encode("latin-1")
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", type_)]

    def render(self, content: object) -> bytes:
        """The bytes."""
        if isinstance(content, BaseModel):
            content = content.model_dump()
        return encode(content)


class ExactRequest(Request):
    """A request whose JSON numbers with a fraction are read as decimals."""

    largest = LARGEST_BODY

    async def body(self) -> bytes:
        """The bytes, if they are not too many."""
        if not hasattr(self, "_body"):
            self._body = await bounded(self, self.largest)
        return self._body

    async def json(self) -> Any:
        """The JSON, exactly; NaN and Infinity are no JSON."""
        body = await self.body()
        try:
            return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
        except json.JSONDecodeError:
            raise
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise json.JSONDecodeError("It is too deep, too long or not UTF-8", "", 0) from error


class BatchRequest(ExactRequest):
    """The same, with room for a batch."""

    largest = LARGEST_BATCH


class ExactRoute(APIRoute):
    """A route whose handler gets an ExactRequest."""

    request_class: type[ExactRequest] = ExactRequest

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the request exchanged."""
        handler = super().get_route_handler()

        async def exact(request: Request) -> Response:
            whole = self.request_class(request.scope, request.receive)
            await whole.body()  # here, since FastAPI calls any fault of reading it a 400
            return await handler(whole)

        return exact


class BatchRoute(ExactRoute):
    """A route whose handler gets a BatchRequest."""

    request_class = BatchRequest


async def bounded(request: Request, largest: int) -> bytes:
    """The body's bytes, however it is sent.

    Raises:
        TooLarge: there are more than `largest`; the rest is not read.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > largest:
            raise TooLarge(f"The body has more than {largest} bytes.")
    return bytes(read)


def _refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(f"{constant} is not JSON", constant, 0)
