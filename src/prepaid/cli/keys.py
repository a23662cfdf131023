"""API keys: made, listed and revoked."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rich.table import Table

from prepaid.cli.reports import Report, moment, table
from prepaid.clock import wall_clock
from prepaid.core.identity import Scope
from prepaid.flows import keys
from prepaid.opening import open_database
from prepaid.settings import read_database_settings
from prepaid.storage.api_keys import ApiKey


@dataclass(frozen=True, slots=True)
class NewKeyOut:
    """A key, with the secret that is told once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class KeysOut:
    """All keys, oldest first."""

    keys: list[ApiKey]


@dataclass(frozen=True, slots=True)
class RevokedOut:
    """The key that doesn't work any more."""

    id: UUID
    revoked: bool = True


async def created(name: str, scope: str, account_uid: str | None) -> Report:
    """A new key."""
    async with open_database(read_database_settings().database) as database:
        made = await keys.make(database, name, Scope(scope), account_uid, wall_clock())
    told = "The secret is told now and never again:"
    return Report(NewKeyOut(made.key, made.secret), [_table([made.key]), told, made.secret])


async def listed() -> Report:
    """All keys, without their secrets."""
    async with open_database(read_database_settings().database) as database:
        found = await keys.listed(database)
    return Report(KeysOut(found), [_table(found)])


async def revoked(key_id: UUID) -> Report:
    """A key that doesn't work any more."""
    async with open_database(read_database_settings().database) as database:
        await keys.revoke(database, key_id, wall_clock())
    return Report(RevokedOut(key_id), [f"The key {key_id} doesn't work any more."])


def _table(found: Sequence[ApiKey]) -> Table:
    return table(
        *("id", "name", "scope", "account", "since", "revoked"),
        rows=map(_row, found),
    )


def _row(one: ApiKey) -> tuple[object, ...]:
    since, until = moment(one.created_at), moment(one.revoked_at)
    return (one.id, one.name, one.scope, one.account_uid, since, until)
