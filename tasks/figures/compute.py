"""Reckons the figures of a creditor's date and keeps them: one pass over what is open, and a handful of sums.

What is known of each case (segment, median delay, experience, reason) comes from the frames that the date's ticks kept,
so that figures and decisions agree. What is written replaces the rows of that date: derived data, not history.
"""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from maatpak.ledger.database import Frames
from maatpak.ledger.literals import quoted
from maatpak.ledger.tables import visible
from policies.fact_frames import COLUMNS
from tasks.facts.collecting import collected
from tasks.facts.scope import Scope
from tasks.figures.cases import CASE_COLUMNS, NONE, Known, case_rows
from tasks.figures.conduct import conduct_rows
from tasks.figures.queries import ANSWERS, OPEN_DEBTS, PERIOD, ROUNDS, TICKS, TOTALS
from tasks.figures.receivables import receivable_rows
from tasks.figures.rows import Row
from tasks.figures.totals import Totals

if TYPE_CHECKING:
    from tasks.engine import Engine

SINGLE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('maatpak:figures:{creditor}'))"
DECIDED = ("case_id", "segment")


def compute_figures(engine: "Engine", creditor_id: int, as_of: date, now: datetime) -> int:
    """The figures of a date, from what was known by an instant; how many rows were kept in place of any before.

    Messages and touches count by their date alone.

    Raises:
        UsageError: the creditor had no pack then.
    """
    scope = Scope(creditor_id, as_of, now)
    with engine.database.frames() as frames:
        frames.execute(SINGLE_LOCK.format(creditor=int(creditor_id)))
        ticks = frames.read(_sql(scope, TICKS))
        known = Known(_cases(engine, ticks), frames.read(_sql(scope, OPEN_DEBTS)), as_of)
        totals = Totals(frames.read(_sql(scope, TOTALS)), as_of)
        answers = frames.read(_sql(scope, ANSWERS))
        rounds = frames.read(_sql(scope, ROUNDS))
        rows = [
            *receivable_rows(known, totals),
            *case_rows(known, engine.pack(totals.pack_id)),
            *conduct_rows(totals, answers, rounds),
        ]
        _replace(frames, creditor_id, as_of, now, rows)
    return len(rows)


def _sql(scope: Scope, template: str) -> str:
    since = scope.days_ago(PERIOD)
    then = f"({visible('v', since, scope.known_at)})"
    return scope.sql(re.sub(r":since\b", f"DATE '{since}'", template.replace(":visible_then(v)", then)))


def _cases(engine: "Engine", ticks: pl.DataFrame) -> pl.DataFrame:
    """What the date's ticks knew of each case, with the segment that they put it in."""
    facts = [engine.store.get_frame(key, columns=CASE_COLUMNS) for key in ticks["facts_evidence"]]
    decisions = [engine.store.get_frame(key, columns=DECIDED) for key in ticks["decisions_evidence"]]
    if not facts:
        return pl.DataFrame(schema={**{name: COLUMNS[name] for name in CASE_COLUMNS}, "segment": pl.String})
    decided = pl.concat(decisions).lazy()
    joined = pl.concat(facts).lazy().join(decided, on="case_id", how="left")
    return joined.with_columns(pl.col("segment").fill_null(NONE)).pipe(collected)


def _replace(frames: Frames, creditor_id: int, as_of: date, now: datetime, rows: Iterable[Row]) -> None:
    """Put the rows in place of those of the date."""
    keys = f"{int(creditor_id)}, DATE '{as_of}'"
    at = f"TIMESTAMPTZ '{now.astimezone(UTC).isoformat()}'"
    listed = ", ".join(
        f"({keys}, {', '.join(map(quoted, (row.name, row.dimension, row.key, row.currency)))},"
        f" {'NULL' if row.value is None else int(row.value)}, {int(row.count)}, {at})"
        for row in rows
    )
    frames.execute(f"DELETE FROM figure WHERE (creditor_id, business_date) = ({keys})")  # noqa: S608 - typed literals
    frames.execute(
        "INSERT INTO figure (creditor_id, business_date, name, dimension, key, currency, value, count, recorded_at)"  # noqa: S608
        f" VALUES {listed}"
    )
