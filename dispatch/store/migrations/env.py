"""Run by Alembic: the steps go through the connection that `dispatch.store.schema` gives, in its transaction."""

from __future__ import annotations

from alembic import context

from dispatch.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
