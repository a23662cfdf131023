"""Consumption: what runs on the platform spends credits, or is told that there are not enough."""

import asyncio
from collections.abc import Sequence

from prepaid.core.commands import Charge, Posted
from prepaid.core.errors import Refusal
from prepaid.storage.writer import Ledger

MOST_CHARGES = 1_000
"""Charges in one request: they share a few transactions, and each waits for its own."""


def charge(ledger: Ledger, asked: Charge) -> asyncio.Future[Posted]:
    """Spends now, once for each key. It is under way at once, and waited for by whoever wants to.

    Raises:
        InsufficientCredits: the account has less; nothing is spent.
        Refusal: nothing is spent, for another reason.
    """
    return ledger.posting(asked)


def charge_all(ledger: Ledger, asked: Sequence[Charge]) -> asyncio.Future[list[Posted | Refusal]]:
    """Spends several times; one outcome for each, in order, as if each had come alone."""
    return ledger.posting_all(asked)
