import pytest

from prepaid.core.origins import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTPS://A.Example/some/path?q#f", "https://a.example"),
        ("https://a.example:443/", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("http://[::1]:9700/", "http://[::1]:9700"),
        ("http://[::80]", "http://[::80]"),
        ("https://a.example@evil.example:443/", "https://a.example@evil.example"),
        ("https://a.example:443:443/", "https://a.example:443"),
        ("ftp://a.example:80", "ftp://a.example:80"),
    ],
)
def test_an_origin_is_as_browsers_send_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_what_is_no_address_has_none() -> None:
    with pytest.raises(ValueError, match="Invalid IPv6 URL"):
        origin_of("http://[")
