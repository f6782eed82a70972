"""Steps from one shape of the tables to the next, for Alembic; `dispatch.store.schema` runs them."""
