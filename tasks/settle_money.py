"""What money, or its absence, did to promises, plans and claims by a date (rules 16, 18, 19).

Judged is only on a ledger that speaks for a later day than the one by which money had to be there: a stale ledger makes
no promise broken. What was received is what the covered items' open amounts went down by, and cash not yet allocated.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from maatpak.kernel.calendars import BANK, shift_working_days
from maatpak.kernel.words import PlanState, PromiseState
from maatpak.ledger.audit import EventDraft
from maatpak.ledger.database import Frames
from maatpak.ledger.freshness import data_on
from maatpak.ledger.tables import ClaimedPayment, Plan, Promise, visible
from maatpak.ledger.versions import succeed_all
from policies.guardrails import GuardrailsFile
from tasks.current_pack import current_pack

if TYPE_CHECKING:
    from policies.pack import CompiledPack
    from tasks.engine import Engine

SHARES = 10_000
"""Parts of a whole, so that a share is compared in whole numbers."""
BREACH_DAYS = 5
"""Working days after which an unpaid instalment breaches its plan."""
NEW_INVOICE_DAYS = 10
"""Working days past D at which a new unpaid invoice breaches it too."""

CHANGE = {
    "what": pl.String,
    "case_id": pl.Int64,
    "record": pl.String,
    "state": pl.String,
    "amount": pl.Int64,
}
"""Columns of the frame of what settling changed."""

OWED = {
    "record_id": pl.Int64,
    "debtor_id": pl.Int64,
    "currency": pl.String,
    "item_id": pl.Int64,
    "amount": pl.Int64,
    "since": pl.Date,
    "by": pl.Date,
    "read_on": pl.Date,
}
"""What a record waits for: an amount of an item (no item: of any), from a date, by a date, as the ledger says then."""

NO_MONEY = "('credit_note', 'write_off', 'transfer')"
"""What takes an item off the ledger without anybody having paid."""

RECEIVED = f"""
WITH moved AS (
    SELECT o.record_id, o.item_id, o.amount, before.open_amount AS owed, GREATEST(0, before.open_amount
           - CASE WHEN after.settled_on > o.by THEN before.open_amount ELSE after.open_amount END) AS down,
           CASE WHEN after.settled_by IN {NO_MONEY} AND after.settled_on <= o.by THEN LEAST(before.open_amount,
               (SELECT min(v.open_amount) FROM item_version v WHERE v.debtor_id = o.debtor_id
                AND v.item_id = before.item_id AND v.open_amount > 0 AND v.valid_from <= o.read_on
                AND (v.replaced_from IS NULL OR v.replaced_from > o.since))) ELSE 0 END AS credited
    FROM pg_temp.owed o
    JOIN item_version before ON before.debtor_id = o.debtor_id AND before.currency = o.currency
     AND before.item_type IN ('invoice', 'debit_note') AND (o.item_id IS NULL OR before.item_id = o.item_id)
     AND before.valid_from <= o.since AND (before.replaced_from IS NULL OR before.replaced_from > o.since)
    JOIN item_version after ON after.debtor_id = o.debtor_id AND after.item_id = before.item_id
     AND after.valid_from <= o.read_on AND (after.replaced_from IS NULL OR after.replaced_from > o.read_on)
), paid AS (
    SELECT record_id, sum(CASE WHEN item_id IS NULL THEN down ELSE LEAST(down, amount) END) AS down,
           sum(CASE WHEN item_id IS NULL THEN down - credited ELSE LEAST(down - credited, amount) END) AS money,
           sum(CASE WHEN item_id IS NULL THEN owed - credited ELSE LEAST(owed - credited, amount) END) AS payable,
           sum(credited) AS credited
    FROM moved GROUP BY record_id
), cash AS (
    SELECT o.record_id, sum(v.open_amount) AS unallocated
    FROM (SELECT DISTINCT record_id, debtor_id, currency, since, by, read_on FROM pg_temp.owed) o
    JOIN item_version v ON v.debtor_id = o.debtor_id AND v.currency = o.currency AND v.item_type = 'payment'
     AND v.issued_on > o.since AND v.issued_on <= o.by
     AND v.valid_from <= o.read_on AND (v.replaced_from IS NULL OR v.replaced_from > o.read_on)
    GROUP BY o.record_id
)
SELECT o.record_id, (COALESCE(p.down, 0) + COALESCE(c.unallocated, 0))::bigint AS received,
       (COALESCE(p.money, 0) + COALESCE(c.unallocated, 0))::bigint AS money,
       CASE WHEN p.credited > 0 THEN p.payable::bigint END AS payable
FROM (SELECT DISTINCT record_id FROM pg_temp.owed) o
LEFT JOIN paid p USING (record_id) LEFT JOIN cash c USING (record_id)
"""  # noqa: S608 - words of our own


@dataclass(frozen=True)
class Settling:
    """One settling of a creditor: the transaction, the day, and how far the ledger speaks."""

    frames: Frames
    creditor_id: int
    as_of: date
    at: datetime
    ledger_until: date
    pack: "CompiledPack"
    """The newest: its limits and ratings always apply."""
    drafts: list[EventDraft] = field(default_factory=list)
    """Events of single cases, beside the one that says what the whole settling changed."""

    @property
    def guardrails(self) -> GuardrailsFile:
        """The limits that hold in every journey."""
        return self.pack.guardrails

    def is_kept(self, received: pl.Expr, amount: pl.Expr) -> pl.Expr:
        """Whether what came in is enough of what was promised."""
        return received * SHARES >= amount * round(self.guardrails.promises.kept_share * SHARES)

    def judged(self, by: date) -> bool:
        """Whether money due by a date can be said not to have come."""
        return self.as_of > by and self.ledger_until > by

    def all_judged(self, by: str) -> pl.Expr:
        """The same over a column of dates."""
        return (pl.col(by) < self.as_of) & (pl.col(by) < self.ledger_until)


def begin_settling(frames: Frames, engine: "Engine", creditor_id: int, as_of: date, at: datetime) -> Settling:
    """What all the parts of a settling share."""
    speaks_for = data_on(str(int(creditor_id)), f"DATE '{as_of}'", "TIMESTAMPTZ 'infinity'")
    until = frames.read(f"SELECT {speaks_for} AS until").item()
    pack = engine.pack(current_pack(frames, creditor_id))
    return Settling(frames, creditor_id, as_of, at, until or date.min, pack)


def settle_promises(settling: Settling) -> pl.DataFrame:
    """Open promises become kept at once when the money is there; partly kept or broken when it had to be."""
    rows = settling.frames.read(
        "SELECT p.id, p.promise_no AS record, p.case_id, p.amount, p.items::text AS items, p.made_on, p.promised_on,"  # noqa: S608
        ' k.debtor_id, k.currency FROM promise p JOIN "case" k ON k.id = p.case_id'
        f" WHERE k.creditor_id = {settling.creditor_id} AND p.state = 'open' AND p.replaced_at IS NULL"
        f" AND p.valid_from <= DATE '{settling.as_of}'"
    )
    if rows.is_empty():
        return changes()
    rows = rows.with_columns(by=shift_working_days(rows["promised_on"], settling.guardrails.promises.bank_days, BANK))
    rows = rows.with_columns(read_on=_read_on(rows["by"], settling.as_of))
    received = received_for(settling, rows.rename({"made_on": "since"}))
    judged = settling.all_judged("by")
    # What we credited or wrote off keeps no promise: it is not to be paid any more, and what is left is to be kept.
    rows = rows.join(received, left_on="id", right_on="record_id", how="left").with_columns(
        received=pl.min_horizontal(pl.col("money").fill_null(0), "amount"), left=pl.min_horizontal("payable", "amount")
    )
    rows = rows.with_columns(
        state=pl.when(pl.col("left") <= 0)
        .then(pl.lit(PromiseState.CANCELLED))
        .when(settling.is_kept(pl.col("received"), pl.col("left")))
        .then(pl.lit(PromiseState.KEPT))
        .when(judged & (pl.col("received") > 0))
        .then(pl.lit(PromiseState.PARTLY_KEPT))
        .when(judged)
        .then(pl.lit(PromiseState.BROKEN))
    ).filter(pl.col("state").is_not_null())
    return _succeed(settling, Promise, rows.select("id", "case_id", "record", "state", "received"), "promise")


def settle_claims(settling: Settling) -> pl.DataFrame:
    """Claims of payment end: the ledger shows the money, or their silence is over.

    One whose money cash has found lasts until the ledger shows it. What has ended here is silent until the day before.
    """
    rows = settling.frames.read(
        "SELECT c.id, c.claim_no AS record, c.case_id, c.amount, c.items::text AS items, c.claimed_on AS since,"  # noqa: S608
        f" CASE c.state WHEN 'open' THEN c.until_on ELSE DATE '{settling.as_of}' END AS by, c.state = 'open' AS waits,"
        ' k.debtor_id, k.currency FROM claimed_payment c JOIN "case" k ON k.id = c.case_id'
        f" WHERE k.creditor_id = {settling.creditor_id} AND c.replaced_at IS NULL"
        " AND (c.state = 'open' OR (c.state = 'found' AND c.until_on >= c.valid_from))"
    )
    if rows.is_empty():
        return changes()
    rows = rows.with_columns(read_on=_read_on(rows["by"], settling.as_of))
    # The customer says that it was paid before: cash that came in on the days around counts too.
    received = received_for(settling, rows.with_columns(since=pl.col("since").dt.offset_by("-1d")))
    rows = rows.join(received, left_on="id", right_on="record_id", how="left").with_columns(
        received=pl.col("received").fill_null(0)
    )
    judged = settling.all_judged("by")
    rows = rows.with_columns(
        state=pl.when(settling.is_kept(pl.col("received"), pl.col("amount")))
        .then(pl.lit("found"))
        .when(judged & pl.col("waits"))
        .then(pl.lit("not_found")),
        until_on=pl.lit(settling.as_of - timedelta(days=1)),
    ).filter(pl.col("state").is_not_null())
    ended = rows.select("id", "case_id", "record", "state", "until_on", "received")
    return _succeed(settling, ClaimedPayment, ended, "claim")


def settle_plans(settling: Settling) -> pl.DataFrame:
    """Offers lapse; running plans are finished when paid, breached when an instalment or a new invoice is not."""
    rows = settling.frames.read(
        "SELECT p.id, p.plan_no AS record, p.case_id, p.total AS amount, p.items::text AS items, p.state,"  # noqa: S608
        " p.instalments::text AS instalments, p.valid_until, COALESCE(p.accepted_on, p.offered_on) AS since,"
        " k.debtor_id, k.currency, COALESCE(d.country, c.country) AS country"
        ' FROM plan p JOIN "case" k ON k.id = p.case_id JOIN creditor c ON c.id = k.creditor_id'
        " LEFT JOIN debtor_profile d ON d.debtor_id = k.debtor_id AND d.replaced_at IS NULL"
        f" WHERE k.creditor_id = {settling.creditor_id} AND p.state IN ('offered', 'active') AND p.replaced_at IS NULL"
    )
    if rows.is_empty():
        return changes()
    day = pl.lit(settling.as_of)
    rows = rows.with_columns(by=day, read_on=day)
    received = received_for(settling, rows)
    rows = rows.join(received, left_on="id", right_on="record_id", how="left").with_columns(
        received=pl.col("received").fill_null(0)
    )
    unpaid = _new_invoices_unpaid(settling, rows.filter(pl.col("state") == PlanState.ACTIVE))
    ended = [(row, _plan_state(settling, row, row["case_id"] in unpaid)) for row in rows.iter_rows(named=True)]
    frame = pl.DataFrame(
        [
            {"id": row["id"], "case_id": row["case_id"], "record": row["record"], "state": str(state),
             "received": row["received"]}
            for row, state in ended
            if state is not None
        ],
        schema={"id": pl.Int64, "case_id": pl.Int64, "record": pl.String, "state": pl.String, "received": pl.Int64},
    )  # fmt: skip
    frame = frame.with_columns(
        breached_on=pl.when(pl.col("state") == PlanState.BREACHED).then(day).otherwise(None).cast(pl.Date)
    )
    return _succeed(settling, Plan, frame, "plan")


def changes(rows: pl.DataFrame | None = None) -> pl.DataFrame:
    """A frame of changes; an empty one without rows."""
    if rows is None or rows.is_empty():
        return pl.DataFrame(schema=CHANGE)
    return rows.select(pl.col(name).cast(dtype) for name, dtype in CHANGE.items())


def _plan_state(settling: Settling, row: Mapping[str, Any], new_invoice_unpaid: bool) -> PlanState | None:  # noqa: FBT001
    if row["state"] == PlanState.OFFERED:
        return PlanState.LAPSED if settling.as_of > row["valid_until"] else None
    if row["received"] >= row["amount"]:
        return PlanState.FINISHED
    parts = json.loads(row["instalments"])
    dues = pl.Series("due", [date.fromisoformat(part["due_on"]) for part in parts])
    latest = shift_working_days(dues, BREACH_DAYS, row["country"])
    owed = sum(part["amount"] for part, by in zip(parts, latest, strict=True) if settling.judged(by))
    share = round(settling.guardrails.promises.kept_share * SHARES)
    if row["received"] * SHARES < owed * share or new_invoice_unpaid:
        return PlanState.BREACHED
    return None


def _new_invoices_unpaid(settling: Settling, plans: pl.DataFrame) -> set[int]:
    """Cases with a plan whose later invoices lie unpaid."""
    if plans.is_empty():
        return set()
    settling.frames.stage("planned", plans.select("case_id", "debtor_id", "currency", "since", "items", "country"))
    rows = settling.frames.read(
        "SELECT p.case_id, p.country, v.due_on FROM pg_temp.planned p"  # noqa: S608 - typed literals
        " JOIN item_version v ON v.debtor_id = p.debtor_id AND v.currency = p.currency AND v.open_amount > 0"
        " AND v.item_type IN ('invoice', 'debit_note') AND v.due_on > p.since AND NOT p.items::jsonb ? v.item_id::text"
        f" WHERE {visible('v', settling.as_of, settling.at)}"
    )
    if rows.is_empty():
        return set()
    banked = shift_working_days(rows["due_on"], 0, BANK)
    latest = shift_working_days(banked, NEW_INVOICE_DAYS, rows["country"])
    late = rows.with_columns(by=latest).filter(settling.all_judged("by"))
    return set(late["case_id"].to_list())


def received_for(settling: Settling, rows: pl.DataFrame) -> pl.DataFrame:
    """What came in on what the records wait for: (record_id, received, money, payable).

    `received` is by how much less is open, `money` what was paid of it; `payable`, where something was credited or
    written off, what was left to be paid.
    """
    owed: list[dict[str, Any]] = []
    for row in rows.iter_rows(named=True):
        shared = {
            "record_id": row["id"],
            "debtor_id": row["debtor_id"],
            "currency": row["currency"],
            "since": row["since"],
            "by": row["by"],
            "read_on": row["read_on"],
        }
        named = json.loads(row["items"]) if row["items"] else None
        if named:
            owed += [{**shared, "item_id": int(item), "amount": amount} for item, amount in named.items()]
        else:
            owed.append({**shared, "item_id": None, "amount": row["amount"]})
    settling.frames.stage("owed", pl.DataFrame(owed, schema=OWED))
    return settling.frames.read(RECEIVED)


def _read_on(by: pl.Series, as_of: date) -> pl.Series:
    """The day on which the ledger is read: today, but not later than a bank day after the money had to be there."""
    after = shift_working_days(by, 1, BANK)
    return pl.select(pl.min_horizontal(after, pl.lit(as_of))).to_series()


def _succeed(settling: Settling, table: Any, rows: pl.DataFrame, what: str) -> pl.DataFrame:
    """Write the new versions; the changes."""
    if rows.is_empty():
        return changes()
    changing = [name for name in rows.columns if name == "id" or name in table.model_fields]
    succeed_all(settling.frames, table, rows.select(changing), settling.as_of, settling.at, fixed={"actor": "'engine'"})
    return changes(rows.rename({"received": "amount"}).with_columns(what=pl.lit(what)))
