"""Alembic's entry: runs on the connection that `maatpak.ledger.schema` hands over, inside its transaction."""

from alembic import context

from maatpak.ledger.schema import COMPARISON, render_item
from maatpak.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=render_item,
    transaction_per_migration=False,
    **COMPARISON,
)
with context.begin_transaction():
    context.run_migrations()
