"""Placements over time: closed when paid, recalled when the claim no longer stands; the agency is told (rule 20)."""

import polars as pl

from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import LOST_EVIDENCE, Role, WorkKind
from maatpak.ledger.tables import Placement
from maatpak.ledger.versions import succeed_all
from tasks.settle_money import Settling, changes

TELL_AGENCY = {
    "closed": "Tell the agency that the case is paid.",
    "recalled": "Recall the case from the agency.",
    "part_paid": "Tell the agency what was paid.",
}
"""What became of a placement → the work of telling the agency, within a working day."""

LOST = ", ".join(f"'{kind}'" for kind in sorted(LOST_EVIDENCE))
DEMAND_RETURNED = f"""
EXISTS (SELECT 1 FROM action h WHERE h.id = p.action_id AND h.state = 'in_progress' AND (
  SELECT bool_and(EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = m.id AND e.kind IN ({LOST})
    AND e.observed_on <= {{day}}))
  FROM message_action ma JOIN message m ON m.id = ma.message_id AND m.channel = 'post'
  WHERE ma.action_id = (SELECT a.id FROM action a WHERE a.round_id = h.round_id AND a.escalating
    AND a.kind = 'message' AND a.state = 'executed' ORDER BY a.id DESC LIMIT 1)))
"""  # noqa: S608 - our own words
"""Whether the letter that a placement rests on came back before the dossier left."""


def settle_placements(settling: Settling) -> pl.DataFrame:
    """Placed cases whose items are settled close; a dispute or a legal stop on one recalls it, and so does, until its
    dossier has left, that its demand came back."""
    frames, day = settling.frames, f"DATE '{settling.as_of}'"
    rows = frames.read(
        f"""
        SELECT p.id, p.case_id, p.placement_no AS record, p.amount AS placed, k.debtor_id,
               (SELECT COALESCE(sum(LEAST(v.open_amount, i.value::bigint)), 0)::bigint FROM jsonb_each_text(p.items) i
                JOIN item_version v ON v.debtor_id = k.debtor_id AND v.item_id = i.key::bigint
                 AND v.valid_from <= {day} AND (v.replaced_from IS NULL OR v.replaced_from > {day})) AS left_open,
               EXISTS (SELECT 1 FROM dispute d WHERE d.case_id = p.case_id AND d.state = 'open'
                       AND d.replaced_at IS NULL AND p.items ? d.item_id::text) AS disputed,
               EXISTS (SELECT 1 FROM hold h WHERE h.replaced_at IS NULL AND h.state = 'active'
                       AND h.reason = 'legal_stop' AND (h.debtor_id = k.debtor_id OR h.party_id = k.party_id))
               AS stopped,
               {DEMAND_RETURNED.format(day=day)} AS returned
        FROM placement p JOIN "case" k ON k.id = p.case_id
        WHERE p.creditor_id = {settling.creditor_id} AND p.state = 'placed' AND p.replaced_at IS NULL
        """  # noqa: S608 - typed literals
    )
    if rows.is_empty():
        return changes()
    rows = rows.with_columns(
        state=pl.when(pl.col("left_open") == 0)
        .then(pl.lit("closed"))
        .when("disputed")
        .then(pl.lit("recalled"))
        .when(pl.col("stopped") | pl.col("returned"))
        .then(pl.lit("recalled"))
        .otherwise(pl.lit("placed")),
        cause=pl.when(pl.col("left_open") == 0)
        .then(pl.lit("paid"))
        .when("disputed")
        .then(pl.lit("disputed"))
        .when("stopped")
        .then(pl.lit("legal_stop"))
        .when("returned")
        .then(pl.lit(str(SkipReason.LETTER_RETURNED)))
        .otherwise(pl.lit("part_paid")),
        amount=pl.col("left_open"),
    ).filter((pl.col("state") != "placed") | (pl.col("left_open") < pl.col("placed")))
    if rows.is_empty():
        return changes()
    changed = rows.select("id", "state", "cause", "amount")
    succeed_all(frames, Placement, changed, settling.as_of, settling.at, fixed={"actor": "'engine'"})
    _tell_the_agency(settling, rows)
    return changes(rows.with_columns(what=pl.lit("placement")))


def _tell_the_agency(settling: Settling, rows: pl.DataFrame) -> None:
    subject = pl.when(pl.col("state") == "placed").then(pl.lit("part_paid")).otherwise("state")
    settling.frames.stage(
        "told_agency", rows.select("case_id", "debtor_id", "record", subject=subject.replace_strict(TELL_AGENCY))
    )
    day, at = f"DATE '{settling.as_of}'", f"TIMESTAMPTZ '{settling.at.isoformat()}'"
    settling.frames.execute(
        "INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, record_no, opened_on, due_on,"  # noqa: S608
        f" blocks, state, recorded_at) SELECT {settling.creditor_id}, debtor_id, case_id, '{WorkKind.NOTICE}', subject,"
        f" '{Role.COLLECTOR}', record, {day}, {day} + 1, false, 'open', {at} FROM pg_temp.told_agency"
    )
