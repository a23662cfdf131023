"""A platform for tests: a page at an origin of its own, which embeds the service's elements."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from local_service import serving

HOW_TO = Path(__file__).resolve().parent.parent / "docs/how-to/show-credits-on-your-pages.md"
"""Its page and its script are the ones that the how-to shows."""

SERVICE = "http://127.0.0.1:9700"
PACKAGE = "price_..."
ISOLATED = {"Cross-Origin-Embedder-Policy": "require-corp"}
"""As pages around Jupyter are: nothing is loaded that doesn't say that it may be."""


@dataclass
class LocalPlatform:
    """Whose page it is, and which service and package stand on it."""

    url: str = ""
    service: str = ""
    package: str = ""
    token: str = ""
    asked: int = 0

    @property
    def page(self) -> str:
        """The page of the how-to, with this service and this package in it."""
        (written,) = _block("html")
        return written.replace(SERVICE, self.service).replace(PACKAGE, self.package)

    def app(self) -> Starlette:
        """Page, script and token: as strict as a policy can be, beside what the how-to names."""

        async def page(_: Request) -> Response:
            headers = {"Content-Security-Policy": self._policy(), **ISOLATED}
            return HTMLResponse(self.page, headers=headers)

        async def script(_: Request) -> Response:
            (written,) = _block("js")
            return Response(written, media_type="text/javascript")

        async def token(_: Request) -> Response:
            self.asked += 1
            return PlainTextResponse(self.token)

        async def icon(_: Request) -> Response:
            return Response(status_code=204)

        return Starlette(
            routes=[
                Route("/", page),
                Route("/app.js", script),
                Route("/session/token", token),
                Route("/favicon.ico", icon),
            ]
        )

    def _policy(self) -> str:
        (told,) = _block("")
        policy = " ".join(told.partition(":")[2].split())
        return policy.replace(SERVICE, self.service)


@contextmanager
def local_platform() -> Iterator[LocalPlatform]:
    """A platform that listens until the block ends. Its service has still to be named."""
    platform = LocalPlatform()
    with serving(platform.app()) as url:
        platform.url = url
        yield platform


def _block(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```", HOW_TO.read_text(), re.MULTILINE | re.DOTALL)
    return [code for of, code in found if of == language]
