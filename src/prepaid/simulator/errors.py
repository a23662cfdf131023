"""Refusals, in the shape in which Stripe gives them."""

from prepaid.simulator.contract import Breach
from prepaid.simulator.shapes import Json


class Refusal(Exception):  # noqa: N818 - what it is, in one word
    """An answer other than 200. ``keeps`` tells that what was done before it stays done."""

    def __init__(  # noqa: PLR0913 - the fields of Stripe's error object
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        keeps: bool = False,
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps = keeps
        named = {"code": code, "param": param or None, **(more or {})}
        present = {key: value for key, value in named.items() if value is not None}
        self.error: Json = {"message": message, "type": kind, **present}
        if code is not None:
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refusal:
    """A 400: the request can't be taken as it is."""
    return Refusal(400, message, param=param, code=code)


def missing_object(kind: str, given: str, param: str | None = None) -> Refusal:
    """An unknown id: 404 where it stands in the path, 400 where it stands in a parameter."""
    message = f"No such {kind.replace('_', ' ').replace('.', ' ')}: '{given}'"
    return Refusal(400 if param else 404, message, code="resource_missing", param=param or "id")


def from_breach(breach: Breach) -> Refusal:
    """What Stripe says of a request that breaks the contract."""
    return invalid(str(breach), breach.param, breach.code)
