"""How a versioned fact changes: the old row is stamped, a successor is inserted, nothing is rewritten (law 10)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeVar

import polars as pl
from sqlmodel import Session, SQLModel

from maatpak.ledger.database import Frames
from maatpak.ledger.tables.columns import Versioned

V = TypeVar("V", bound=Versioned)

STAMPS = frozenset({"id", "valid_from", "recorded_at", "replaced_from", "replaced_at"})


def succeed(session: Session, row: V, on: date, at: datetime, **changes: Any) -> V:
    """The row's successor from a business date on, recorded at an instant."""
    row.replaced_from, row.replaced_at = on, at
    session.flush()  # a record has one current version, so the old one steps down first
    successor = type(row)(**{**row.model_dump(exclude=set(STAMPS)), **changes}, valid_from=on, recorded_at=at)
    session.add(successor)
    session.flush()
    return successor


def succeed_all(
    frames: Frames,
    table: type[SQLModel],
    changed: pl.DataFrame,
    on: date,
    at: datetime,
    *,
    fixed: Mapping[str, str] | None = None,
) -> int:
    """Successors of many current rows at once; how many there were.

    `changed` has the column `id` of the rows and a column for each value that changes; `fixed` gives changes that are
    the same for all, as SQL expressions. A row that somebody replaced meanwhile is left alone.
    """
    if changed.is_empty():
        return 0
    name, constants = str(table.__tablename__), dict(fixed or {})
    frames.stage("changed_versions", changed)
    moment = f"TIMESTAMPTZ '{at.isoformat()}'"
    columns = [column for column in table.model_fields if column not in STAMPS]
    values = [_value(column, changed.columns, constants) for column in columns]
    listed = ", ".join(f'"{column}"' for column in columns)
    return frames.execute(
        f"""
        WITH replaced AS (
            UPDATE "{name}" old SET replaced_from = DATE '{on.isoformat()}', replaced_at = {moment}
            FROM pg_temp.changed_versions new WHERE old.id = new.id AND old.replaced_at IS NULL
            RETURNING old.*
        )
        INSERT INTO "{name}" ({listed}, valid_from, recorded_at)
        SELECT {", ".join(values)}, DATE '{on.isoformat()}', {moment}
        FROM replaced old JOIN pg_temp.changed_versions new ON old.id = new.id
        """  # noqa: S608 - names of our own tables, typed dates
    )


def _value(column: str, changing: list[str], constants: Mapping[str, str]) -> str:
    if column in constants:
        return constants[column]
    return f'new."{column}"' if column in changing else f'old."{column}"'
