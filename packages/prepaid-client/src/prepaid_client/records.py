"""What comes back: an account's books, and what it has reserved. Credits are decimals, always."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import uuid4

from prepaid_client.amounts import Amount
from prepaid_client.documents import (
    Document,
    document,
    documents,
    exact,
    filled,
    flag,
    instant,
    optional,
    seconds,
    text,
    whole,
)


def new_key() -> str:
    """An idempotency key that nobody has used."""
    return uuid4().hex


@dataclass(frozen=True, slots=True)
class NewCharge:
    """One charge of a batch. Sent again with the same `key`, it spends once.

    `credits` is a Decimal, an int or decimal text. `account_uid` is whose they are; None is the
    token's own account.
    """

    credits: Amount
    account_uid: str | None = None
    resource: str = ""
    resource_type: str = ""
    description: str = ""
    key: str = field(default_factory=new_key)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of a balance. `credits` is signed; `balance` is what there was after it.

    Entries of an account are numbered 1, 2, 3 ... `source` is what it was for, `reason` why, and
    `actor` who asked.
    """

    number: int
    id: str
    kind: str
    credits: Decimal
    balance: Decimal
    at: datetime
    source: str
    reason: str
    actor: str
    key: str

    @classmethod
    def read(cls, told: Document) -> Self:
        """An entry, from the wire."""
        return filled(cls, told)


@dataclass(frozen=True, slots=True)
class Charge:
    """Credits that were spent, now or (`replayed`) when the key was first sent."""

    entry: Entry
    replayed: bool

    @classmethod
    def read(cls, told: Document) -> Self:
        """A charge, from the wire."""
        return cls(
            entry=Entry.read(told.take("entry", document)),
            replayed=told.take("replayed", flag),
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """A claim on a balance by something that runs.

    `burning_rate` is credits a second. `credits` is what it reserves now, `limit` the most that it
    may cost (None: as far as the balance goes), `used` what it has cost by now. `state` is
    pending, running, settled, released, lost or depleted; `why` says how it ended. `last_update`
    is its last proof of life, `depletes_at` when what it reserves runs out. `epoch` counts how
    often its key has opened it.
    """

    id: str
    account_uid: str
    resource: str
    resource_type: str
    resource_given_name: str
    credits: Decimal
    limit: Decimal | None
    burning_rate: Decimal
    used: Decimal
    state: str
    why: str
    start_date: datetime
    last_update: datetime
    end_date: datetime | None
    depletes_at: datetime | None
    heartbeat_seconds: int
    epoch: int
    key: str

    @classmethod
    def read(cls, told: Document) -> Self:
        """A reservation, from the wire."""
        return filled(cls, told)


@dataclass(frozen=True, slots=True)
class Told:
    """A reservation, and what was left of it when the service answered.

    `seconds_left` is how long what is reserved lasts, `runway_seconds` how long it can go on if
    heartbeats keep extending it; both None if it doesn't burn. `sent_at` is when the request was
    sent, in seconds of the asker's own clock: counted from there they are never too long.
    """

    reservation: Reservation
    seconds_left: float | None
    runway_seconds: float | None
    heartbeat_seconds: int
    sent_at: float

    @classmethod
    def read(cls, told: Document, sent_at: float) -> Self:
        """What was told of a reservation, from the wire."""
        return cls(
            reservation=Reservation.read(told.take("reservation", document)),
            seconds_left=told.take("seconds_left", optional(seconds)),
            runway_seconds=told.take("runway_seconds", optional(seconds)),
            heartbeat_seconds=told.take("heartbeat_seconds", whole),
            sent_at=sent_at,
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has. `credits` is posted, before reservations; `available` can be spent.

    `reserved` is what open reservations claim, `accrued` what of that has burnt already,
    `burning_rate` how much burns a second. `depletes_at` is when all is gone if nothing changes;
    None if that is never.
    """

    account_uid: str
    credits: Decimal
    reserved: Decimal
    accrued: Decimal
    available: Decimal
    burning_rate: Decimal
    depletes_at: datetime | None
    last_update: datetime
    reservations: tuple[Reservation, ...]

    @classmethod
    def read(cls, told: Document) -> Self:
        """A balance, from the wire."""
        posted = told.take("credits", document)
        return cls(
            account_uid=told.take("account_uid", text),
            credits=posted.take("credits", exact),
            reserved=told.take("reserved", exact),
            accrued=told.take("accrued", exact),
            available=told.take("available", exact),
            burning_rate=told.take("burning_rate", exact),
            depletes_at=told.take("depletes_at", optional(instant)),
            last_update=posted.take("last_update", instant),
            reservations=tuple(map(Reservation.read, told.take("reservations", documents))),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """What one resource has cost: a reservation, whether it runs or has ended, or a charge.

    `credits` is what it has cost by now, `burning_rate` what it costs a second, `credits_limit`
    the most that it may cost (None: no limit). `resource_state` is a reservation's, or "charged".
    """

    account_uid: str
    resource_uid: str
    resource_type: str
    resource_given_name: str
    resource_state: str
    burning_rate: Decimal
    credits: Decimal
    credits_limit: Decimal | None
    start_date: datetime
    updated_at: datetime
    end_date: datetime | None

    @classmethod
    def read(cls, told: Document) -> Self:
        """A usage, from the wire."""
        return filled(cls, told)
