"""Keeps the table of where cases stand up to what a tick saw, so that a list of them is one query.

It is a copy for lists (maatpak.ledger.tables.standing): written after the tick, in a transaction of its own, changes
only. Should that fail, the next run writes what is missing; nothing else reads it to decide or to act.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from maatpak.ledger.database import Frames
from maatpak.ledger.tables import CaseStanding
from maatpak.ledger.tables.standing import NEVER
from tasks.facts.collecting import collected
from tasks.today import TICK, last_look

if TYPE_CHECKING:
    from tasks.engine import Engine
    from tasks.seen import Seen

LOSS_RATES = ((90, 106), (60, 66), (30, 36), (0, 16))
"""Days past the contractual due date beyond which so many per mille of an item count as at risk: the matrix that
IFRS 9 works through (Illustrative Example 12, IE74 to IE77). It orders work; it is nobody's provision."""

SINGLE_LOCK = "SELECT pg_advisory_xact_lock(hashtext('maatpak:standing:{creditor}'))"

BESIDE = ("words", "business_date", "recorded_at")
"""Columns that do not make a row another one."""
OF_TABLES = ("debtor_no", "name", "account_manager")
KEPT = tuple(name for name in CaseStanding.model_fields if name not in BESIDE)

WRITE = f"""
WITH standing AS (
  SELECT {", ".join(f"n.{name}" for name in KEPT if name not in OF_TABLES)}, d.debtor_no, COALESCE(p.name, '') AS name,
    COALESCE(p.account_manager, '') AS account_manager
  FROM pg_temp.new_standing n JOIN debtor d ON d.id = n.debtor_id
  LEFT JOIN debtor_profile p ON p.debtor_id = n.debtor_id AND p.replaced_at IS NULL
)
INSERT INTO case_standing ({", ".join(KEPT)}, business_date, recorded_at)
SELECT {", ".join(f"n.{name}" for name in KEPT)}, {{day}}, {{at}}
FROM standing n LEFT JOIN case_standing s ON s.case_id = n.case_id
WHERE ({", ".join(f"n.{name}" for name in KEPT)}) IS DISTINCT FROM ({", ".join(f"s.{name}" for name in KEPT)})
ORDER BY n.case_id
ON CONFLICT (case_id) DO UPDATE SET
  {", ".join(f"{name} = EXCLUDED.{name}" for name in (*KEPT, "business_date", "recorded_at") if name != "case_id")}
"""  # noqa: S608 - names of our own columns

REMOVE = """
DELETE FROM case_standing s USING "case" k
WHERE s.creditor_id = {creditor} AND k.id = s.case_id AND k.shard_key % {shards} = {shard}
  AND NOT EXISTS (SELECT 1 FROM pg_temp.new_standing n WHERE n.case_id = s.case_id)
"""


def refresh_standing(
    engine: "Engine", creditor_id: int, as_of: date, seen: "Seen", shard: int = 0, shards: int = 1
) -> int:
    """Bring the rows of a shard up to what its tick has just seen; how many changed or went.

    None where another run has looked since: it brings them up to what it saw, and what is older undoes nothing.
    """
    with engine.database.frames() as frames:
        frames.execute(SINGLE_LOCK.format(creditor=int(creditor_id)))
        newest = last_look(frames, creditor_id)
        if newest is not None and newest > seen.known_at:
            return 0
        return _write(frames, creditor_id, as_of, standing_of(seen, as_of), seen, shard, shards)


def _write(
    frames: Frames, creditor_id: int, as_of: date, rows: pl.DataFrame, seen: "Seen", shard: int, shards: int
) -> int:
    frames.stage("new_standing", rows)
    at = f"TIMESTAMPTZ '{(seen.known_at + TICK).isoformat()}'"
    written = frames.execute(WRITE.format(day=f"DATE '{as_of}'", at=at))
    gone = frames.execute(REMOVE.format(creditor=int(creditor_id), shard=int(shard), shards=int(shards)))
    return written + gone


def standing_of(seen: "Seen", as_of: date) -> pl.DataFrame:
    """A row a case that a tick saw: the columns of `CaseStanding`, but for what the master data and the clock say."""
    never, today = pl.lit(NEVER), pl.lit(as_of)
    acts = pl.col("outcome") == "act"
    decided = seen.decisions.lazy().select(
        *("case_id", "segment", "entry_stage", "stage", "outcome", "reason", "detail"),
        step=pl.when(acts).then("step"),
        next_step=pl.when(acts).then("step").otherwise("next_step"),
        next_on=pl.when(acts).then(today).otherwise("next_on"),
    )
    rows = (
        seen.facts.cases.lazy()
        .join(decided, on="case_id", how="inner", maintain_order="left")
        .join(_last_steps(seen.facts.steps.lazy()), on="case_id", how="left", maintain_order="left")
        .join(_ages(seen.facts.items.lazy(), as_of), on="case_id", how="left", maintain_order="left")
        .with_columns(
            kind="party_kind",
            non_payment_reason=pl.col("reason"),
            reason=pl.col("reason_right"),
            round_opened_on=pl.when(pl.col("round_id").is_not_null()).then("round_opened_on"),
            stage=pl.coalesce("stage", "last_stage", "entry_stage"),
        )
    )
    wanted = rows.select([name for name in KEPT if name not in OF_TABLES])
    filled = (pl.col(pl.Date).fill_null(never), pl.col(pl.String).fill_null(""), pl.col(pl.Int64).fill_null(0))
    return collected(wanted.with_columns(filled))


def _last_steps(steps: pl.LazyFrame) -> pl.LazyFrame:
    """(case_id, last_step, last_step_on, last_stage) of the cases for which a step was taken."""
    taken = steps.filter(pl.col("executed_on").is_not_null()).sort("executed_on", maintain_order=True)
    return taken.group_by("case_id").agg(
        last_step=pl.col("step").last(), last_step_on=pl.col("executed_on").last(), last_stage=pl.col("stage").last()
    )


def _ages(items: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """(case_id, oldest_due_on, value_at_risk) of the cases with anything overdue."""
    overdue = items.filter("overdue")
    days = (pl.lit(as_of) - pl.col("due_on")).dt.total_days()
    rate = pl.lit(0)
    for beyond, per_mille in reversed(LOSS_RATES):
        rate = pl.when(days > beyond).then(per_mille).otherwise(rate)
    at_risk = (pl.col("open_amount") * rate).sum() // 1000
    return overdue.group_by("case_id").agg(oldest_due_on=pl.col("due_on").min(), value_at_risk=at_risk)


def word_search(typed: str) -> str | None:
    """What people type into a search, as a tsquery (`simple`) that finds all words by their beginnings; None: no words.

    For `words @@ to_tsquery('simple', …)` over `case_standing`.
    """
    words: Sequence[str] = re.findall(r"[^\W_]+", typed)
    return " & ".join(f"{word}:*" for word in words) or None
