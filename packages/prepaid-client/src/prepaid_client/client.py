"""The client for programs with threads."""

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import ParamSpec, Self, TypeVar, Unpack

import httpx

from prepaid_client import calls
from prepaid_client.amounts import Amount
from prepaid_client.answers import Silence
from prepaid_client.asking import PATIENTLY, Asker, Heard, Retries, Send, Step, run
from prepaid_client.calls import Call, Opening, Page, Terms
from prepaid_client.errors import PrepaidError
from prepaid_client.records import (
    Balance,
    Charge,
    Entry,
    NewCharge,
    Reservation,
    Usage,
    new_key,
)
from prepaid_client.reserving import LiveReservation
from prepaid_client.sending import answer_of, request_of, service_at

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Client:
    """Spends credits, and reads what there is. One for a program: threads may share it.

    `url` is where the service is, `token` an API key or a token of the platform; without them the
    environment says (PREPAID_URL, PREPAID_TOKEN). `timeout_seconds` is how long the service may be
    silent at each step of a request, `retries` how often and how long a call is tried.

    Every method that asks the service raises Refused if it says no (the subclass says why), and
    Unavailable if it can't be reached or can't answer now. A call that has no `account_uid` is
    about the token's own account; a token of the platform has to name one. Credits are given as
    Decimal, int or decimal text, never as float (TypeError), and come back as Decimal.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_seconds: float = 10.0,
        retries: Retries = PATIENTLY,
    ) -> None:
        service = service_at(url, token)
        self._asker = Asker(retries, timeout_seconds)
        self._http = httpx.Client(base_url=service.url, headers=service.headers)

    def __enter__(self) -> Self:
        """The client, closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. What is open of reservations has no heartbeats any more."""
        self._http.close()

    def charge(  # noqa: PLR0913 - a charge has this much
        self,
        credits: Amount,
        *,
        account_uid: str | None = None,
        resource: str = "",
        resource_type: str = "",
        description: str = "",
        key: str | None = None,
    ) -> Charge:
        """Spends credits now. The same `key` spends once, however often it is sent; without one,
        this call spends once, however often it has to be tried.

        Raises:
            InsufficientCredits: there are fewer; it says how many, and where to buy more.
            KeyReused: the key stands for another charge.
            InvalidCredits: not a positive amount with at most six decimals.
            UnknownAccount, Forbidden, Unauthenticated: not this account, or not with this token.
            Unavailable: whether it was spent is unknown; with the same key it is spent once.
        """
        new = NewCharge(
            credits,
            account_uid,
            resource,
            resource_type,
            description,
            new_key() if key is None else key,
        )
        return self._ask(calls.charge(new))

    def charge_all(self, charges: Iterable[NewCharge]) -> list[Charge | PrepaidError]:
        """Spends up to a thousand times. One outcome for each, in order: the charge, or the error
        that `charge` would have raised. One that is refused is no other's concern.

        Raises:
            Invalid: there are none, or more than a thousand; nothing was spent.
            Unavailable: whether they were spent is unknown; the same ones again spend once.
        """
        return self._ask(calls.charges(charges))

    def balance(self, account_uid: str | None = None) -> Balance:
        """What an account has, and what is reserved of it."""
        return self._ask(calls.balance(account_uid))

    def entries(self, account_uid: str | None = None) -> Iterator[Entry]:
        """How a balance came about, newest first. Pages are read as they are needed."""
        return self._all(lambda before: calls.entries(account_uid, before))

    def usages(self, account_uid: str | None = None) -> Iterator[Usage]:
        """What an account's resources have cost, newest first: what runs, and what did, and
        charges. Pages are read as they are needed."""
        return self._all(lambda before: calls.usages(account_uid, before))

    def reservations(self, account_uid: str | None = None) -> list[Reservation]:
        """An account's reservations that are open, newest first."""
        return self._ask(calls.reservations(account_uid))

    def reservation(  # noqa: PLR0913 - a reservation has this much
        self,
        resource: str,
        burning_rate: Amount,
        credits: Amount | None = None,
        *,
        account_uid: str | None = None,
        resource_type: str = "runtime",
        resource_given_name: str = "",
        heartbeat_seconds: int = 30,
        key: str | None = None,
    ) -> LiveReservation:
        """A reservation for the time of a `with` block, which it meters.

        It burns `burning_rate` credits a second. `credits` is the most it may cost, reserved at
        once; without, three heartbeats' worth is reserved, and heartbeats extend that from the
        balance. A rate of 0 with `credits` is a hold, whose `settle` says what it cost.
        `heartbeat_seconds` is 1 to 3,600: a holder that is silent for three of them is lost.
        With a `key`, a program that is started again goes on with the reservation that it had.

        Nothing is asked before the block is entered.
        """
        opening = Opening(
            resource,
            burning_rate,
            credits,
            account_uid,
            resource_type,
            resource_given_name,
            heartbeat_seconds,
            new_key() if key is None else key,
        )
        return LiveReservation(opening, self._asker, self._send)

    def metered(
        self,
        *,
        resource: str,
        burning_rate: Amount,
        credits: Amount | None = None,
        **terms: Unpack[Terms],
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorates a function: each call of it runs in a reservation of its own, with these
        terms, as `reservation` takes them.

        What was used up before the function returned is raised as CreditsDepleted, and its result
        is lost: a function that has to notice earlier uses `reservation` and `check()` itself.

        Raises:
            TypeError: it is a coroutine or generator function, which only begins when it is
                called; AsyncClient meters coroutine functions.
        """

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if any(begins(function) for begins in ONLY_BEGINS):
                raise TypeError(f"{function!r} runs after it has returned: it can't be metered.")

            @functools.wraps(function)
            def metered(*args: P.args, **kwargs: P.kwargs) -> R:
                with self.reservation(resource, burning_rate, credits, **terms):
                    return function(*args, **kwargs)

            return metered

        return decorate

    def _all(self, page_of: Callable[[str | None], Call[Page[T]]]) -> Iterator[T]:
        before = None
        while True:
            page = self._ask(page_of(before))
            yield from page.found
            before = page.next_before
            if before is None:
                return

    def _ask(self, call: Call[T]) -> T:
        return run(self._asker.persistently(call), self._do)

    def _do(self, step: Step) -> Heard | None:
        if isinstance(step, Send):
            return self._send(step)
        time.sleep(step.seconds)
        return None

    def _send(self, step: Send) -> Heard:
        sent_at = self._asker.clock()
        try:
            response = self._http.send(request_of(step, self._http))
        except httpx.RequestError as error:
            return Silence(error)
        return answer_of(response, sent_at)


ONLY_BEGINS = (
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
)
"""Functions that do nothing yet when they are called."""
