"""How Alembic runs here: over the connection it is given, never one of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import context

from daemon.store.tables import metadata

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationInfo


def _tell(step: MigrationInfo) -> None:
    progress = context.config.attributes.get("progress")
    if progress is not None:
        progress(step.up_revision_id)


def _plain_type(kind: str, column_type: Any, _context: object) -> str | Literal[False]:  # noqa: ANN401
    # A migration names the types of the day it was written, not ours of today.
    if kind == "type" and column_type.__module__ == "daemon.store.columns":
        return f"sa.{column_type.impl!r}"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_plain_type,
    render_as_batch=True,
    compare_type=True,
    # SQLite's DDL is as transactional as PostgreSQL's; Alembic does not believe it unless told.
    transactional_ddl=True,
    transaction_per_migration=True,
    on_version_apply=lambda **applied: _tell(applied["step"]),
)
with context.begin_transaction():
    context.run_migrations()
