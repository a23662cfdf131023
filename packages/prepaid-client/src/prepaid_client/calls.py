"""The API's calls as values: where each goes, what it says, and how its answer is read."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypedDict, TypeVar
from urllib.parse import quote

from prepaid_client.amounts import Amount, written
from prepaid_client.answers import Answer, refusal
from prepaid_client.documents import Document, documents, flag, mark, optional
from prepaid_client.errors import PrepaidError
from prepaid_client.records import Balance, Charge, Entry, NewCharge, Reservation, Told, Usage

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

USAGE = "/api/iam/v1/usage"


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """One request. Each is harmless to repeat: it only reads, has a key, or says how things are to
    be and not how they are to change. `read` makes the result of a good answer."""

    method: str
    path: str
    read: Callable[[Answer], T_co]
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """Some of a list, newest first; `next_before` begins the next page, None on the last."""

    found: tuple[T_co, ...]
    next_before: str | None


class Terms(TypedDict, total=False):
    """On what terms a reservation is opened, beside what it is for and what it costs."""

    account_uid: str | None
    resource_type: str
    resource_given_name: str
    heartbeat_seconds: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What a reservation is opened with, the first time and again after it was lost.

    Raises:
        TypeError, ValueError: the rate or the limit is not an exact number.
    """

    resource: str
    burning_rate: Amount
    credits: Amount | None
    account_uid: str | None
    resource_type: str
    resource_given_name: str
    heartbeat_seconds: int
    key: str

    def __post_init__(self) -> None:
        self.call()  # refuses a float here, where it is written, and not later in a thread

    def call(self) -> Call[Told]:
        """Opens it."""
        limit = None if self.credits is None else written(self.credits)
        body = {
            **_whose(self.account_uid),
            "resource": self.resource,
            "resource_type": self.resource_type,
            "resource_given_name": self.resource_given_name,
            "burning_rate": written(self.burning_rate, "burning_rate"),
            "credits": limit,
            "heartbeat_seconds": self.heartbeat_seconds,
            "key": self.key,
        }
        return Call("POST", f"{USAGE}/reservations", _told, body=_json(body))


def charge(new: NewCharge) -> Call[Charge]:
    """Spends now."""

    def read(answer: Answer) -> Charge:
        return Charge.read(answer.document())

    return Call("POST", f"{USAGE}/charges", read, body=_json(_charge(new)))


def charges(new: Iterable[NewCharge]) -> Call[list[Charge | PrepaidError]]:
    """Spends up to a thousand times."""

    def read(answer: Answer) -> list[Charge | PrepaidError]:
        return [_outcome(one) for one in answer.document().take("outcomes", documents)]

    body = _json({"charges": [_charge(one) for one in new]})
    return Call("POST", f"{USAGE}/charges/batch", read, body=body)


def balance(account_uid: str | None) -> Call[Balance]:
    """Reads what an account has."""

    def read(answer: Answer) -> Balance:
        return Balance.read(answer.document())

    return Call("GET", f"{USAGE}/credits", read, _whose(account_uid))


def entries(account_uid: str | None, before: str | None) -> Call[Page[Entry]]:
    """Reads how a balance came about, a page at a time."""
    return _page("entries", "entries", Entry.read, account_uid, before)


def usages(account_uid: str | None, before: str | None) -> Call[Page[Usage]]:
    """Reads what an account's resources have cost, a page at a time."""
    return _page("user", "usages", Usage.read, account_uid, before)


def reservations(account_uid: str | None) -> Call[list[Reservation]]:
    """Reads an account's open reservations."""

    def read(answer: Answer) -> list[Reservation]:
        return [Reservation.read(one) for one in answer.document().take("reservations", documents)]

    return Call("GET", f"{USAGE}/reservations", read, _whose(account_uid))


def heartbeat(reservation_id: str) -> Call[Told]:
    """Says that a reservation's holder lives."""
    return Call("POST", _of(reservation_id, "heartbeat"), _told)


def extension(reservation_id: str, credits: Amount | None) -> Call[Told]:
    """Raises a reservation's limit to a new total; without one, tops its slice up."""
    body = {} if credits is None else {"credits": written(credits)}
    return Call("POST", _of(reservation_id, "extension"), _told, body=_json(body))


def burning_rate(reservation_id: str, rate: Amount) -> Call[Told]:
    """Lets a reservation burn at another rate from now on."""
    body = {"burning_rate": written(rate, "burning_rate")}
    return Call("PUT", _of(reservation_id, "burning-rate"), _told, body=_json(body))


def settlement(reservation_id: str, credits: Amount | None) -> Call[Told]:
    """Ends a reservation, and posts what it has cost."""
    body = {} if credits is None else {"credits": written(credits)}
    return Call("POST", _of(reservation_id, "settlement"), _told, body=_json(body))


def release(reservation_id: str) -> Call[Told]:
    """Ends a reservation at no cost."""
    return Call("POST", _of(reservation_id, "release"), _told)


def _page(
    path: str,
    name: str,
    of: Callable[[Document], T],
    account_uid: str | None,
    before: str | None,
) -> Call[Page[T]]:
    def read(answer: Answer) -> Page[T]:
        told = answer.document()
        found = tuple(map(of, told.take(name, documents)))
        return Page(found, told.take("next_before", optional(mark)))

    page = {} if before is None else {"before": before}
    return Call("GET", f"{USAGE}/{path}", read, _whose(account_uid) | page)


def _of(reservation_id: str, what: str) -> str:
    return f"{USAGE}/reservations/{quote(reservation_id, safe='')}/{what}"


def _told(answer: Answer) -> Told:
    return Told.read(answer.document(), answer.sent_at)


def _outcome(told: Document) -> Charge | PrepaidError:
    return Charge.read(told) if told.take("success", flag) else refusal(told)


def _charge(new: NewCharge) -> dict[str, str]:
    return {
        **_whose(new.account_uid),
        "credits": written(new.credits),
        "key": new.key,
        "resource": new.resource,
        "resource_type": new.resource_type,
        "description": new.description,
    }


def _whose(account_uid: str | None) -> dict[str, str]:
    return {} if account_uid is None else {"account_uid": account_uid}


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body).encode()
