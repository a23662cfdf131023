"""The page's files, and what is told with them, wherever the service is mounted."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from local_service import House, refused
from prepaid.core.errors import Forbidden
from prepaid.settings import Settings, read_settings
from prepaid.web import door, page

INDEX = f"""<!doctype html>
<link rel="icon" href="./assets/icon-1.svg" />
{page.SETTINGS}
<script type="module" src="./assets/index-1.js"></script>
"""
SCRIPT = "console.log('hello');" * 100
SIMULATOR = "http://127.0.0.1:12111"
ELSEWHERE = "https://app.example.com"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A page as it is built: an index, and assets beside it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets/index-1.js").write_text(SCRIPT)
    (tmp_path / "embed.js").write_text(SCRIPT)
    return tmp_path


def settings(**more: str) -> Settings:
    return read_settings(
        **{
            "DATALAYER_STRIPE_API_KEY": "sk_test_1",
            "DATALAYER_STRIPE_JS_API_KEY": "pk_test_1",
            "DATALAYER_STRIPE_PRODUCT_ID": "prod_1",
            "DATALAYER_STRIPE_WEBHOOK_SECRET": "whsec_1",
            "PREPAID_RETURN_ORIGINS": ELSEWHERE,
        }
        | more
    )


def app_of(folder: Path, demo_token: str = "", **more: str) -> FastAPI:
    app = FastAPI()
    if demo_token:
        app.include_router(door.router(demo_token, f"{demo_token} of the operator"))
    app.include_router(page.router(settings(**more), demo=bool(demo_token), folder=folder))
    return app


async def ask(  # noqa: PLR0913, PLR0917 - a request has this much
    app: Any,  # any ASGI app
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    host: str = "127.0.0.1:9700",
    client: str = "127.0.0.1",
) -> httpx.Response:
    through = httpx.ASGITransport(app, client=(client, 1))
    async with httpx.AsyncClient(transport=through, base_url=f"http://{host}") as browser:
        return await browser.request(method, path, headers=headers)


def told(answer: httpx.Response) -> dict[str, Any]:
    (written,) = re.findall(r'id="settings">(.*?)</script>', answer.text)
    found: dict[str, Any] = json.loads(written)
    return found


def policy(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split("; ")
    return {name: rest for name, _, rest in (part.partition(" ") for part in parts)}


PLACES = ["/credits", "/credits/", "/credits/buy", "/credits/buy/return?session_id=cs_test_1"]


@pytest.mark.parametrize("mounted", ["", "/billing", "/a/b"])
@pytest.mark.parametrize("place", PLACES)
async def test_every_view_finds_its_files_wherever_it_is_mounted(
    built: Path, mounted: str, place: str
) -> None:
    app = app_of(built)
    if mounted:
        around = FastAPI()
        around.router.routes.append(Mount(mounted, app))
        app = around
    answer = await ask(app, mounted + place)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    home = answer.request.url.join(told(answer)["home"])
    assert home.path == f"{mounted}/credits/"
    (script,) = re.findall(r'src="(.*?)"', answer.text)
    assert answer.request.url.join(script).path == f"{mounted}/credits/assets/index-1.js"


async def test_assets_are_kept_for_ever_and_sent_compressed(built: Path) -> None:
    app = app_of(built)
    asset = "/credits/assets/index-1.js"
    zipped = await ask(app, asset)
    assert zipped.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) < len(SCRIPT) == len(zipped.text)
    plain = await ask(app, asset, headers={"Accept-Encoding": "identity"})
    assert plain.text == zipped.text == SCRIPT
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"].startswith("text/javascript")
    assert (await ask(app, asset, "HEAD")).headers["content-length"]


async def test_the_script_for_other_pages_stays_at_its_address_and_is_asked_for_again(
    built: Path,
) -> None:
    app = app_of(built)
    zipped = await ask(app, "/credits/embed.js")
    assert zipped.text == SCRIPT
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.headers["content-type"].startswith("text/javascript")
    assert zipped.headers["cache-control"] == "public, max-age=300"
    assert zipped.headers["cross-origin-resource-policy"] == "cross-origin"
    known = {"If-None-Match": f'"another", {zipped.headers["etag"]}'}
    same = await ask(app, "/credits/embed.js", headers=known)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == zipped.headers["etag"]
    (built / "embed.js").write_text(f"{SCRIPT}// newer")
    newer = await ask(app, "/credits/embed.js", headers=known)
    assert newer.status_code == 200
    assert newer.text.endswith("// newer")
    assert newer.headers["etag"] != zipped.headers["etag"]


async def test_a_script_that_is_not_built_is_not_there(tmp_path: Path) -> None:
    assert (await ask(app_of(tmp_path), "/credits/embed.js")).status_code == 404


@pytest.mark.parametrize("name", ["none.js", "..%2Findex.html", "%2Fetc%2Fpasswd", ".."])
async def test_nothing_but_the_pages_assets_is_served_as_one(built: Path, name: str) -> None:
    answer = await ask(app_of(built), f"/credits/assets/{name}")
    assert answer.status_code == 404 or answer.text.startswith("<!doctype html>")
    assert "immutable" not in answer.headers.get("cache-control", "")


async def test_scripts_and_frames_come_from_here_and_from_stripe_alone(built: Path) -> None:
    answer = await ask(app_of(built), "/credits/buy")
    allowed = policy(answer)
    assert allowed["default-src"] == allowed["base-uri"] == "'none'"
    assert allowed["script-src"].split()[:2] == ["'self'", "https://js.stripe.com"]
    assert "https://js.stripe.com" in allowed["frame-src"].split()
    assert "https://api.stripe.com" in allowed["connect-src"].split()
    assert allowed["style-src"] == "'self'"
    here = "http://127.0.0.1:9700 http://localhost:9700"
    assert allowed["frame-ancestors"] == f"'self' {here} {ELSEWHERE}"
    for sources in (allowed["script-src"], allowed["connect-src"], allowed["frame-src"]):
        assert all(one == "'self'" or one.startswith("https://") for one in sources.split())
    assert told(answer)["stripe_js"] == "https://js.stripe.com/endive/stripe.js"
    assert told(answer)["simulator"] is told(answer)["demo"] is False


async def test_a_simulator_takes_the_place_of_stripe(built: Path) -> None:
    answer = await ask(app_of(built, PREPAID_STRIPE_API_BASE=f"{SIMULATOR}/"), "/credits/buy")
    assert policy(answer)["script-src"] == f"'self' {SIMULATOR}"
    assert policy(answer)["frame-src"] == SIMULATOR
    assert policy(answer)["connect-src"] == "'self'"
    assert "stripe.com" not in answer.headers["content-security-policy"]
    assert told(answer)["stripe_js"] == f"{SIMULATOR}/endive/stripe.js"
    assert told(answer)["simulator"] is True


@pytest.mark.parametrize("path", ["/credits", "/credits/assets/index-1.js"])
async def test_nothing_isolates_the_page_from_stripes_frames(built: Path, path: str) -> None:
    headers = (await ask(app_of(built), path)).headers
    assert not {"cross-origin-opener-policy", "cross-origin-embedder-policy"} & {*headers}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"


async def test_what_the_page_is_told_ends_no_script(built: Path) -> None:
    key = "pk_test_</script><b>"
    answer = await ask(app_of(built, DATALAYER_STRIPE_JS_API_KEY=key), "/credits")
    assert "</script><b>" not in answer.text
    assert told(answer)["stripe_key"] == key


async def test_a_page_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await ask(app_of(tmp_path), "/credits")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


@pytest.mark.parametrize(
    ("route", "leads_to"),
    [("/checkout", "credits/buy"), ("/app/settings/buy", "../../credits/buy")],
)
async def test_where_clients_are_sent_to_buy_the_page_is_found(
    built: Path, route: str, leads_to: str
) -> None:
    app = app_of(built, DATALAYER_STRIPE_CHECKOUT_ROUTE=route)
    answer = await ask(app, f"{route}?package=price_1")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{leads_to}?package=price_1"
    assert answer.request.url.join(answer.headers["location"]).path == "/credits/buy"


@pytest.mark.parametrize("route", ["/credits/buy", "/credits", "/"])
async def test_a_checkout_route_that_is_the_pages_own_stays(built: Path, route: str) -> None:
    app = app_of(built, DATALAYER_STRIPE_CHECKOUT_ROUTE=route)
    assert (await ask(app, "/credits/buy")).status_code == 200
    assert (await ask(app, "/")).headers["location"] == "credits"


DOORS = {"/demo/token": "secret", "/demo/operator-token": "secret of the operator"}


async def test_the_demo_opens_to_a_browser_on_this_machine(built: Path) -> None:
    app = app_of(built, "secret")
    assert told(await ask(app, "/credits"))["demo"] is True
    for host in ("127.0.0.1:9700", "localhost:9700", "[::1]:9700"):
        for door_, told_ in DOORS.items():
            answer = await ask(app, door_, "POST", {"Origin": f"http://{host}"}, host)
            assert answer.json()["token"] == told_
            assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("door_", DOORS)
@pytest.mark.parametrize(
    "stranger",
    [
        {"host": "rebound.example:9700"},
        {"client": "192.0.2.1"},
        {"headers": {"Origin": "https://stranger.example"}},
        {"headers": {"Origin": "null"}},
    ],
    ids=["another name", "another machine", "another page", "a page of nowhere"],
)
async def test_the_demo_opens_to_nobody_else(
    built: Path, stranger: dict[str, Any], door_: str
) -> None:
    with pytest.raises(Forbidden, match="only to a browser on this machine"):
        await ask(app_of(built, "secret"), door_, "POST", **stranger)


def test_a_service_has_a_page_and_no_door(house: House) -> None:
    answer = house.ask("GET", "/credits/buy")
    assert answer.status_code in {200, 503}  # 503: this checkout has built no page
    assert answer.headers["x-request-id"]
    for door_ in DOORS:
        refused(house.ask("POST", door_), 404, "not_found")
    refused(house.ask("GET", "/api/iam/v1/nothing"), 404, "not_found")
    refused(house.ask("GET", "/credits/assets/nothing"), 404, "not_found")
    refused(house.ask("POST", "/credits/buy"), 405, "method_not_allowed")
