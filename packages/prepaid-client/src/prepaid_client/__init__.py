"""Spend prepaid credits: charges, and reservations that meter what runs.

    from prepaid_client import Client

    with Client(url, token) as client:
        client.charge("0.5", resource="report-7", resource_type="report")
        with client.reservation("kernel-1", burning_rate="0.01") as running:
            while work():
                running.check()

`AsyncClient` is the same for asyncio. The package's README tells more.
"""

from prepaid_client.amounts import Amount
from prepaid_client.asking import Retries
from prepaid_client.async_client import AsyncClient
from prepaid_client.client import Client
from prepaid_client.errors import (
    Conflict,
    CreditsDepleted,
    Forbidden,
    InsufficientCredits,
    Invalid,
    KeyReused,
    PrepaidError,
    Refused,
    ReservationClosed,
    ReservationDepleted,
    ReservationLost,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unknown,
    UnknownAccount,
    UnknownReservation,
    Unreadable,
)
from prepaid_client.records import Balance, Charge, Entry, NewCharge, Reservation, Usage
from prepaid_client.reserving import LiveReservation
from prepaid_client.reserving_async import AsyncLiveReservation

__version__ = "0.1.0"

__all__ = [
    "Amount",
    "AsyncClient",
    "AsyncLiveReservation",
    "Balance",
    "Charge",
    "Client",
    "Conflict",
    "CreditsDepleted",
    "Entry",
    "Forbidden",
    "InsufficientCredits",
    "Invalid",
    "KeyReused",
    "LiveReservation",
    "NewCharge",
    "PrepaidError",
    "Refused",
    "Reservation",
    "ReservationClosed",
    "ReservationDepleted",
    "ReservationLost",
    "Retries",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "Unknown",
    "UnknownAccount",
    "UnknownReservation",
    "Unreadable",
    "Usage",
]
