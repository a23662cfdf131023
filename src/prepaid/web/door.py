"""The demo's door: one click on the page, and you are the demo's user, or its operator. Only the
demo has it."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from prepaid.core.errors import Forbidden
from prepaid.core.origins import LOOPBACK
from prepaid.web.bodies import Json


def router(user_token: str, operator_token: str) -> APIRouter:
    """The routes that hand the demo's tokens to whoever sits at this machine."""
    routes = APIRouter(include_in_schema=False)

    @routes.post("/demo/token")
    async def user(request: Request) -> Response:
        return _handed(request, "You are the demo's user.", user_token)

    @routes.post("/demo/operator-token")
    async def operator(request: Request) -> Response:
        return _handed(request, "You are the demo's operator.", operator_token)

    return routes


def _handed(request: Request, message: str, token: str) -> Response:
    _check_at_home(request)
    told = {"success": True, "message": message, "token": token}
    return Json(told, headers={"Cache-Control": "no-store"})


def _check_at_home(request: Request) -> None:
    """The demo listens on loopback alone; but a name elsewhere can be made to lead to loopback,
    and then a stranger's page would ask from within this machine's browser.

    Raises:
        Forbidden: the request came from elsewhere, or for another name, or from another page.
    """
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    here = request.client is not None and ip_address(request.client.host).is_loopback
    named = urlsplit(f"//{host}").hostname in LOOPBACK
    ours = origin is None or urlsplit(origin).netloc == host
    if not (here and named and ours):
        raise Forbidden("The demo opens only to a browser on this machine.")
