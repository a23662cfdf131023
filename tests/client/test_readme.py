"""The package's README: its examples run, and its tables are so."""

import re
from pathlib import Path

import pytest

import prepaid_client.errors
from local_service import House
from prepaid_client import Client, Retries
from purses import Purse

README = Path(__file__).parents[2] / "packages/prepaid-client/README.md"
SAYS: list[list[str]] = [
    [
        "99.75 credits are left",
        "1000000 needed, 99.75 there",
        "https://credits.example.com/checkout",
    ],
    [r"spent: Charge\(entry=Entry\(number=3", r"spent: Charge\(entry=Entry\(number=4"],
    [rf"step {step}, (500|4\d\d) s left" for step in range(3)] + ["it cost 0.0"],
    [],
    ["42"],
    ["credits can be spent", "stopped after a second"],
]
"""What each example says: patterns, since on a busy machine a step takes more than a second."""


def test_every_example_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], house: House, purse: Purse
) -> None:
    monkeypatch.setenv("PREPAID_URL", house.url)
    monkeypatch.setenv("PREPAID_TOKEN", purse.token)
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    for block, says in zip(blocks, SAYS, strict=True):
        exec(block, {"__name__": "__main__"})  # noqa: S102 - it is ours
        said = capsys.readouterr().out
        assert [part for part in says if not re.search(part, said)] == [], said
    with Client() as client:
        kinds = [entry.kind for entry in client.entries()]
    assert kinds == ["settlement"] * 4 + ["charge"] * 3 + ["promotion"]


def test_every_error_in_the_table_has_its_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", README.read_text(), re.MULTILINE)
    assert len(rows) == 13
    for name, code in rows:
        assert getattr(prepaid_client.errors, name).code == code
        assert getattr(prepaid_client, name) is getattr(prepaid_client.errors, name)


def test_every_call_in_the_table_is_there() -> None:
    for name in re.findall(r"^\| `client\.(\w+)\(\)` \|", README.read_text(), re.MULTILINE):
        assert callable(getattr(Client, name))


def test_the_retries_are_as_they_are_told() -> None:
    assert "eight times, for twenty seconds at most" in " ".join(README.read_text().split())
    assert (Retries().attempts, Retries().total_seconds) == (8, 20)
