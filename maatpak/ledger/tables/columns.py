"""Column types and mixins that the tables share, and the rule of what is visible as of a date."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata = MetaData(naming_convention=NAMING)
metadata = SQLModel.metadata


class UtcTime(TypeDecorator[datetime]):
    """An instant: refuses naive values on the way in, gives UTC on the way out."""

    impl = TIMESTAMP(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse an instant without a zone: it would silently be read as the server's."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; instants are stored in UTC")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The same instant, in UTC."""
        del dialect
        return None if value is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """A JSONB document of plain data."""

    impl = JSONB
    cache_ok = True


def one_of(column: str, words: type[StrEnum] | Iterable[str]) -> CheckConstraint:
    """A CHECK that a text column holds one of the words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def not_negative(*columns: str) -> list[CheckConstraint]:
    """A CHECK a column that it is never below zero."""
    return [CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns]


class Salted(SQLModel):
    """A row with personal content of which events keep a hash: the salt of it goes when the row goes (law 10)."""

    salt: str = Field(
        default=None, nullable=False, sa_column_kwargs={"server_default": text("(gen_random_uuid())::text")}
    )


class Versioned(SQLModel):
    """A fact with two times: since when it holds, and since when we know it (law 1).

    A change never rewrites: it stamps `replaced_from` and `replaced_at` on the row and inserts a successor, so what was
    known at any instant of any date can be read back. `VISIBLE` is the rule of reading it so.
    """

    valid_from: date
    recorded_at: datetime = Field(sa_type=UtcTime)
    replaced_from: date | None = None
    replaced_at: datetime | None = Field(default=None, sa_type=UtcTime)


VISIBLE = (
    "{t}.valid_from <= {as_of} AND {t}.recorded_at <= {known_at}"
    " AND ({t}.replaced_at IS NULL OR {t}.replaced_at > {known_at} OR {t}.replaced_from > {as_of})"
)
"""SQL template: which version of a row counts as of a business date, with what was recorded by an instant."""


def visible(table: str, as_of: date, known_at: datetime) -> str:
    """The SQL predicate of `VISIBLE` for a table alias, with literal values (both are typed, so no text gets in)."""
    if known_at.tzinfo is None:
        raise ValueError(f"known_at {known_at!r} has no time zone")
    return VISIBLE.format(
        t=table,
        as_of=f"DATE '{as_of.isoformat()}'",
        known_at=f"TIMESTAMPTZ '{known_at.astimezone(UTC).isoformat()}'",
    )
