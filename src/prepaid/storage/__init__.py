"""All the SQL: one code path for SQLite and PostgreSQL."""
