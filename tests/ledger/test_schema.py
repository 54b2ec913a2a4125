"""The migrations make exactly the tables that the code declares, from empty and back; newer schemas are refused."""

import pytest
from sqlalchemy import text

from maatpak.kernel.errors import WorkspaceError
from maatpak.ledger import guards, schema
from maatpak.ledger.database import Database


def _tables(database: Database) -> set[str]:
    with database.engine.connect() as connection:
        rows = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        return {row[0] for row in rows}


def _guards(database: Database) -> list[tuple[str, ...]]:
    triggers = (
        "SELECT relname, tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
        " WHERE NOT tgisinternal ORDER BY 1, 2"
    )
    functions = "SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'maatpak%' ORDER BY 1"
    with database.engine.connect() as connection:
        return [tuple(row) for query in (triggers, functions) for row in connection.execute(text(query))]


def test_alembic_check_finds_nothing(database: Database) -> None:
    assert schema.differences(database) == [], "run `make remigrate`"
    assert schema.current(database) == schema.newest()
    schema.require_current(database)


def test_migrated_guards_are_those_of_the_code(database: Database) -> None:
    migrated = _guards(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(guards.DROP_SCRIPT)
        connection.execute(text(guards.create_script()))
    assert migrated == _guards(database), "run `make remigrate`"


def test_upgrade_from_empty_and_downgrade(empty_database: Database) -> None:
    assert schema.current(empty_database) is None
    schema.upgrade(empty_database)
    schema.upgrade(empty_database)
    assert "event" in _tables(empty_database)
    schema.downgrade(empty_database)
    assert _tables(empty_database) == {"alembic_version"}
    assert _guards(empty_database) == []
    schema.upgrade(empty_database)
    assert schema.differences(empty_database) == []


def test_empty_database_is_refused_with_advice(empty_database: Database) -> None:
    with pytest.raises(WorkspaceError, match="maatpak init"):
        schema.require_current(empty_database)


@pytest.mark.parametrize("act", [schema.require_current, schema.upgrade])
def test_newer_schema_is_refused(database: Database, act: object) -> None:
    with database.session() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '2099_01_01_future'"))
    with pytest.raises(WorkspaceError, match="newer than this Maatpak"):
        act(database)  # type: ignore[operator]
