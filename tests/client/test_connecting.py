"""Where the service is and who asks: passed, or from the environment; and nothing of it is told."""

import pytest

from local_proxy import LocalProxy
from prepaid_client import AsyncClient, Client, Unknown
from prepaid_client.sending import service_at
from purses import Purse


def test_the_environment_says_where_and_who(
    monkeypatch: pytest.MonkeyPatch, proxy: LocalProxy, purse: Purse
) -> None:
    monkeypatch.setenv("PREPAID_URL", f" {proxy.url}\n")
    monkeypatch.setenv("PREPAID_TOKEN", purse.token)
    with Client() as client:
        assert client.balance().credits == 100


async def test_what_is_passed_counts_more(
    monkeypatch: pytest.MonkeyPatch, proxy: LocalProxy, purse: Purse
) -> None:
    monkeypatch.setenv("PREPAID_URL", "https://elsewhere.example.com")
    monkeypatch.setenv("PREPAID_TOKEN", "somebody-elses")
    async with AsyncClient(proxy.url, purse.token) as client:
        balance = await client.balance()
        assert balance.account_uid == purse.uid
        assert balance.available == 100
        assert await client.reservations() == []


@pytest.mark.parametrize(
    ("url", "token", "named"),
    [
        (None, "t", "PREPAID_URL"),
        ("http://x", None, "PREPAID_TOKEN"),
        ("http://x", " ", "PREPAID_TOKEN"),
        ("ftp://x", "t", "URL"),
        ("localhost:9700", "t", "URL"),
        ("http://", "t", "URL"),
        ("http://x", "secret\nline", "token"),
        ("http://x", "t\u00e9", "token"),
    ],
)
def test_what_is_missing_or_impossible_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, url: str | None, token: str | None, named: str
) -> None:
    monkeypatch.delenv("PREPAID_URL", raising=False)
    monkeypatch.delenv("PREPAID_TOKEN", raising=False)
    with pytest.raises(ValueError, match=named) as refused:
        Client(url, token)
    assert "secret" not in str(refused.value)


def test_a_token_is_never_shown() -> None:
    assert "secret" not in repr(service_at("http://x", "secret"))


def test_a_service_may_live_under_a_path(proxy: LocalProxy) -> None:
    with Client(f"{proxy.url}/money/", "t") as client, pytest.raises(Unknown):
        client.balance()
    assert proxy.seen == ["/money/api/iam/v1/usage/credits"]
