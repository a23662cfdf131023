"""Origins: where a page is from, as browsers say it."""

from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The hosts that are one's own machine; people type the first two."""

_USUAL = {"http": ":80", "https": ":443"}


def origin_of(url: str) -> str:
    """Scheme and host of an address, and its port unless that goes without saying.

    Raises:
        ValueError: it can't be read: a bracket has no pair, say.
    """
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(_USUAL.get(parts.scheme, ""))
    return f"{parts.scheme}://{host}"
