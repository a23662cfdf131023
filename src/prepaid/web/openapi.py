"""What the OpenAPI document says of refusals."""

from http import HTTPStatus
from typing import Any

from prepaid.web.problems import Problem


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that refuses with these statuses, beside its success."""
    return {
        status: {
            "model": Problem,
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {}},
        }
        for status in statuses
    }
