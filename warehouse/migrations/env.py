"""Alembic's migration script: it uses the connection and the transaction of `warehouse.upgrade.upgrade`."""

from alembic import context

from warehouse.schema import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    compare_type=True,
    # SQLite cannot alter most of a table in place, so that Alembic has to copy it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
