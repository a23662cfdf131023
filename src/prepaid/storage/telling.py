"""What is told to those who wait for something that is asked for together."""

import asyncio
from typing import TypeVar

from prepaid.core.errors import LedgerUnavailable

T = TypeVar("T")


def tell(waiting: asyncio.Future[T], told: T | Exception) -> None:
    """Tells somebody, unless they have gone away meanwhile. A fault is raised where they wait."""
    if waiting.done():
        return
    if isinstance(told, Exception):
        waiting.set_exception(told)
    else:
        waiting.set_result(told)


def stopping() -> LedgerUnavailable:
    """For whoever has no answer by the end, and who comes after it."""
    return LedgerUnavailable("The service is stopping; ask again.")
