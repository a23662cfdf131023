"""The till, as operators look at it: the checkouts there are, and what Stripe has told of them."""

from uuid import UUID

from prepaid.core.checkouts import Checkout, State
from prepaid.core.commands import Verdict
from prepaid.core.errors import UnknownEvent
from prepaid.core.filters import CheckoutFilter
from prepaid.flows.accounts import PAGE
from prepaid.storage import checkouts, inbox
from prepaid.storage.database import Database
from prepaid.storage.inbox import Letter, Place


async def offers(
    database: Database,
    before: UUID | None = None,
    limit: int = PAGE,
    account_uid: str | None = None,
    state: State | None = None,
) -> list[Checkout]:
    """Checkouts, the newest first, as the signed webhook has told of them."""
    wanted = CheckoutFilter(frozenset(filter(None, [state])))
    async with database.reading() as connection:
        return await checkouts.listed(connection, account_uid, before, limit, wanted)


async def offer(database: Database, session_id: str) -> list[Checkout]:
    """The checkout with this session at Stripe, if there is one."""
    async with database.reading() as connection:
        found = await checkouts.by_session(connection, session_id)
    return [] if found is None else [found]


async def letters(
    database: Database,
    before: Place | None = None,
    limit: int = PAGE,
    verdict: Verdict | None = None,
) -> list[Letter]:
    """Events about checkouts of ours, the newest first."""
    async with database.reading() as connection:
        return await inbox.listed(connection, before, limit, verdict)


async def letter(database: Database, event_id: str) -> tuple[Letter, str]:
    """One event, and its payload as it came.

    Raises:
        UnknownEvent: there is none.
    """
    async with database.reading() as connection:
        found = await inbox.find(connection, event_id)
    if found is None:
        raise UnknownEvent(f"There is no event {event_id[:255]!r} in the inbox.")
    return found
