"""The guards: triggers that refuse to change or delete an entry."""

from sqlalchemy import text

from prepaid.storage.database import Database

_SQLITE = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'"
_POSTGRESQL = (
    "SELECT tgname FROM pg_trigger WHERE tgrelid = 'entries'::regclass AND tgenabled <> 'D'"
)


async def missing(database: Database) -> set[str]:
    """The guards that should be there and aren't; empty when the ledger is safe."""
    query, verbs = _SQLITE, {"update", "delete"}
    if not database.sqlite:
        query, verbs = _POSTGRESQL, {"update", "delete", "truncate"}
    async with database.reading() as connection:
        present = set((await connection.execute(text(query))).scalars())
    return {f"entries_refuse_{verb}" for verb in verbs} - present
