"""The page on which people buy credits and see what they have: its files, as they were built.

Nothing here knows where the service is mounted. What a browser asked for tells how deep below the
page's home it is, and so every address that it is given is relative.
"""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from prepaid.core.origins import origin_of
from prepaid.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "ui"
"""Where the page is built to, and where a wheel has it."""

HOME = "/credits"
BUY = f"{HOME}/buy"

STRIPE = "https://js.stripe.com"
STRIPE_JS = "/endive/stripe.js"
"""Stripe.js is never bundled: Stripe serves it, of the train that the page was made for."""

SETTINGS = '<script type="application/json" id="settings"></script>'
"""What the index has in the place of what the page is told."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For names that change with their content."""

EMBED = "embed.js"
A_WHILE = "public, max-age=300"
"""For the script that other pages load: its address stays, and they notice a new one soon."""

NOT_BUILT = """<!doctype html>
<html lang="en"><title>The page is not built</title>
<h1>The page is not built</h1>
<p>The service runs, and everything but this page works. To build it, with Node 20.19 or newer:</p>
<pre>npm ci --prefix ui
npm run build --prefix ui</pre>
<p>Then reload. <code>./run</code> does the same where it finds Node or can install it.</p>
</html>
"""


class Told(BaseModel):
    """What the page is told. `home` leads to its home from where the browser is."""

    home: str
    stripe_key: str
    stripe_js: str
    simulator: bool
    demo: bool


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, as it is and compressed."""

    content: bytes
    zipped: bytes
    media_type: str
    etag: str


def router(settings: Settings, *, demo: bool, folder: Path = FOLDER) -> APIRouter:
    """The page's routes. `demo` lets it offer to open as the demo's user."""
    routes = APIRouter(include_in_schema=False)
    headers = _headers(settings)

    @routes.api_route("/", methods=["GET", "HEAD"])
    async def front() -> Response:
        return RedirectResponse(HOME.lstrip("/"))

    @routes.api_route(f"{HOME}/assets/{{name}}", methods=["GET", "HEAD"])
    async def asset(name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
        found = _asset(folder / "assets", name)
        return _sent(found, accept_encoding, headers | {"Cache-Control": FOR_EVER})

    @routes.api_route(f"{HOME}/{EMBED}", methods=["GET", "HEAD"])
    async def embed(
        accept_encoding: Annotated[str, Header()] = "", if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        found = _asset(folder, EMBED)
        shared = {"Cache-Control": A_WHILE, "Cross-Origin-Resource-Policy": "cross-origin"}
        shared = headers | shared | {"ETag": found.etag}
        if found.etag in if_none_match:
            return Response(status_code=304, headers=shared)
        return _sent(found, accept_encoding, shared)

    @routes.api_route(HOME, methods=["GET", "HEAD"])
    @routes.api_route(f"{HOME}/{{view:path}}", methods=["GET", "HEAD"])
    async def index(view: str | None = None) -> Response:
        home = _home(view)
        told = Told(
            home=home,
            stripe_key=settings.stripe_js_api_key,
            stripe_js=(_simulator(settings) or STRIPE) + STRIPE_JS,
            simulator=bool(_simulator(settings)),
            demo=demo,
        )
        return _index(folder / "index.html", told, headers)

    route = settings.stripe_checkout_route
    if not route.startswith((f"{HOME}/", "/api/")) and route not in {"/", HOME}:
        # Where the operator says that people buy: on this page, if the platform has none there.
        @routes.api_route(route, methods=["GET", "HEAD"])
        async def checkout(request: Request) -> Response:
            asked = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse("../" * (route.count("/") - 1) + BUY.lstrip("/") + asked)

    return routes


def _home(view: str | None) -> str:
    """The way from a view to the page's home; `None` is the home without its slash."""
    return f"{HOME.lstrip('/')}/" if view is None else "../" * view.count("/") or "./"


def _index(file: Path, told: Told, headers: dict[str, str]) -> Response:
    try:
        written = file.read_text("utf-8")
    except FileNotFoundError:
        return HTMLResponse(NOT_BUILT, 503, headers)
    spoken = json.dumps(told.model_dump()).replace("<", "\\u003c")  # nothing in it ends the script
    page = written.replace(SETTINGS, SETTINGS.replace("></", f">{spoken}</"))
    return HTMLResponse(page.replace('="./', f'="{told.home}'), headers=headers)


def _sent(found: Asset, accept_encoding: str, headers: dict[str, str]) -> Response:
    zipped = "gzip" in accept_encoding
    encoding = {"Content-Encoding": "gzip"} if zipped else {}
    return Response(
        found.zipped if zipped else found.content,
        media_type=found.media_type,
        headers=headers | encoding | {"Vary": "Accept-Encoding"},
    )


@cache
def _read(file: Path, changed: int) -> Asset:
    """A file as it was at its last change; an address that stays may have another file one day."""
    del changed
    content = file.read_bytes()
    media_type = guess_type(file.name)[0] or "application/octet-stream"
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'  # weak: compressed it is the same
    return Asset(content, gzip.compress(content, mtime=0), media_type, etag)


def _asset(folder: Path, name: str) -> Asset:
    """A file of the folder; it has no folders in it, so a name with a slash is none."""
    file = folder / name
    if file.parent != folder or not file.is_file():
        raise HTTPException(404, "The page has no such file: reload it, it may be a newer one now.")
    return _read(file, file.stat().st_mtime_ns)


def _headers(settings: Settings) -> dict[str, str]:
    """What every answer of the page carries.

    There is no cross-origin isolation (COOP, COEP): it would keep Stripe's frames out.
    """
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "; ".join(_policy(settings)),
        "Permissions-Policy": 'payment=(self "https://js.stripe.com" "https://checkout.stripe.com")',
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _policy(settings: Settings) -> list[str]:
    """The page itself loads from here alone; Stripe.js loads from Stripe, or from its simulator.

    Attributes of style may stand in the page, since Stripe.js writes them on its frames; no
    stylesheet may. Only the pages that may call this service may frame the page.
    """
    if simulator := _simulator(settings):
        script = frame = simulator
        connect = image = ""
    else:
        script = "https://js.stripe.com https://*.js.stripe.com https://checkout.stripe.com"
        frame = f"{script} https://hooks.stripe.com https://*.link.com"
        connect = "https://api.stripe.com https://checkout.stripe.com"
        image = "https://*.stripe.com https://*.link.com"
    return [
        "default-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors 'self' {' '.join(sorted(settings.origins))}",
        f"script-src 'self' {script}",
        f"frame-src {frame}",
        f"connect-src 'self' {connect}".rstrip(),
        f"img-src 'self' data: {image}".rstrip(),
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
    ]


def _simulator(settings: Settings) -> str:
    """The origin of the Stripe that stands in for the real one; empty if none does."""
    return origin_of(settings.stripe_api_base) if settings.stripe_api_base else ""
