"""A server whose one route does nothing: Starlette on uvicorn, served as the service is. What our
reads are compared with. Started as `python -m bench.empty PORT`."""

import asyncio
import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from prepaid.cli.servers import listen, serving, until_stopped


async def nothing(request: Request) -> JSONResponse:
    """Says that all is well."""
    del request
    return JSONResponse({"success": True})


async def _serve(port: int) -> None:
    app = Starlette(routes=[Route("/", nothing)])
    async with serving(app, listen("127.0.0.1", port)) as server:
        await until_stopped([server])


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
