"""Silence, with its cause: items long overdue about which nothing was done. Auditors test omission too.

What counts as done is an action of a round that named the item, or that was about the case as a whole: a call, a
question, a decision. Statements, notices to our own people and waits break no silence. The cause is what the last run
decided of the case, unless the item is covered by something of its own: a dispute, a promise, a placement.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.calendars import count_working_days
from maatpak.kernel.reasons import NoActionReason
from tasks.facts import build_facts

if TYPE_CHECKING:
    from tasks.engine import Engine

SILENT_AFTER = 10
"""Working days past D, and working days without an action, after which silence is told of."""
NOT_DECIDED = "not_decided"
"""No run has looked at the case."""

COVERS = {
    "placed": NoActionReason.PLACED,
    "disputed": NoActionReason.DISPUTE,
    "in_plan": NoActionReason.PLAN,
    "promised": NoActionReason.PROMISE,
    "claimed": NoActionReason.CLAIMED_PAID,
    "in_flight": NoActionReason.DEBIT_IN_FLIGHT,
}
"""Parts of an item that are not asked for → why."""

LAST_TICKS = """
SELECT DISTINCT ON (t.shard) t.business_date, t.known_at, t.decisions_evidence
FROM tick t JOIN (SELECT business_date, shards FROM tick WHERE creditor_id = {creditor}
                  AND business_date <= DATE '{day}' ORDER BY id DESC LIMIT 1) last USING (business_date, shards)
WHERE t.creditor_id = {creditor} ORDER BY t.shard, t.id DESC
"""

LAST_ACTIONS = """
SELECT a.case_id, i.item_id, max(COALESCE(a.executed_on, a.started_on)) AS acted_on
FROM action a LEFT JOIN action_item i ON i.action_id = a.id
WHERE a.creditor_id = {creditor} AND a.round_id IS NOT NULL AND a.state IN ('executed', 'in_progress')
  AND a.kind NOT IN ('statement', 'notify', 'wait') AND COALESCE(a.executed_on, a.started_on) <= DATE '{day}'
GROUP BY a.case_id, i.item_id
"""

SET_APART = """
SELECT q.debtor_no, q.raw ->> 'document_no' AS document_no, q.rules, q.business_date FROM quarantined_row q
WHERE q.creditor_id = {creditor} AND q.table_name = 'items' AND q.business_date <= DATE '{day}'
  AND (q.state = 'open' OR q.resolved_on > DATE '{day}') ORDER BY q.id
"""

NAMES = """
SELECT d.id AS debtor_id, p.name FROM debtor d
LEFT JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL WHERE d.creditor_id = {creditor}
"""

DECIDED = ("segment", "outcome", "step", "reason", "detail", "next_step", "next_on")
SHOWN = (
    *("debtor_no", "name", "document_no", "currency", "due_on", "open_amount", "overdue_wd", "last_on", "silent_wd"),
    *("segment", "cause", "detail", "next_step", "next_on"),
)


@dataclass(frozen=True)
class Silence:
    """The long overdue items without an action, each with the cause, and the rows that wait in quarantine."""

    items: list[dict[str, Any]]
    quarantined: list[dict[str, Any]]


def silent_items(engine: "Engine", creditor_id: int, as_of: date, now: datetime) -> Silence:
    """Items overdue for over ten working days about which nothing was done for as long, the largest first."""
    where = {"creditor": int(creditor_id), "day": as_of.isoformat()}
    with engine.database.frames(read_only=True) as frames:
        ticks = frames.read(LAST_TICKS.format(**where))
        ran_then = ticks.filter(pl.col("business_date") == as_of)
        known_at = max(ran_then["known_at"]) if ran_then.height else now
        facts = build_facts(frames, creditor_id, as_of, known_at)
        acted = frames.read(LAST_ACTIONS.format(**where))
        names = frames.read(NAMES.format(**where))
        quarantined = frames.read(SET_APART.format(**where)).to_dicts()
    cases = facts.cases.select("case_id", "debtor_id", "debtor_no", "currency", "country")
    items = _silent(facts.items.filter("overdue").join(cases, on="case_id"), acted, as_of)
    told = items.join(_decided(engine, ticks), on="case_id", how="left").join(names, on="debtor_id", how="left")
    shown = told.with_columns(cause=_cause()).select(SHOWN)
    order = ("open_amount", "debtor_no", "document_no")
    return Silence(shown.sort(order, descending=[True, False, False]).to_dicts(), quarantined)


def _silent(items: pl.DataFrame, acted: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Those of the overdue items that lie still, with since when."""
    of_item = acted.drop_nulls("item_id").group_by("item_id").agg(pl.col("acted_on").max().alias("item_on"))
    of_case = acted.filter(pl.col("item_id").is_null()).select("case_id", case_on="acted_on")
    items = items.join(of_item, on="item_id", how="left").join(of_case, on="case_id", how="left")
    items = items.with_columns(last_on=pl.max_horizontal("item_on", "case_on"))
    since = items.select(pl.max_horizontal("bank_due_on", "last_on")).to_series()
    return items.with_columns(
        overdue_wd=count_working_days(items["bank_due_on"], as_of, items["country"]),
        silent_wd=count_working_days(since, as_of, items["country"]),
    ).filter(pl.col("silent_wd") > SILENT_AFTER)


def _decided(engine: "Engine", ticks: pl.DataFrame) -> pl.DataFrame:
    """What the last run decided of each case."""
    frames = [engine.store.get_frame(key).select("case_id", *DECIDED) for key in ticks["decisions_evidence"]]
    kinds = {**dict.fromkeys(("case_id", *DECIDED), pl.String), "case_id": pl.Int64, "next_on": pl.Date}
    return pl.concat(frames) if frames else pl.DataFrame(schema=kinds)


def _cause() -> pl.Expr:
    covers = [
        pl.when((pl.col("asked") == 0) & (pl.col(name) > 0)).then(pl.lit(str(reason)))
        for name, reason in COVERS.items()
    ]
    due = pl.when(pl.col("outcome") == "act").then(pl.format("{} is due", "step"))
    return pl.coalesce(*covers, due, pl.col("reason"), pl.lit(NOT_DECIDED))
