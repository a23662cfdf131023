"""Chromium for tests: it reaches loopback alone, and all that goes wrong in it is seen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Request,
    WebError,
    async_playwright,
)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

HERSELF = {"about", "blob", "data"}
"""Schemes of what a browser gets from nobody."""


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Browser]:
    """This Chromium, until the block ends."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


@dataclass
class Watch:
    """What goes wrong on the pages of a browser's context.

    That is what the console has as an error or a warning, what no script has caught, and each
    request to an origin that isn't among `origins`. `known` are parts of the lines that a test
    brings about itself.
    """

    context: BrowserContext
    origins: set[str]
    known: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("console", self._on_console)
        self.context.on("weberror", self._on_error)
        self.context.on("request", self._on_request)

    def wrong(self) -> list[str]:
        """All that went wrong and wasn't known."""
        return [line for line in self.seen if not any(part in line for part in self.known)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.seen.append(f"{message.type}: {message.text} ({message.location['url']})")

    def _on_error(self, error: WebError) -> None:
        self.seen.append(f"not caught: {error.error}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in HERSELF and f"{parts.scheme}://{parts.netloc}" not in self.origins:
            self.seen.append(f"a request to a stranger: {request.url}")
