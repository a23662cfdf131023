"""What the OpenAPI document says of refusals."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from prepaid.web.problems import Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


class DocumentedApp(FastAPI):
    """An app whose document knows what a problem is: FastAPI writes down models of JSON alone."""

    def openapi(self) -> dict[str, Any]:
        """The document."""
        told = super().openapi()
        told["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return told


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that refuses with these statuses, beside its success."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM}
        for status in statuses
    }
