"""The figures of a stretch of days, read from the database and the evidence frames; no printing here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl

from maatpak.kernel.ids import content_hash
from maatpak.ledger.database import Database, Frames
from maatpak.ledger.store import EvidenceStore

SALES_DAYS = 90

OPEN_ITEMS = """
SELECT c.code AS house, v.currency, k.id AS case_id, v.item_type, v.due_on, v.open_amount
FROM item_version v JOIN creditor c ON c.id = v.creditor_id
JOIN "case" k ON k.debtor_id = v.debtor_id AND k.currency = v.currency
WHERE v.replaced_at IS NULL AND v.open_amount > 0
"""

SENT = """
SELECT a.segment, a.step, m.channel, count(DISTINCT m.id) AS number
FROM message m JOIN message_action x ON x.message_id = m.id JOIN action a ON a.id = x.action_id
WHERE m.state = 'sent' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

CAME_BACK = """
SELECT m.channel, count(*) AS sent, count(*) FILTER (WHERE e.arrived) AS arrived,
  count(*) FILTER (WHERE e.lost) AS lost,
  (SELECT count(DISTINCT a.answer_no) FROM answer a WHERE a.channel = m.channel) AS answers,
  (SELECT count(*) FROM incoming i WHERE i.channel = m.channel AND i.kind = 'auto_reply') AS automatic,
  (SELECT count(*) FROM incoming i WHERE i.channel = m.channel AND i.kind = 'stop') AS stops
FROM message m
LEFT JOIN LATERAL (SELECT bool_or(kind = 'delivered') AS arrived, bool_or(kind IN ('bounced', 'returned')) AS lost
  FROM evidence WHERE message_id = m.id) e ON TRUE
WHERE m.state = 'sent' GROUP BY 1 ORDER BY 1
"""

WAITING = """
SELECT c.code AS house, d.debtor_no, p.name, a.step, a.segment, a.amount, k.currency, a.approval_role AS role,
       a.approvals_needed AS needed,
       (SELECT count(*) FROM approval y WHERE y.action_id = a.id AND y.verdict = 'approved') AS given,
       a.business_date AS since
FROM action a JOIN "case" k ON k.id = a.case_id JOIN debtor d ON d.id = k.debtor_id
JOIN creditor c ON c.id = a.creditor_id JOIN debtor_profile p ON p.debtor_id = d.id AND p.replaced_at IS NULL
WHERE a.state = 'awaiting_approval' ORDER BY a.amount DESC, c.code, d.debtor_no
"""

RECEIVED = """
SELECT c.code AS house, p.currency, date_trunc('week', p.paid_on)::date AS week, sum(p.amount)::bigint AS amount,
  sum(p.amount) FILTER (WHERE EXISTS (
    SELECT 1 FROM message m JOIN message_action x ON x.message_id = m.id
    JOIN action_item i ON i.action_id = x.action_id
    WHERE i.item_id = p.item_id AND m.state = 'sent'
      AND m.sent_on BETWEEN p.paid_on - 14 AND p.paid_on))::bigint AS asked
FROM payment p JOIN creditor c ON c.id = p.creditor_id
WHERE p.paid_on >= DATE '{start}' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""

LOST = """
SELECT m.channel || ' ' || CASE WHEN m.channel = 'post' THEN e.kind ELSE COALESCE(e.said, e.kind) END AS word,
  count(*) AS number
FROM evidence e JOIN message m ON m.id = e.message_id WHERE e.kind IN ('bounced', 'returned')
GROUP BY 1 ORDER BY 2 DESC, 1
"""

ANOTHER_WAY = """
SELECT m.channel || ' for ' || m.instead_of || ', ' || m.switch_reason AS word,
  count(*) AS number
FROM message m WHERE m.instead_of IS NOT NULL AND m.state = 'sent' GROUP BY 1 ORDER BY 2 DESC, 1
"""

COUNTED: Mapping[str, str] = {
    "promises": "SELECT state AS word, count(*) AS number FROM promise WHERE replaced_at IS NULL GROUP BY 1 ORDER BY 1",
    "disputes": "SELECT state AS word, count(*) AS number FROM dispute WHERE replaced_at IS NULL GROUP BY 1 ORDER BY 1",
    "plans": "SELECT state AS word, count(*) AS number FROM plan WHERE replaced_at IS NULL GROUP BY 1 ORDER BY 1",
    "calls": "SELECT code AS word, count(*) AS number FROM contact_result GROUP BY 1 ORDER BY 2 DESC, 1",
    "said": "SELECT reason AS word, count(*) AS number FROM stated_reason GROUP BY 1 ORDER BY 2 DESC, 1",
    "gate": "SELECT severity || ': ' || rule AS word, count(*) AS number FROM finding GROUP BY 1 ORDER BY 1",
    "rows apart": "SELECT state AS word, count(*) AS number FROM quarantined_row GROUP BY 1 ORDER BY 1",
    "work": "SELECT kind || ', ' || state AS word, count(*) AS number FROM work_task GROUP BY 1 ORDER BY 1",
    "actions": "SELECT state AS word, count(*) AS number FROM action GROUP BY 1 ORDER BY 1",
    "lost": LOST,
    "addresses": "SELECT channel || ' ' || state AS word, count(*) AS number FROM address_state"
    " WHERE replaced_at IS NULL AND state <> 'proven' GROUP BY 1 ORDER BY 1",
    "another way": ANOTHER_WAY,
    "mended": "SELECT COALESCE(outcome, state) AS word, count(*) AS number FROM work_task WHERE kind = 'repair'"
    " GROUP BY 1 ORDER BY 1",
    "wrongful": "SELECT cause AS word, count(*) AS number FROM touch WHERE wrongful GROUP BY 1 ORDER BY 1",
    "stopped": "SELECT reason AS word, count(*) AS number FROM action WHERE state = 'cancelled' GROUP BY 1 ORDER BY 1",
    "events": "SELECT kind AS word, count(*) AS number FROM event WHERE flow_run IS NULL GROUP BY 1 ORDER BY 1",
}

EXPERIENCE = """
SELECT CASE WHEN balance <= -12 THEN '−12 or below' WHEN balance <= -6 THEN '−6 to −11' WHEN balance < 0 THEN '−1 to −5'
            WHEN balance = 0 THEN '0' ELSE 'above 0' END AS band, count(*) AS parties
FROM (SELECT party_id, LEAST(12, GREATEST(-36, sum(rating))) AS balance FROM touch
      WHERE touched_on > DATE '{as_of}' - interval '12 months' OR wrongful GROUP BY party_id) touched
GROUP BY 1 ORDER BY 1
"""

WRONGFUL = "SELECT count(*) AS number FROM touch WHERE wrongful"
CONTACTS = """
SELECT (SELECT count(*) FROM message WHERE state = 'sent' AND written)
     + (SELECT count(*) FROM action WHERE kind = 'handoff' AND state = 'executed') AS number
"""
"""What may have been wrongful: letters and placements."""


@dataclass(frozen=True)
class Figures:
    """What happened, as frames; `fingerprint` is the same for the same world, whenever and wherever it was played."""

    start: date
    as_of: date
    ageing: pl.DataFrame
    """By segment and currency: cases, overdue by age, asked."""
    dso: pl.DataFrame
    sent: pl.DataFrame
    came_back: pl.DataFrame
    """By channel: sent, arrived, lost, answers, automatic replies, opt-outs."""
    waiting: pl.DataFrame
    silent: pl.DataFrame
    """Reasons for no action on the last day."""
    received: pl.DataFrame
    experience: pl.DataFrame
    counted: dict[str, pl.DataFrame]
    wrongful: int
    contacts: int

    @property
    def fingerprint(self) -> str:
        """A hash over every figure."""
        frames = {name: value.rows() for name, value in vars(self).items() if isinstance(value, pl.DataFrame)} | {
            name: frame.rows() for name, frame in self.counted.items() if name != "events"
        }
        return content_hash({name: [[_plain(cell) for cell in row] for row in rows] for name, rows in frames.items()})


def _plain(cell: Any) -> Any:
    return f"{cell:.6f}" if isinstance(cell, float) else cell


def read_figures(database: Database, store: EvidenceStore, start: date, as_of: date) -> Figures:
    """The figures from the start of a stretch up to its last day."""
    with database.frames(read_only=True) as frames:
        decided = last_decisions(frames, store)
        items = frames.read(OPEN_ITEMS)
        return Figures(
            start=start,
            as_of=as_of,
            ageing=_ageing(items, decided, as_of),
            dso=_dso(frames, items, as_of),
            sent=frames.read(SENT),
            came_back=frames.read(CAME_BACK),
            waiting=frames.read(WAITING),
            silent=_silent(decided),
            received=frames.read(RECEIVED.format(start=start.isoformat())),
            experience=frames.read(EXPERIENCE.format(as_of=as_of.isoformat())),
            counted={name: frames.read(query) for name, query in COUNTED.items()},
            wrongful=frames.read(WRONGFUL).item(),
            contacts=frames.read(CONTACTS).item(),
        )


def last_decisions(frames: Frames, store: EvidenceStore) -> pl.DataFrame:
    """The decision frames of every creditor's last day, one below the other."""
    ticks = frames.read(
        "SELECT t.decisions_evidence FROM tick t JOIN creditor c ON c.id = t.creditor_id"
        " WHERE c.business_date = t.business_date"
        " AND t.id IN (SELECT max(id) FROM tick GROUP BY creditor_id, shard) ORDER BY t.id"
    )
    columns = ["case_id", "segment", "outcome", "reason", "step", "asked_amount", "overdue_open", "currency", "next_on"]
    return pl.concat([store.get_frame(key).select(columns) for key in ticks.to_series()])


def _ageing(items: pl.DataFrame, decided: pl.DataFrame, as_of: date) -> pl.DataFrame:
    owed = items.filter(pl.col("item_type").is_in(["invoice", "debit_note"])).with_columns(
        late=(pl.lit(as_of) - pl.col("due_on")).dt.total_days()
    )
    bands = {"not due": (-99_999, 0), "1–30": (0, 30), "31–60": (30, 60), "61–90": (60, 90), "over 90": (90, 99_999)}
    by_case = owed.group_by("case_id").agg(
        pl.col("open_amount").filter((pl.col("late") > low) & (pl.col("late") <= high)).sum().alias(name)
        for name, (low, high) in bands.items()
    )
    return (
        by_case.join(decided, on="case_id")
        .group_by("currency", "segment")
        .agg(pl.len().alias("cases"), (pl.col("overdue_open") > 0).sum().alias("overdue cases"),
             *[pl.col(name).sum() for name in bands], pl.col("overdue_open").sum().alias("overdue"),
             pl.col("asked_amount").sum().alias("asked"))
        .sort("currency", "segment")
    )  # fmt: skip


def _dso(frames: Frames, items: pl.DataFrame, as_of: date) -> pl.DataFrame:
    since = as_of - timedelta(days=SALES_DAYS)
    sold = frames.read(
        "SELECT c.code AS house, v.currency, sum(v.amount)::bigint AS sold FROM item_version v"  # noqa: S608 - typed dates
        " JOIN creditor c ON c.id = v.creditor_id WHERE v.replaced_at IS NULL AND v.item_type = 'invoice'"
        f" AND v.issued_on > DATE '{since}' AND v.issued_on <= DATE '{as_of}' GROUP BY 1, 2"
    )
    owed = pl.col("item_type").is_in(["invoice", "debit_note"])
    signed = pl.when(owed).then(pl.col("open_amount")).otherwise(-pl.col("open_amount"))
    return (
        items.group_by("house", "currency")
        .agg(
            signed.sum().alias("open"),
            pl.col("open_amount").filter(owed & (pl.col("due_on") < as_of)).sum().alias("overdue"),
        )
        .join(sold, on=["house", "currency"], how="left")
        .with_columns(dso=pl.col("open") / pl.col("sold") * SALES_DAYS, share=pl.col("overdue") / pl.col("open"))
        .sort("house", "currency")
    )


def _silent(decided: pl.DataFrame) -> pl.DataFrame:
    return (
        decided.filter((pl.col("outcome") == "none") & (pl.col("overdue_open") > 0))
        .group_by("reason")
        .agg(pl.len().alias("cases"))
        .sort(["cases", "reason"], descending=[True, False])
    )
