"""Whatever JSON is sent to what spends: it is done, or refused by a problem and nothing changes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holders import ACCOUNTS, RESERVATIONS, USAGE, Holder, holder
from local_service import House, refused

ADA = "the account's uid"
"""Stands in bodies for what each test calls it."""

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from([10**400, -(10**30), 1e300, 5e-324, "1e5", "NaN", "\ud800", "a\0b"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=5,
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is usual, and now and then anything."""
    return st.one_of(usual, usual, usual, usual, anything)


amounts = mostly(
    st.one_of(
        st.integers(1, 5),
        st.decimals("0.000001", "5", places=6).map(str),
        st.sampled_from([0, -1, "-0.000001", 0.5, 0.1 + 0.2, 10**6, "0.0000001", "1000000"]),
    )
)
texts = mostly(st.sampled_from(["a", "b", "c", "d"]))


def body(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What nearly says what is needed, or has little to do with it."""
    whole = st.fixed_dictionaries(fields)
    return mostly(st.one_of(whole, whole, st.fixed_dictionaries({}, optional=fields)))


@dataclass(frozen=True)
class Target:
    """Something that can be asked, of something fresh where it is about one."""

    method: str
    path: Callable[[Holder], str]
    bodies: st.SearchStrategy[Any]


def of(what: str, burning_rate: object = "0.01") -> Callable[[Holder], str]:
    """What is done to a reservation of five credits."""
    return lambda ada: f"{RESERVATIONS}/{opened(ada, burning_rate)}/{what}"


def opened(ada: Holder, burning_rate: object) -> str:
    return str(ada.opens(credits=5, burning_rate=burning_rate)["id"])


TARGETS = {
    "open": Target(
        "POST",
        lambda _: RESERVATIONS,
        body(
            account_uid=mostly(st.just(ADA)),
            resource=texts,
            resource_type=mostly(st.just("runtime")),
            resource_given_name=texts,
            burning_rate=amounts,
            credits=amounts,
            heartbeat_seconds=mostly(st.sampled_from([30, 3_600, 0, -1, 3_601])),
            key=mostly(st.uuids().map(str)),
        ),
    ),
    "open once": Target(
        "POST",
        lambda _: RESERVATIONS,
        body(account_uid=st.just(ADA), resource=texts, burning_rate=st.just("0.01"), key=texts),
    ),
    "extend": Target("POST", of("extension"), body(credits=mostly(st.integers(4, 8)))),
    "rate": Target("PUT", of("burning-rate"), body(burning_rate=amounts)),
    "settle": Target("POST", of("settlement", burning_rate=0), body(credits=amounts)),
    "settle what burns": Target("POST", of("settlement"), body(credits=amounts)),
    "charge": Target(
        "POST",
        lambda _: f"{USAGE}/charges",
        body(account_uid=st.just(ADA), credits=amounts, key=texts, resource=texts),
    ),
    "burn": Target("DELETE", lambda _: f"{USAGE}/credits", body(credits=amounts)),
    "grant": Target(
        "POST",
        lambda ada: f"{ACCOUNTS}/{ada.uid}/grants",
        body(credits=amounts, key=mostly(st.uuids().map(str)), reason=texts),
    ),
    "reverse": Target(
        "POST",
        lambda ada: f"{ACCOUNTS}/{ada.uid}/grants/{ada.give(5)['id']}/reversal",
        body(credits=amounts, key=mostly(st.uuids().map(str)), reason=texts),
    ),
}


@pytest.fixture
def ada(house: House) -> Holder:
    """An account with a hundred thousand credits."""
    return holder(house, credits_=100_000)


@pytest.mark.parametrize("name", TARGETS)
def test_it_is_done_or_refused_and_then_nothing_changes(ada: Holder, name: str) -> None:
    target = TARGETS[name]
    seen: set[bool] = set()

    @settings(
        max_examples=25,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        path, said = target.path(ada), data.draw(target.bodies)
        secret = ada.user if target.method == "DELETE" else ada.admin
        before = ada.books()
        answer = ada.house.ask(
            target.method,
            path,
            secret,
            content=json.dumps(said).replace(ADA, ada.uid).encode(),
            headers={"Content-Type": "application/json"},
        )
        seen.add(answer.is_success)
        if not answer.is_success:
            assert answer.status_code < 500, answer.text
            refused(answer, answer.status_code)
            assert ada.books() == before

    check()
    assert seen == {True, False}, "only one of both was tried"
    assert [found for found in ada.findings() if found.account_uid == ada.uid] == []
