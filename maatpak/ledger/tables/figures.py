"""The figures of a creditor's days, as the console shows them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from maatpak.ledger.tables.columns import UtcTime


class Figure(SQLModel, table=True):
    """One value of one figure of a creditor as of a business date, whole or of one part of it.

    Derived data, not history: all of it follows from the other tables and the evidence of ticks, so reckoning a date
    again replaces the rows of that date.
    """

    __table_args__ = (
        Index("ix_figure_series", "creditor_id", "name", "business_date", postgresql_where=text("dimension = ''")),
    )

    creditor_id: int = Field(foreign_key="creditor.id", sa_type=BigInteger, primary_key=True)
    business_date: date = Field(primary_key=True)
    name: str = Field(primary_key=True)
    """As in `tasks.figures.registry.FIGURES`."""
    dimension: str = Field(default="", primary_key=True)
    """By what it is divided: segment, bucket, reason …; empty: the whole."""
    key: str = Field(default="", primary_key=True)
    """Which part of that."""
    currency: str = Field(default="", primary_key=True)
    """Of money and of what is made of it; empty for all else."""
    value: int | None = Field(default=None, sa_type=BigInteger)
    """Minor units of money, hundredths of days, percents, points and rates. Null: not known."""
    count: int = Field(default=0, sa_type=BigInteger)
    """Of how many it is made: items, cases, contacts, whatever the figure counts."""
    recorded_at: datetime = Field(sa_type=UtcTime)
