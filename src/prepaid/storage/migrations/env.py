"""Alembic's entry: runs inside the transaction that `database.migrate` has opened."""

from alembic import context

from prepaid.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
context.run_migrations()
