"""The client for programs with an event loop (asyncio)."""

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, Unpack

import httpx

from prepaid_client import calls
from prepaid_client.amounts import Amount
from prepaid_client.answers import Silence
from prepaid_client.asking import PATIENTLY, Asker, Heard, Retries, Send, Step, run_async
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
from prepaid_client.reserving_async import AsyncLiveReservation
from prepaid_client.sending import answer_of, request_of, service_at

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class AsyncClient:
    """Spends credits, and reads what there is, without blocking the loop. One for a program.

    Everything is as with Client: what is given, what comes back, and what is raised.
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
        self._http = httpx.AsyncClient(base_url=service.url, headers=service.headers)

    async def __aenter__(self) -> Self:
        """The client, closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections. What is open of reservations has no heartbeats any more."""
        await self._http.aclose()

    async def charge(  # noqa: PLR0913 - a charge has this much
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
        return await self._ask(calls.charge(new))

    async def charge_all(self, charges: Iterable[NewCharge]) -> list[Charge | PrepaidError]:
        """Spends up to a thousand times. One outcome for each, in order: the charge, or the error
        that `charge` would have raised. One that is refused is no other's concern.

        Raises:
            Invalid: there are none, or more than a thousand; nothing was spent.
            Unavailable: whether they were spent is unknown; the same ones again spend once.
        """
        return await self._ask(calls.charges(charges))

    async def balance(self, account_uid: str | None = None) -> Balance:
        """What an account has, and what is reserved of it."""
        return await self._ask(calls.balance(account_uid))

    def entries(self, account_uid: str | None = None) -> AsyncIterator[Entry]:
        """How a balance came about, newest first. Pages are read as they are needed."""
        return self._all(lambda before: calls.entries(account_uid, before))

    def usages(self, account_uid: str | None = None) -> AsyncIterator[Usage]:
        """What an account's resources have cost, newest first: what runs, and what did, and
        charges. Pages are read as they are needed."""
        return self._all(lambda before: calls.usages(account_uid, before))

    async def reservations(self, account_uid: str | None = None) -> list[Reservation]:
        """An account's reservations that are open, newest first."""
        return await self._ask(calls.reservations(account_uid))

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
    ) -> AsyncLiveReservation:
        """A reservation for the time of an `async with` block, which it meters, and cancels when
        the credits are used up. What is given is as with `Client.reservation`.

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
        return AsyncLiveReservation(opening, self._asker, self._send)

    def metered(
        self,
        *,
        resource: str,
        burning_rate: Amount,
        credits: Amount | None = None,
        **terms: Unpack[Terms],
    ) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
        """Decorates a coroutine function: each call of it runs in a reservation of its own, with
        these terms, as `reservation` takes them. It is cancelled, and raises CreditsDepleted, when
        the credits are used up.

        Raises:
            TypeError: it is no coroutine function; Client meters functions.
        """

        def decorate(
            function: Callable[P, Coroutine[Any, Any, R]],
        ) -> Callable[P, Coroutine[Any, Any, R]]:
            if not inspect.iscoroutinefunction(function):
                raise TypeError(f"{function!r} is no coroutine function: it can't be metered.")

            @functools.wraps(function)
            async def metered(*args: P.args, **kwargs: P.kwargs) -> R:
                async with self.reservation(resource, burning_rate, credits, **terms):
                    return await function(*args, **kwargs)

            return metered

        return decorate

    async def _all(self, page_of: Callable[[str | None], Call[Page[T]]]) -> AsyncIterator[T]:
        before = None
        while True:
            page = await self._ask(page_of(before))
            for one in page.found:
                yield one
            before = page.next_before
            if before is None:
                return

    async def _ask(self, call: Call[T]) -> T:
        return await run_async(self._asker.persistently(call), self._do)

    async def _do(self, step: Step) -> Heard | None:
        if isinstance(step, Send):
            return await self._send(step)
        await asyncio.sleep(step.seconds)
        return None

    async def _send(self, step: Send) -> Heard:
        sent_at = self._asker.clock()
        try:
            response = await self._http.send(request_of(step, self._http))
        except httpx.RequestError as error:
            return Silence(error)
        return answer_of(response, sent_at)
