"""The schema as it was before some migration."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from prepaid.storage import schema


def bring_to(connection: Connection, revision: str) -> None:
    """Migrates an empty database to a revision, and no further."""
    config = Config()
    folder = Path(schema.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
