"""Alembic's entry: runs the migrations on the connection that `migrate` hands over."""

from alembic import context

from gateway.store.tables import Model

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Model.metadata)
with context.begin_transaction():
    context.run_migrations()
