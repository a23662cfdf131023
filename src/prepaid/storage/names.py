"""Names: what accounts are searched by. Each is a word in small letters, kept in an index of its
own, so that a search reads what it finds and nothing else."""

from collections.abc import Collection

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite's dialect reads its ON CONFLICT too
from sqlalchemy.ext.asyncio import AsyncConnection

from prepaid.storage.tables import names

LONGEST = 128
"""Letters of a word that are kept and compared: PostgreSQL's index takes no page-long ones."""

_LAST = "\U0010ffff"
"""Behind every other letter."""


async def add(connection: AsyncConnection, uid: str, written: Collection[str]) -> None:
    """An account is found by these from now on, too."""
    await connection.execute(
        insert(names).on_conflict_do_nothing(),
        [{"word": word, "account_uid": uid} for word in _words(written)],
    )


async def exchange(connection: AsyncConnection, uid: str, written: Collection[str]) -> None:
    """An account is found by these, and by nothing else."""
    old = (names.c.account_uid == uid, names.c.word.not_in(_words(written)))
    await connection.execute(delete(names).where(*old))
    await add(connection, uid, written)


def found(begins: str, after: str, limit: int) -> Select[tuple[str]]:
    """The accounts by uid, beginning after one, that have a name which begins so, in whatever
    letters. All that begin so are sorted for each page: a million take a second."""
    word = small(begins)
    uid = names.c.account_uid
    alike = (names.c.word >= word, names.c.word < word + _LAST, uid > after)
    return select(uid).where(*alike).distinct().order_by(uid).limit(limit)


def small(written: str) -> str:
    """A name as it is compared."""
    return written.strip().lower()[:LONGEST]


def _words(written: Collection[str]) -> list[str]:
    """In one order everywhere: two processes must not wait for each other's."""
    return sorted(filter(None, map(small, written)))
