import asyncio
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version

import pytest
import structlog

from local_postgres import RunningPostgres
from local_service import (
    CREDITS,
    RETURN_ORIGIN,
    RETURN_URL,
    SESSIONS,
    WEBHOOK,
    House,
    refused,
    running,
)
from local_stripe import WEBHOOK_SECRET, LocalStripe, signed
from prepaid.cli.servers import listen
from prepaid.core.identity import Scope

ALIVE = ["/healthz", "/api/iam/version", "/api/iam/v1/ping"]


@pytest.mark.parametrize("path", [*ALIVE, "/readyz"])
def test_a_service_that_runs_says_so_to_anybody(house: House, path: str) -> None:
    assert house.get(path) == {"success": True, "message": "OK", "version": version("prepaid")}


@pytest.fixture
def orphaned(
    postgres: RunningPostgres, migrated_postgres: str, stripe_account: LocalStripe
) -> Iterator[House]:
    """A service whose database has gone."""
    url = postgres.create_database(migrated_postgres)
    with running(url, stripe_account) as house:
        house.get("/readyz")
        postgres.drop_database(url)
        yield house


def test_without_its_database_a_service_lives_and_is_not_ready(
    orphaned: House, user: str, package: str
) -> None:
    refused(orphaned.ask("GET", "/readyz"), 503, "ledger_unavailable")
    for path in ALIVE:
        assert orphaned.get(path)["success"]
    assert orphaned.get("/api/iam/stripe/v1/prices")["success"]
    refused(orphaned.ask("GET", CREDITS, user), 503, "ledger_unavailable")
    refused(orphaned.ask("GET", CREDITS, "prepaid_x"), 503, "ledger_unavailable")
    asked = {"price_id": package, "return_url": RETURN_URL}
    refused(orphaned.ask("POST", SESSIONS, user, json=asked), 503, "ledger_unavailable")
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "livemode": False,
        "data": {
            "object": {
                "id": "cs_test_1",
                "livemode": False,
                "mode": "payment",
                "payment_status": "paid",
                "metadata": {},
            }
        },
    }
    refused(orphaned.deliver(event), 503, "ledger_unavailable")


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("GET", "authorization,cache-control,pragma"),
        ("GET", "authorization,x-external-token"),
        ("POST", "authorization,content-type"),
        ("DELETE", "authorization,content-type,idempotency-key"),
    ],
)
def test_pages_of_allowed_origins_may_call(house: House, method: str, asked: str) -> None:
    answer = house.ask(
        "OPTIONS",
        CREDITS,
        headers={
            "Origin": RETURN_ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": asked,
        },
    )
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == RETURN_ORIGIN
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in asked.split(","))
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"{RETURN_ORIGIN}.evil.example"]
)
def test_pages_of_other_origins_may_not(house: House, origin: str) -> None:
    preflight = house.ask(
        "OPTIONS",
        CREDITS,
        headers={"Origin": origin, "Access-Control-Request-Method": "GET"},
    )
    assert preflight.status_code == 400
    plain = house.ask("GET", "/healthz", headers={"Origin": origin})
    for answer in (preflight, plain):
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_may_read_an_answer_and_a_refusal(house: House, user: str) -> None:
    for token, status in ((user, 200), ("nobody", 401)):
        answer = house.ask("GET", CREDITS, token, headers={"Origin": RETURN_ORIGIN})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == RETURN_ORIGIN


@pytest.mark.parametrize("path", ["/nothing", "/api/iam/v1", "/docs", "/%00", "/a%ff", "/../x"])
def test_there_is_nothing_elsewhere(house: House, path: str) -> None:
    refused(house.ask("GET", path), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "TRACE"])
def test_a_method_that_a_path_has_not_is_refused(house: House, method: str) -> None:
    answer = house.ask(method, CREDITS)
    refused(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_every_answer_has_an_id_of_its_own(house: House) -> None:
    answers = [house.ask("GET", path) for path in ("/healthz", "/healthz", "/nothing", CREDITS)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


@pytest.mark.parametrize(
    ("path", "secret", "origin"),
    [
        ("/api/iam/v1/accounts", "prepaid_unheard-of", {"Origin": RETURN_ORIGIN}),
        (CREDITS, "prepaid_unheard-of", {}),
    ],
)
def test_a_fault_of_ours_has_an_id_too_which_leads_to_what_happened(
    fresh: House, fresh_database: str, path: str, secret: str, origin: dict[str, str]
) -> None:
    """By a route, and before the routes."""
    with closing(sqlite3.connect(fresh_database.removeprefix("sqlite:///"))) as database:
        database.execute("DROP TABLE api_keys")
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = fresh.ask("GET", path, secret, headers=origin)
    refused(answer, 500, "internal_error")
    assert answer.headers.get("access-control-allow-origin") == origin.get("Origin")
    (fault,) = [line for line in lines if line["event"] == "request_failed"]
    assert "no such table" in str(fault["exc_info"])
    assert fault["request_id"] == answer.headers["x-request-id"]


def test_no_log_line_carries_a_secret(
    house: House, user: str, uid: str, package: str, capfd: pytest.CaptureFixture[str]
) -> None:
    key = house.key(Scope.USER, uid, "laptop").secret
    capfd.readouterr()
    with structlog.testing.capture_logs() as lines:
        house.ask("GET", f"{CREDITS}?account_uid=hunter2", key)
        house.ask("GET", CREDITS, "hunter2")
        opened = house.open(key, package, f"{RETURN_URL}?token=hunter2")
        house.stripe.pay(opened["session_id"])
        event = house.stripe.event(opened["session_id"])
        header = signed(event)
        assert house.verdict(event) == "applied"
        house.deliver(event, "t=1,v1=hunter2")
        house.stripe.fault("server_error", count=3)
        house.ask("POST", SESSIONS, user, json={"price_id": "price_x", "return_url": RETURN_URL})
    told = str(lines) + "".join(capfd.readouterr())
    assert {line["event"] for line in lines} >= {"request", "credits_purchased", "checkout_opened"}
    for secret in (
        user,
        key,
        "hunter2",
        opened["client_secret"],
        WEBHOOK_SECRET,
        header,
        house.stripe.config.api_key,
        "buyer@example.com",
    ):
        assert secret not in told
    requests = [line for line in lines if line["event"] == "request"]
    assert {line["path"] for line in requests} == {CREDITS, SESSIONS, WEBHOOK}
    assert all(type(line["status"]) is int and line["method"] for line in requests)


def test_what_is_no_http_harms_nobody(house: House) -> None:
    host, port = house.url.removeprefix("http://").split(":")
    for nonsense in (b"\0\0\0", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection((host, int(port)), 5) as line:
            line.sendall(nonsense)
            line.shutdown(socket.SHUT_WR)
            while line.recv(4096):
                pass
    assert house.get("/healthz")["success"]


async def test_answers_leave_at_once() -> None:
    """Without the option, each answer on a kept connection waits 40 milliseconds for the client."""
    seen: asyncio.Queue[int] = asyncio.Queue()

    async def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = writer.get_extra_info("socket")
        seen.put_nowait(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listening = listen("127.0.0.1", 0)
    server = await asyncio.start_server(met, sock=listening)
    _, visitor = await asyncio.open_connection(*listening.getsockname())
    assert await seen.get() != 0
    visitor.close()
    server.close()
    await server.wait_closed()
