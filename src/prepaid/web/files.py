"""CSV files: who wants one instead of JSON, and how it is sent."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query
from starlette.responses import Response, StreamingResponse

VARY = {"Vary": "Accept"}
CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
"""What the OpenAPI document says of a route that can answer with a file."""


async def file(lines: AsyncIterator[str], name: str) -> Response:
    """A file to be saved, sent as it is read. What is refused is so before anything is sent; what
    breaks off later ends without the end of the body, so that nobody takes it for the whole."""
    first = await anext(lines)

    async def all_lines() -> AsyncIterator[str]:
        yield first
        async for some in lines:
            yield some

    saved = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(all_lines(), headers=VARY | saved, media_type="text/csv")


def _csv_is_wanted(
    asked: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Else by Accept.")
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> bool:
    return (
        asked == "csv"
        if asked
        else _weight("text/csv", accept) > _weight("application/json", accept)
    )


CsvIsWanted = Annotated[bool, Depends(_csv_is_wanted)]
"""Whether a file is asked for: by `format`, or else by the header `Accept`."""


def _weight(kind: str, accept: str) -> float:
    """How much an Accept header wants a kind that it names; 0 if it doesn't."""
    named = re.search(rf"(?i)(?:^|,)\s*{kind}\s*(?=[;,]|$)(?:[^,]*;\s*q=([01][.]?\d*))?", accept)
    return float(named[1] or 1) if named else 0.0
