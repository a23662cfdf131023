"""Ids: UUIDv7, which sort by the time they were made."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A new id."""
    return UUID(int=uuid_utils.uuid7().int)
