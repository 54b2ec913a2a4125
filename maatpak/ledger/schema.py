"""The schema's version: bring it up, look whether it fits, refuse one from the future."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.exc import ProgrammingError

from maatpak.kernel.errors import WorkspaceError
from maatpak.ledger.database import Database
from maatpak.ledger.tables import metadata
from maatpak.ledger.tables.columns import Json, UtcTime

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.config import Config

SCRIPTS = Path(__file__).parent.parent / "migrations"
COMPARISON: dict[str, Any] = {"compare_type": True, "compare_server_default": True}
LOCK = "SELECT pg_advisory_xact_lock(hashtext('maatpak:schema'))"


def upgrade(database: Database) -> None:
    """Bring the schema to the newest version; safe when several processes do it at once."""
    from alembic import command

    with database.engine.begin() as connection:
        connection.execute(text(LOCK))
        _refuse_newer(_revision(connection))
        command.upgrade(_config(connection), "head")


def downgrade(database: Database, revision: str = "base") -> None:
    """Take the schema back to an earlier version; its later tables and their rows are gone."""
    from alembic import command

    with database.engine.begin() as connection:
        connection.execute(text(LOCK))
        command.downgrade(_config(connection), revision)


def current(database: Database) -> str | None:
    """The version of the schema in the database; None for an empty one."""
    with database.engine.connect() as connection:
        return _revision(connection)


def newest() -> str:
    """The version that this Maatpak works with."""
    head = _scripts().get_current_head()
    assert head is not None
    return str(head)


def require_current(database: Database) -> None:
    """Refuse to work on a schema that is not ours.

    Raises:
        WorkspaceError: it is missing, older, or newer than this Maatpak.
    """
    revision = current(database)
    _refuse_newer(revision)
    if revision != newest():
        raise WorkspaceError(
            f"The database has schema {revision or 'none'}, this Maatpak works with {newest()}.",
            advice="`maatpak init` brings it up; make a backup first.",
        )


def differences(database: Database) -> list[str]:
    """What differs between the tables in the database and those that the code declares; nothing, if all is well."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **COMPARISON})
        return [str(difference) for difference in compare_metadata(context, metadata)]


def render_item(kind: str, item: object, context: "AutogenContext") -> str | Literal[False]:
    """How a column type of ours is written in a migration: as PostgreSQL's own, so that it needs no code of ours."""
    del context
    if kind != "type":
        return False
    if isinstance(item, UtcTime):
        return "postgresql.TIMESTAMP(timezone=True)"
    if isinstance(item, Json | JSONB):
        return "postgresql.JSONB()"
    if isinstance(item, TSVECTOR):
        return "postgresql.TSVECTOR()"
    if type(item).__name__ == "AutoString":
        return "sa.String()"
    return False


def _refuse_newer(revision: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision is not None and revision not in known:
        raise WorkspaceError(
            f"The database has schema {revision}, which is newer than this Maatpak (it knows up to {newest()}).",
            advice="Install the Maatpak that made it, or a later one.",
        )


def _revision(connection: Connection) -> str | None:
    try:
        with connection.begin_nested() if connection.in_transaction() else connection.begin():
            row = connection.execute(text("SELECT version_num FROM alembic_version")).fetchone()
    except ProgrammingError:
        return None
    return None if row is None else str(row[0])


@cache
def _scripts() -> Any:
    """The migrations, which no process changes while it runs."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(slug)s")
    config.attributes["connection"] = connection
    return config
