"""Consumption: what runs on the platform spends credits, or is told that there are not enough."""

from collections.abc import Sequence

from prepaid.core.commands import Charge, Posted
from prepaid.core.errors import Refusal
from prepaid.storage.writer import Ledger

MOST_CHARGES = 1_000
"""Charges in one request: they share a few transactions, and each waits for its own."""


async def charge(ledger: Ledger, asked: Charge) -> Posted:
    """Spends now, once for each key.

    Raises:
        InsufficientCredits: the account has less; nothing is spent.
        Refusal: nothing is spent, for another reason.
    """
    return await ledger.post(asked)


async def charge_all(ledger: Ledger, asked: Sequence[Charge]) -> list[Posted | Refusal]:
    """Spends several times; one outcome for each, in order, as if each had come alone."""
    return await ledger.post_all(asked)
