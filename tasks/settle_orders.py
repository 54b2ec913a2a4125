"""Invoices that lack the order number which their customer needs: ours to mend before anybody asks for them.

The preference does what the reason `po_missing` does (rules 27 and 28): the owning department gets work and
the item rests, once an item, until the ledger shows a number or somebody says that it is settled. Only a ledger that
shows order numbers at all can lack one.
"""

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import NonPaymentReason
from maatpak.ledger.tables import Hold
from maatpak.ledger.versions import succeed_all
from tasks.settle_money import Settling, changes
from tasks.settle_waits import COUNTRY, PROFILE
from tasks.worklist import open_many

ORDER = "PO"
"""Before an item's id: what such work is about, in its `record_no`."""

LACKING = """
SELECT v.item_id, v.document_no, v.open_amount AS amount, k.id AS case_id, k.debtor_id, {country},
  {order} || v.item_id AS record
FROM preference f JOIN item_version v ON v.debtor_id = f.debtor_id AND v.creditor_id = {creditor}
JOIN "case" one ON one.debtor_id = v.debtor_id AND one.currency = v.currency
{profile}
WHERE f.name = 'po_needed' AND f.value = 'yes' AND f.replaced_at IS NULL
  AND v.item_type = 'invoice' AND v.open_amount > 0 AND COALESCE(v.po_number, '') = ''
  AND v.valid_from <= {day} AND (v.replaced_from IS NULL OR v.replaced_from > {day})
"""

KNOWN = """
SELECT EXISTS (SELECT 1 FROM item_version WHERE creditor_id = {creditor} AND po_number IS NOT NULL) AS known
"""

MENDED = """
UPDATE work_task t SET state = 'done', outcome = 'done', done_on = {day}, done_by = 'engine', done_at = {at}
WHERE t.creditor_id = {creditor} AND t.state = 'open' AND t.kind = 'department' AND t.record_no LIKE {order} || '%'
  AND t.record_no NOT IN (SELECT record FROM pg_temp.lacking)
RETURNING t.id, t.case_id, t.record_no AS record
"""

FREED = """
SELECT h.id FROM hold h JOIN pg_temp.mended m ON h.source = 'W' || m.id AND h.case_id = m.case_id
WHERE h.replaced_at IS NULL AND h.state = 'active'
"""

QUIET = """
UPDATE work_task t SET state = 'cancelled', outcome = 'ended', done_at = {at}
FROM hold h JOIN pg_temp.mended m ON h.source = 'W' || m.id AND h.case_id = m.case_id
WHERE t.record_no = h.hold_no AND t.state = 'open'
"""

HELD = """
INSERT INTO hold (hold_no, scope, debtor_id, case_id, item_id, reason, source, from_on, until_on, state, note, actor,
                  valid_from, recorded_at)
SELECT 'H' || nextval(pg_get_serial_sequence('hold', 'id')), 'item', n.debtor_id, n.case_id, n.item_id, {reason},
  'W' || t.id, {day}, n.until_on, 'active', {note}, 'engine', {day}, {at}
FROM pg_temp.resting n JOIN work_task t ON t.case_id = n.case_id AND t.record_no = n.record AND t.state = 'open'
ORDER BY t.id
"""


def settle_orders(settling: Settling) -> pl.DataFrame:
    """Work for each invoice that lacks its order number, and an end to that of those which lack it no longer."""
    frames, marks = settling.frames, _marks(settling)
    lacking = frames.read(LACKING.format(**marks, country=COUNTRY, profile=PROFILE.format(case="one.id")))
    frames.stage("lacking", lacking.select("record"))
    moved = [_mend(settling)]
    if not lacking.is_empty() and frames.read(KNOWN.format(**marks)).item():
        moved.append(_ask(settling, lacking))
    return pl.concat(moved)


def _marks(settling: Settling) -> dict[str, str]:
    return {
        "creditor": str(int(settling.creditor_id)),
        "day": f"DATE '{settling.as_of.isoformat()}'",
        "at": f"TIMESTAMPTZ '{settling.at.isoformat()}'",
        "order": f"'{ORDER}'",
    }


def _ask(settling: Settling, lacking: pl.DataFrame) -> pl.DataFrame:
    line = settling.pack.reasons[NonPaymentReason.PO_MISSING]
    if line.work is None:
        return changes()
    today = pl.Series("due_on", [settling.as_of]).new_from_index(0, len(lacking))
    work = lacking.select(
        *("case_id", "debtor_id"),
        kind=pl.lit(str(line.work.kind)),
        subject=pl.format("{} ({})", pl.lit(line.work.about.rstrip(".")), pl.col("document_no")),
        role=pl.lit(str(line.work.role)),
        record_no="record",
        due_on=shift_working_days(today, line.work.within, lacking["country"]),
    )
    opened = open_many(settling.frames, settling.creditor_id, work, settling.as_of, settling.at)
    new = lacking.join(opened.select("case_id", record="record_no"), on=["case_id", "record"])
    if line.hold is not None and not new.is_empty():
        until = shift_working_days(today.head(len(new)), line.hold.for_, new["country"])
        settling.frames.stage("resting", new.select("debtor_id", "case_id", "item_id", "record", until_on=until))
        note, reason = f"'{NonPaymentReason.PO_MISSING}'", f"'{line.hold.reason}'"
        settling.frames.execute(HELD.format(**_marks(settling), note=note, reason=reason))
    return changes(new.select("case_id", "record", "amount", what=pl.lit("order number"), state=pl.lit("asked for")))


def _mend(settling: Settling) -> pl.DataFrame:
    """A number is there, the item is settled, or the customer needs none any more."""
    frames, marks = settling.frames, _marks(settling)
    mended = frames.read(MENDED.format(**marks))
    if mended.is_empty():
        return changes()
    frames.stage("mended", mended.select("id", "case_id"))
    frames.execute(QUIET.format(**marks))
    fixed = {"state": "'lifted'", "note": "'done'", "actor": "'engine'"}
    succeed_all(frames, Hold, frames.read(FREED), settling.as_of, settling.at, fixed=fixed)
    return changes(
        mended.select("case_id", "record", what=pl.lit("order number"), state=pl.lit("there"), amount=pl.lit(None))
    )
