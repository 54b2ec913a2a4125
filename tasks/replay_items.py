"""The ledger as its snapshots tell it: each import planned once more from its evidence, and compared with history.

An import is a function of its rows and of what was known before it. So each snapshot that a day stood on is planned
again by the intake's own rules, from the Parquet that was kept, and its items and payments must come out as they are.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from connectors.ledgers.source import LedgerSource
from maatpak.ledger.database import Frames
from maatpak.ledger.tables import visible
from tasks.differences import Difference, differing_rows, read_kept
from tasks.facts.scope import months_before
from tasks.intake.known import ITEMS, Known, LastSnapshot
from tasks.intake.plan import LEFT, Plan, plan_import
from tasks.intake.sifting import QUARANTINED, Sifted
from tasks.intake.states import IDENTITY, STATE
from tasks.quality.common_rules import Import
from tasks.quality.item_measures import KnownItems

if TYPE_CHECKING:
    from tasks.engine import Engine

MONTHS = 24
"""How far back settled items count in the facts."""

STOOD_ON = """
SELECT v.snapshot_id, count(*) AS items FROM item_version v
WHERE v.creditor_id = {creditor} AND {visible} AND (v.open_amount > 0 OR v.settled_on > DATE '{since}')
GROUP BY v.snapshot_id
"""

SNAPSHOTS = """
SELECT s.id, s.source, s.kind, s.as_of, s.recorded_at, s.evidence, c.code, c.currency, c.country, c.language,
  e.body ->> 'evidence' AS told,
  p.id AS last_id, p.kind AS last_kind, p.as_of AS last_as_of
FROM snapshot s JOIN creditor c ON c.id = s.creditor_id
LEFT JOIN event e ON e.kind = 'ledger_imported' AND e.creditor_id = s.creditor_id
  AND CAST(e.body ->> 'snapshot_id' AS bigint) = s.id
LEFT JOIN LATERAL (SELECT id, kind, as_of FROM snapshot q WHERE q.creditor_id = s.creditor_id AND q.source = s.source
  AND q.id < s.id ORDER BY q.as_of DESC, q.id DESC LIMIT 1) p ON TRUE
WHERE s.creditor_id = {creditor} AND (s.kind = 'history' OR s.as_of <= DATE '{day}')
  AND s.recorded_at <= TIMESTAMPTZ '{known_at}'
ORDER BY s.id
"""

STATES = """
SELECT DISTINCT ON (v.item_id) v.id AS version_id, v.item_id, v.snapshot_id, d.debtor_no, v.item_type, v.document_no,
  v.issued_on, v.currency, {columns}, v.left_after, v.valid_from, v.recorded_at, s.source
FROM item_version v JOIN debtor d ON d.id = v.debtor_id LEFT JOIN snapshot s ON s.id = v.snapshot_id
WHERE v.creditor_id = {creditor} AND COALESCE(v.snapshot_id, 0) {upto}
ORDER BY v.item_id, v.snapshot_id DESC NULLS LAST, v.valid_from DESC, v.id DESC
"""
"""The newest state of each item that the imports up to one made."""

TOLD_BY = """
SELECT v.item_id, d.debtor_no, v.item_type, v.document_no, v.issued_on, v.currency, {columns}, v.valid_from,
  v.replaced_from
FROM item_version v JOIN debtor d ON d.id = v.debtor_id
WHERE v.creditor_id = {creditor} AND v.snapshot_id = {snapshot}
"""

PAYMENTS = """
SELECT payment_no, paid_on, currency, amount, applied, item_id, snapshot_id FROM payment
WHERE creditor_id = {creditor} AND snapshot_id <= {snapshot}
"""


@dataclass
class LedgerReplay:
    """What came of it."""

    items: int = 0
    unproven: int = 0
    differences: list[Difference] = field(default_factory=list)


def replay_items(engine: "Engine", frames: Frames, creditor_id: int, as_of: date, known_at: datetime) -> LedgerReplay:
    """Plan every import that a day's items came from once more, and the newest of each source, and compare."""
    creditor = int(creditor_id)
    seen, since = visible("v", as_of, known_at), months_before(as_of, MONTHS)
    stood_on = frames.read(STOOD_ON.format(creditor=creditor, visible=seen, since=since.isoformat()))
    snapshots = frames.read(
        SNAPSHOTS.format(creditor=creditor, day=as_of.isoformat(), known_at=known_at.isoformat())
    ).to_dicts()
    newest = {each["source"]: each["id"] for each in sorted(snapshots, key=lambda each: (each["as_of"], each["id"]))}
    wanted = set(stood_on["snapshot_id"].drop_nulls()) | set(newest.values())
    proven = LedgerReplay()
    without = set()
    for snapshot in snapshots:
        keys: list[str] = json.loads(snapshot["evidence"])
        if snapshot["id"] not in wanted or not keys:
            without |= {snapshot["id"]} if not keys else set()
            continue
        proven.differences += _told(snapshot, keys)
        proven.differences += _again(engine, frames, creditor, snapshot, keys, proven)
    loose = pl.col("snapshot_id").is_null() | pl.col("snapshot_id").is_in(list(without))
    proven.unproven = int(stood_on.filter(loose)["items"].sum())
    return proven


def _told(snapshot: dict[str, Any], keys: list[str]) -> Iterator[Difference]:
    told = json.loads(snapshot["told"] or "[]")
    if told != keys:
        about = f"{snapshot['source']} {snapshot['as_of']}"
        yield Difference("snapshots", None, about, "evidence", str(told), str(keys))


def _again(
    engine: "Engine",
    frames: Frames,
    creditor: int,
    snapshot: dict[str, Any],
    keys: list[str],
    proven: LedgerReplay,
) -> list[Difference]:
    """One import planned again."""
    found: list[Difference] = []
    kept: dict[str, pl.DataFrame] = {}
    for key in keys:
        kind = key.partition("/")[0]
        if not kind.startswith("ledger_"):
            continue
        frame, problem = read_kept(engine.store, key)
        if problem is not None:
            found.append(Difference("evidence", None, key, kind, "kept", problem))
        if frame is None:
            return found
        kept[kind.removeprefix("ledger_")] = frame
    (source_key,) = [key for key in keys if key.startswith("source/")]
    source = LedgerSource.model_validate_json(engine.store.get(source_key))
    before = frames.read(_states(creditor, f"< {snapshot['id']}")).filter(pl.col("open_amount") > 0)
    paid = frames.read(PAYMENTS.format(creditor=creditor, snapshot=snapshot["id"]))
    plan = _plan(source, snapshot, kept, before, paid)
    proven.items += plan.items.height
    if snapshot["kind"] == "history":
        found += _history(frames, creditor, snapshot, plan)
    else:
        found += _day(frames, creditor, snapshot, plan, before)
    return found + _payments(snapshot, plan, paid)


def _states(creditor: int, upto: str) -> str:
    return STATES.format(creditor=creditor, upto=upto, columns=_columns())


def _columns() -> str:
    return ", ".join(f"v.{name}" for name in STATE)


def _plan(
    source: LedgerSource,
    snapshot: dict[str, Any],
    kept: dict[str, pl.DataFrame],
    before: pl.DataFrame,
    paid: pl.DataFrame,
) -> Plan:
    apart = kept.pop("quarantine", pl.DataFrame(schema=QUARANTINED))
    earlier = paid.filter(pl.col("snapshot_id") < snapshot["id"])
    known = Known(
        creditor_id=None,
        code=snapshot["code"],
        currency=snapshot["currency"],
        country=snapshot["country"],
        language=snapshot["language"],
        definition=None,
        differs=(),
        last=_last(snapshot),
        items=KnownItems(before.rename({"item_type": "document_type"}).select(list(ITEMS)).cast(pl.Schema(ITEMS))),
        debtors=pl.Series("debtor_no", [], dtype=pl.String),
        resolutions=pl.DataFrame(),
    )
    about = Import(
        source, snapshot["as_of"], snapshot["currency"], source.allowed_currencies or (snapshot["currency"],)
    )
    sifted = Sifted(accepted=kept, quarantined=[apart], payments_before=earlier.select("payment_no"))
    applied = earlier.drop_nulls("item_id").group_by("item_id").agg(pl.col("applied").sum())
    paid_before = applied.join(before.select("item_id"), on="item_id", how="semi")
    return plan_import(sifted, about, known, paid_before)


def _last(snapshot: dict[str, Any]) -> LastSnapshot | None:
    if snapshot["last_id"] is None:
        return None
    return LastSnapshot(snapshot["last_id"], snapshot["last_kind"], snapshot["last_as_of"], 0, {})


def _day(frames: Frames, creditor: int, snapshot: dict[str, Any], plan: Plan, before: pl.DataFrame) -> list[Difference]:
    """A full or delta file: the newest state of each of its items, and of those that left."""
    after = frames.read(_states(creditor, f"<= {snapshot['id']}"))
    named = ["debtor_no", "document_no"]
    shown = [*IDENTITY, *STATE]
    told = plan.items.select(shown)
    stored = after.join(told, on=list(IDENTITY), how="semi")
    # What was closed without a date stays closed as of the day when that was first seen.
    closed_before = (
        told.filter("settled_estimated")
        .join(after.filter((pl.col("open_amount") == 0) & (pl.col("snapshot_id") < snapshot["id"])), on=list(IDENTITY))
        .select(IDENTITY)
    )
    told, stored = (each.join(closed_before, on=list(IDENTITY), how="anti") for each in (told, stored))
    found = differing_rows("items", told, stored.select(shown), IDENTITY, named)
    own = after.filter(pl.col("snapshot_id") == snapshot["id"])
    left = plan.left.join(before.select("version_id", "item_id"), left_on="id", right_on="version_id").drop("id")
    gone = [*IDENTITY, *(name for name in LEFT if name != "id")]
    expected = left.join(after.select("item_id", *IDENTITY), on="item_id").select(gone)
    actual = own.join(left.select("item_id"), on="item_id", how="semi").select(gone)
    found += differing_rows("items", expected, actual, IDENTITY, named)
    on_time = pl.col("recorded_at") == snapshot["recorded_at"]
    strays = own.filter(on_time).join(plan.items.select(IDENTITY), on=list(IDENTITY), how="anti")
    strays = strays.join(left.select("item_id"), on="item_id", how="anti")
    dated = own.filter(on_time & (pl.col("valid_from") != snapshot["as_of"]))
    for frame, column in ((strays, "row"), (dated, "valid_from")):
        found += [
            Difference("items", None, f"{row['debtor_no']} {row['document_no']}", column, "absent", "there")
            for row in frame.iter_rows(named=True)
        ]
    return found


def _history(frames: Frames, creditor: int, snapshot: dict[str, Any], plan: Plan) -> list[Difference]:
    """A history: every state of each of its items, from the day on which it became known."""
    stored = frames.read(TOLD_BY.format(creditor=creditor, snapshot=snapshot["id"], columns=_columns()))
    others = frames.read(_states(creditor, f"<> {snapshot['id']}"))
    told = plan.items.join(others.select(IDENTITY), on=list(IDENTITY), how="anti")
    shown = [*IDENTITY, "valid_from", *STATE]
    known = stored.join(others.select(IDENTITY), on=list(IDENTITY), how="anti")
    return differing_rows(
        "items", told.select(shown), known.select(shown), (*IDENTITY, "valid_from"),
        ("debtor_no", "document_no", "valid_from"),
    )  # fmt: skip


def _payments(snapshot: dict[str, Any], plan: Plan, paid: pl.DataFrame) -> list[Difference]:
    """Money received: what the file tells is stored, and nothing else came of it."""
    columns = ["payment_no", "paid_on", "currency", "amount", "applied"]
    own = paid.filter(pl.col("snapshot_id") == snapshot["id"]).select(columns)
    earlier = paid.filter(pl.col("snapshot_id") < snapshot["id"]).select("payment_no")
    told = plan.payments.select(columns).unique("payment_no", keep="first", maintain_order=True)
    return differing_rows(
        "payments", told.join(earlier, on="payment_no", how="anti"), own, ("payment_no",), ("payment_no",)
    )
