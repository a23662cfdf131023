"""What became of a request: the service's answer, or silence; and what each means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from prepaid_client.documents import Document, exact, text, whole
from prepaid_client.errors import (
    Conflict,
    Forbidden,
    InsufficientCredits,
    Invalid,
    PrepaidError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unknown,
    Unreadable,
)

NEAREST: dict[int, type[PrepaidError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: Unknown,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    429: Unavailable,
}
"""What an answer means whose code is not known, by its status."""

FAULTS = 500
"""From here on, a status says that nothing is known."""

PASSING = frozenset({429, 502, 503, 504})
"""Statuses that say: not now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said. `sent_at` is when it was asked, on the asker's monotonic clock."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_at: float

    def document(self) -> Document:
        """Its JSON.

        Raises:
            Unreadable: it has none.
        """
        return Document.parse(self.body)

    @property
    def is_good(self) -> bool:
        """Whether what was asked for was done."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def fault(self) -> PrepaidError:
        """What it means, if it isn't good."""
        try:
            told = refusal(self.document())
        except Unreadable:
            told = self._unexplained()
        if isinstance(told, Unavailable):
            told.retry_after_seconds = _retry_after(self.headers)
        return told

    def _unexplained(self) -> PrepaidError:
        """A refusal has a code. What has none may be a proxy's that doesn't find the service just
        now, whatever its status: nobody was asked, so nothing was refused."""
        kind = _nearest(self.status) if self._has_code() else Unreadable
        error = kind(f"The answer is {self.status}, and not one of prepaid's: is the URL right?")
        error.status = self.status
        return error

    def _has_code(self) -> bool:
        try:
            return bool(self.document().take("code", text))
        except Unreadable:
            return False


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: what went wrong on the way. Whether the service heard is unknown."""

    why: Exception

    def fault(self) -> Unavailable:
        """What it means."""
        told = str(self.why) or type(self.why).__name__
        away = Unavailable(f"The service can't be reached: {told}.")
        away.__cause__ = self.why
        return away


def refusal(told: Document) -> PrepaidError:
    """The error that a problem document describes.

    Raises:
        Unreadable: it is no problem document.
    """
    code, status = told.take("code", text), told.take("status", whole)
    error = _error(_kind(code, status), told)
    error.code, error.title, error.status = code, told.take("title", text), status
    return error


def _error(kind: type[PrepaidError], told: Document) -> PrepaidError:
    detail = told.take("detail", text)
    if not issubclass(kind, InsufficientCredits):
        return kind(detail)
    asked, available = told.take("asked", exact), told.take("available", exact)
    return kind(detail, asked, available, told.take("buy_url", text))


def _kind(code: str, status: int) -> type[PrepaidError]:
    return BY_CODE.get(code) or _nearest(status)


def _nearest(status: int) -> type[PrepaidError]:
    return NEAREST.get(status, Unavailable if status >= FAULTS else Refused)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """How long we are asked to wait: seconds, or until a date by the answer's own clock."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:9])
    until, now = _date(asked), _date(headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _date(written: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(written)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _branches(error: type[PrepaidError]) -> Iterator[type[PrepaidError]]:
    yield error
    for branch in error.__subclasses__():
        yield from _branches(branch)


BY_CODE = {error.code: error for error in _branches(PrepaidError)}
"""Each error by the API's code for it."""
