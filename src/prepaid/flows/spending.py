"""Spending: what an account's credits went to, from one instant to another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from prepaid.core.amounts import NOTHING, Credits
from prepaid.core.entries import Kind
from prepaid.core.filters import Filter
from prepaid.core.reservations import Reservation, used
from prepaid.flows import accounts
from prepaid.storage import reservations
from prepaid.storage import spending as sums
from prepaid.storage.database import Database
from prepaid.storage.spending import Spent

SPENT = frozenset((Kind.CHARGE, Kind.SETTLEMENT))

SHOWN = 10

MOST_SHOWN = 100


class By(StrEnum):
    """What spending is summed up by."""

    RESOURCE = "resource"
    RESOURCE_TYPE = "resource_type"


@dataclass(frozen=True, slots=True)
class Cost:
    """What something has cost: `spent` is posted, `accrued` is what runs, if it ended now."""

    spent: Credits = NOTHING
    accrued: Credits = NOTHING

    @property
    def credits(self) -> Credits:
        """Both."""
        return self.spent + self.accrued


@dataclass(frozen=True, slots=True)
class Spending:
    """What most went to, this first: by the type and the name of a resource ("kernel k1"), or by a
    type alone. `given_names` are what users call them, where they do. `others` are how many more
    there are, and what they have cost together."""

    at: datetime
    by: By
    costs: dict[str, Cost]
    given_names: dict[str, str]
    others: tuple[int, Cost]
    total: Cost


async def spending(  # noqa: PLR0913, PLR0917 - whose, from when to when, as of when, and how
    database: Database,
    uid: str,
    since: datetime | None,
    until: datetime | None,
    at: datetime,
    by: By = By.RESOURCE,
    most: int = SHOWN,
) -> Spending:
    """What an account's charges and settlements of a span have cost together, by what they were
    for; at most so many, and the others in one. It is one consistent picture.

    What runs counts if the span goes on at `at`, which is now: with all that it has cost since it
    began, as it will be posted.

    Raises:
        UnknownAccount: there is no such account.
        Invalid: the span is empty.
    """
    spent = Spent(uid, Filter(SPENT, since, until), by_type=by is By.RESOURCE_TYPE)
    await accounts.account(database, uid)
    async with database.snapshot() as connection:
        running = (await reservations.open_ones(connection, [uid]))[uid]
        accrued = _accrued(running if until is None or until > at else [], by, at)
        found = await sums.most(connection, spent, most)
        posted = found.most | await sums.on(connection, spent, accrued.keys())
        shown = _first(posted, accrued, most)
        named = [name.partition(" ")[2] for name in shown if by is By.RESOURCE]
        given = await reservations.given_names(connection, uid, named)
    total = Cost(found.total, _sum(accrued.values()))
    more = found.count + len(accrued.keys() - posted.keys()) - len(shown)
    names = {f"{type_} {resource}": name for (type_, resource), name in given.items()}
    return Spending(at, by, shown, names, (more, _rest(total, shown)), total)


def _accrued(running: Iterable[Reservation], by: By, at: datetime) -> dict[str, Credits]:
    """What has not been posted yet, under the names that it will be posted under."""
    found: dict[str, Credits] = {}
    for one in running:
        name = (
            one.resource_type if by is By.RESOURCE_TYPE else f"{one.resource_type} {one.resource}"
        )
        if cost := used(one, at):
            found[name] = found.get(name, NOTHING) + cost
    return found


def _first(
    posted: Mapping[str, Credits], accrued: Mapping[str, Credits], most: int
) -> dict[str, Cost]:
    """The most expensive ones first. What was posted for less than so many others, and runs no
    more, isn't among them, and need not be known."""
    costs = {
        name: Cost(posted.get(name, NOTHING), accrued.get(name, NOTHING))
        for name in posted.keys() | accrued.keys()
    }
    return dict(sorted(costs.items(), key=lambda one: (-one[1].credits.micro, one[0]))[:most])


def _rest(total: Cost, shown: Mapping[str, Cost]) -> Cost:
    return Cost(
        total.spent - _sum(cost.spent for cost in shown.values()),
        total.accrued - _sum(cost.accrued for cost in shown.values()),
    )


def _sum(amounts: Iterable[Credits]) -> Credits:
    return Credits(sum(one.micro for one in amounts))
