"""What the OpenAPI document says of refusals."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter

from prepaid.web.problems import Problem

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


class DocumentedApp(FastAPI):
    """An app whose document knows what a problem is, and what streams tell (`streamed`): FastAPI
    writes down models of JSON answers alone."""

    streamed: Sequence[type] = ()

    def openapi(self) -> dict[str, Any]:
        """The document."""
        told = super().openapi()
        schemas = told["components"]["schemas"]
        schemas["Problem"] = TypeAdapter(Problem).json_schema()
        for name, schema in _schemas(self.streamed).items():
            schemas.setdefault(name, schema)
        return told


def _schemas(models: Sequence[type]) -> dict[str, Any]:
    _, told = TypeAdapter.json_schemas(
        [(model, "serialization", TypeAdapter(model)) for model in models],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Any] = told.get("$defs", {})
    return schemas


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that refuses with these statuses, beside its success."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": _PROBLEM}
        for status in statuses
    }
