"""The service's refusals as classes: the same names, codes and tree on both sides."""

import pickle
from collections.abc import Iterator
from decimal import Decimal

import pytest

import prepaid.core.errors as theirs
import prepaid_client.errors as ours
from prepaid_client.answers import BY_CODE, Answer
from prepaid_client.errors import (
    Conflict,
    Forbidden,
    InsufficientCredits,
    Invalid,
    PrepaidError,
    Refused,
    Unauthenticated,
    Unavailable,
    Unknown,
    Unreadable,
)


def branches(of: type[Exception]) -> Iterator[type[Exception]]:
    for branch in of.__subclasses__():
        yield branch
        yield from branches(branch)


THEIRS = sorted(
    {branch for branch in branches(theirs.Refusal) if branch.__module__ == theirs.__name__}, key=str
)


@pytest.mark.parametrize("branch", THEIRS, ids=lambda branch: branch.__name__)
def test_each_refusal_has_its_class(branch: type[theirs.Refusal]) -> None:
    mine = BY_CODE[branch.code]
    assert getattr(ours, branch.__name__) is mine
    assert (mine.code, mine.title) == (branch.code, branch.title)
    assert issubclass(mine, PrepaidError if issubclass(mine, Unavailable) else Refused)
    parent = branch.__base__
    assert parent is not None
    if parent is not theirs.Refusal:
        assert mine.__base__ is getattr(ours, parent.__name__)


def test_no_class_stands_for_what_the_service_never_says() -> None:
    known = {branch.code for branch in THEIRS if issubclass(branch, theirs.Refusal)}
    assert BY_CODE.keys() - known == {"prepaid_error", "refused", "unreadable"}


def answer(status: int, body: str, **headers: str) -> Answer:
    told = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, told, body.encode(), 0.0)


def problem(status: int, code: str, more: str = "") -> Answer:
    return answer(
        status, f'{{"code":"{code}","title":"T","detail":"D","status":{status}{more}}}'
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "nearest"),
    [
        (301, Refused),
        (400, Invalid),
        (401, Unauthenticated),
        (402, Refused),
        (403, Forbidden),
        (404, Unknown),
        (405, Refused),
        (409, Conflict),
        (413, Invalid),
        (418, Refused),
        (422, Invalid),
        (429, Unavailable),
        (500, Unavailable),
        (502, Unavailable),
        (599, Unavailable),
    ],
)
def test_a_code_that_is_not_known_becomes_the_nearest_class(
    status: int, nearest: type[PrepaidError]
) -> None:
    error = problem(status, "quite_new").fault()
    assert type(error) is nearest
    assert (error.code, error.title, error.detail) == ("quite_new", "T", "D")
    assert error.status == status


@pytest.mark.parametrize(
    "body", ["<html>", "404 page not found", "", '{"message":"no route"}', "[]"]
)
@pytest.mark.parametrize("status", [301, 401, 403, 404, 408, 413, 422, 500, 503])
def test_what_is_not_the_services_own_answer_refuses_nothing(status: int, body: str) -> None:
    """A proxy gives it, while the service is started again, say."""
    unexplained = answer(status, body).fault()
    assert type(unexplained) is Unreadable
    assert unexplained.status == status
    assert "is the URL right?" in unexplained.detail


def test_a_known_code_counts_more_than_the_status() -> None:
    assert type(problem(400, "reservation_lost").fault()) is ours.ReservationLost


def test_what_is_missing_is_told_exactly() -> None:
    more = ',"asked":0.1,"available":1e-6,"buy_url":"https://x/"'
    error = problem(402, "insufficient_credits", more).fault()
    assert isinstance(error, InsufficientCredits)
    assert (error.asked, error.available) == (Decimal("0.1"), Decimal("0.000001"))


@pytest.mark.parametrize(
    "more", ["", ',"asked":1,"available":true,"buy_url":""', ',"asked":"x","available":1']
)
def test_a_refusal_that_can_not_be_read_is_the_nearest_class(more: str) -> None:
    assert type(problem(402, "insufficient_credits", more).fault()) is Refused


@pytest.mark.parametrize(
    "body", ["", "[]", "NaN", "{", '{"a":1e9999999999999999999}', "\xff", "null"]
)
def test_what_is_no_object_of_json_can_not_be_read(body: str) -> None:
    with pytest.raises(Unreadable):
        answer(200, body).document()


def test_errors_travel_between_processes() -> None:
    more = ',"asked":2,"available":1,"buy_url":"https://x/"'
    told = problem(402, "insufficient_credits", more).fault()
    again = pickle.loads(pickle.dumps(told))  # noqa: S301 - our own
    assert isinstance(again, InsufficientCredits)
    assert (again.asked, again.available) == (Decimal(2), Decimal(1))
    assert again.status == 402
    assert str(again) == "D"


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 01 Jan 2024 00:00:10 GMT", 10.0),
        ("Sun, 31 Dec 2023 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:00:10 -0000", 10.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_a_wish_to_be_left_alone_is_understood(told: str, seconds: float | None) -> None:
    headers = {"Retry_After": told, "Date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    error = answer(503, "", **headers).fault()
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds == seconds


def test_a_date_without_a_clock_to_compare_with_is_no_wish() -> None:
    error = answer(503, "", Retry_After="Mon, 01 Jan 2024 00:00:10 GMT").fault()
    assert isinstance(error, Unavailable)
    assert error.retry_after_seconds is None
