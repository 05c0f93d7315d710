"""Alembic's entry: migrates over the connection it is handed, within that connection's transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
