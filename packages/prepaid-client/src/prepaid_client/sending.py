"""Over HTTP: where the service is, who asks, and how a step becomes a request."""

import os
import re
from dataclasses import dataclass

import httpx

from prepaid_client.answers import Answer
from prepaid_client.asking import Send

USER_AGENT = "prepaid-client/0.1.0"


@dataclass(frozen=True, slots=True)
class Service:
    """Where the service is, and the token that it knows us by."""

    url: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What each request carries."""
        return {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,
        }

    def __repr__(self) -> str:
        return f"Service({self.url!r})"  # a token is not for logs


def service_at(url: str | None, token: str | None) -> Service:
    """The service, as told or as the environment says: PREPAID_URL, PREPAID_TOKEN.

    Raises:
        ValueError: one of the two is nowhere to be found, or can't be one.
    """
    url = _named("PREPAID_URL", url, "where the service is, as https://credits.example.com")
    token = _named("PREPAID_TOKEN", token, "an API key, or a token of the platform")
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise ValueError(f"The service's URL has to begin with https:// or http://: {url!r}")
    if not re.fullmatch(r"[!-~]+", token):
        raise ValueError("The token has characters that no token has; is there a line break in it?")
    return Service(url, token)


def request_of(step: Send, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
    """A step as a request."""
    content_type = {} if step.call.body is None else {"Content-Type": "application/json"}
    return http.build_request(
        step.call.method,
        step.call.path,
        params=dict(step.call.params),
        content=step.call.body,
        headers=content_type,
        timeout=step.within_seconds,
    )


def answer_of(response: httpx.Response, sent_at: float) -> Answer:
    """A response as an answer."""
    return Answer(response.status_code, response.headers, response.content, sent_at)


def _named(name: str, told: str | None, what: str) -> str:
    found = (os.environ.get(name, "") if told is None else told).strip()
    if not found:
        raise ValueError(f"Set {name}, or pass it: {what}.")
    return found
