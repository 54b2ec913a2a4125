"""The cases as the last pass saw them: what is asked, where they stand, what comes next or why nothing does.

The numbers are those of the stored decision frames, so a list of 200,000 cases costs one read of a file a shard.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.errors import UsageError
from maatpak.kernel.money import parse_amount
from maatpak.kernel.reasons import NoActionReason
from tasks.register import creditor_by_code

if TYPE_CHECKING:
    from tasks.engine import Engine

LAST_TICKS = """
SELECT t.creditor_id, t.business_date, t.decisions_evidence
FROM tick t
JOIN (SELECT DISTINCT ON (creditor_id) creditor_id, business_date, shards FROM tick ORDER BY creditor_id, id DESC) last
  USING (creditor_id, business_date, shards)
WHERE t.id = (SELECT max(id) FROM tick same WHERE (same.creditor_id, same.business_date, same.shard, same.shards)
              = (t.creditor_id, t.business_date, t.shard, t.shards))
"""
"""The newest pass over every shard of every creditor."""

NAMES = """
SELECT c.id AS case_id, r.code AS creditor, d.debtor_no, p.name, c.currency
FROM "case" c
JOIN creditor r ON r.id = c.creditor_id
JOIN debtor d ON d.id = c.debtor_id
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
"""

GIVEN_PACKS = "SELECT DISTINCT pack_id FROM creditor_pack WHERE replaced_at IS NULL"

DECIDED = (
    *("segment", "stage", "step", "outcome", "reason", "detail", "due_on", "next_step", "next_on"),
    *("asked_amount", "overdue_open"),
)


@dataclass(frozen=True)
class CaseFilter:
    """Which cases to list; what is None does not filter."""

    creditor: str | None = None
    debtor: str | None = None
    """Part of a debtor's number or name, in any case."""
    segment: str | None = None
    reason: str | None = None
    at_least: str | None = None
    """Asked amount as people type it, in the currency of each case."""
    acting: bool = False
    """Only cases that get a step."""


def list_cases(engine: "Engine", wanted: CaseFilter) -> list[dict[str, Any]]:
    """The cases that fit, largest amount first.

    Raises:
        UsageError: no case can be in that segment, or go without a step for that reason; or it is no amount.
    """
    if wanted.creditor is not None:
        with engine.database.reading() as session:
            creditor_by_code(session, wanted.creditor)
    with engine.database.frames(read_only=True) as frames:
        names = frames.read(NAMES)
        ticks = frames.read(LAST_TICKS)
    decided = [_decisions(engine, *tick) for tick in ticks.iter_rows()]
    columns = dict.fromkeys(DECIDED, pl.String) | {"case_id": pl.Int64, "business_date": pl.Date}
    found = pl.concat(decided) if decided else pl.DataFrame(schema=columns)
    _require_known(engine, wanted, found)
    cases = names.join(found, on="case_id", how="left", maintain_order="left").filter(_conditions(wanted))
    if wanted.at_least is not None:
        least = {each: parse_amount(wanted.at_least, each) for each in cases["currency"].unique()}
        bar = pl.col("currency").replace_strict(least, return_dtype=pl.Int64)
        cases = cases.filter(pl.col("asked_amount").cast(pl.Int64) >= bar)
    order = pl.col("asked_amount").cast(pl.Int64)
    return cases.sort(order, "case_id", descending=[True, False], nulls_last=True).to_dicts()


def _decisions(engine: "Engine", creditor_id: int, business_date: date, evidence: str) -> pl.DataFrame:
    del creditor_id
    frame = engine.store.get_frame(evidence)
    return frame.select("case_id", *DECIDED).with_columns(pl.lit(business_date).alias("business_date"))


def _require_known(engine: "Engine", wanted: CaseFilter, found: pl.DataFrame) -> None:
    """Refuse a word that no case can have: an empty list would look like good news."""
    if wanted.reason is not None and wanted.reason not in list(NoActionReason):
        raise UsageError(f"{wanted.reason!r} is no reason for no step.", advice=f"One of: {', '.join(NoActionReason)}.")
    if wanted.segment is not None:
        with engine.database.frames(read_only=True) as frames:
            given = frames.read(GIVEN_PACKS)["pack_id"]
        known = {name for pack_id in given for name in engine.pack(pack_id).journeys}
        known |= set(found["segment"].drop_nulls())
        if wanted.segment not in known:
            raise UsageError(
                f"{wanted.segment!r} is no segment of the creditors' packs.",
                advice=f"One of: {', '.join(sorted(known)) or 'none, for no creditor has a pack'}.",
            )


def _conditions(wanted: CaseFilter) -> list[pl.Expr]:
    conditions = [pl.lit(value=True)]
    if wanted.creditor is not None:
        conditions.append(pl.col("creditor") == wanted.creditor)
    if wanted.debtor is not None:
        part = wanted.debtor.lower()
        in_number, in_name = (pl.col(name).str.to_lowercase().str.contains(part, literal=True) for name in NAMED)
        conditions.append(in_number | in_name.fill_null(value=False))
    if wanted.segment is not None:
        conditions.append(pl.col("segment") == wanted.segment)
    if wanted.reason is not None:
        conditions.append(pl.col("reason") == wanted.reason)
    if wanted.acting:
        conditions.append(pl.col("outcome") == "act")
    return conditions


NAMED = ("debtor_no", "name")


def figures(engine: "Engine", creditor: str | None) -> list[dict[str, Any]]:
    """Cases and amounts of the last decisions, by creditor, currency, segment and what happens: a step or a reason."""
    cases = [case for case in list_cases(engine, CaseFilter(creditor)) if case["outcome"] is not None]
    if not cases:
        return []
    what = pl.when(pl.col("outcome") == "act").then("step").otherwise("reason")
    groups = ["creditor", "currency", "business_date", "segment", "cause"]
    return (
        pl.DataFrame(cases, infer_schema_length=None)
        .with_columns(what.alias("cause"), pl.col("overdue_open", "asked_amount").cast(pl.Int64))
        .group_by(groups)
        .agg(pl.len().alias("cases"), pl.col("overdue_open", "asked_amount").sum())
        .sort("creditor", "currency", "overdue_open", "segment", "cause", descending=[False, False, True, False, False])
        .to_dicts()
    )
