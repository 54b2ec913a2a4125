"""What settling finds out about the customer's experience: contacts that were wrong, and what was done well in time.

A contact is wrong if what became known later had been so on an earlier day than the one on which we wrote: paid,
disputed, in a plan, on hold (law 4, practice section 6). What carries the date of the day itself proves nothing, for a
customer who is reminded in the morning may pay at noon. Each contact and each good turn is rated once, by its number.
"""

from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.words import NonPaymentReason, Role, WorkKind
from maatpak.ledger.audit import EventDraft
from tasks.settle_money import Settling, changes
from tasks.settle_waits import COUNTRY, PROFILE
from tasks.worklist import open_many

REMEMBERED = timedelta(days=30)
"""How long something is looked for: so late are bookings, and so long may runs be out."""
LATE_ANSWER_STEP = 5
"""Working days of a late answer of ours that count against us each time."""
WRONGFUL = "wrongful_contact"

APOLOGIES = {
    "paid": "Apologise: what we asked for had been paid.",
    "disputed": "Apologise: what we asked for was disputed.",
    "plan": "Apologise: what we asked for was in a payment plan.",
    "hold": "Apologise: we wrote while the matter was to rest.",
}
"""Why a contact was wrong → the work that follows within a working day."""

KINDS = {
    **dict.fromkeys(APOLOGIES, WRONGFUL),
    "promise": "contact_during_promise",
    "answer": "contact_during_unread_answer",
    "callback": "contact_during_callback",
}
"""What had been so → the touch, by its name in the pack's ratings."""

FIRST = "NOT EXISTS (SELECT 1 FROM {table} o WHERE o.{number} = r.{number} AND o.id < r.id)"

OF_ITEMS = """
SELECT 'paid' AS cause, v.item_id, v.settled_on AS since, NULL::date AS until, v.recorded_at AS known_at
FROM item_version v
WHERE v.creditor_id = {creditor} AND v.valid_from > {from_day} AND v.valid_from <= {day} AND v.open_amount = 0
  AND v.settled_on < v.valid_from AND NOT v.settled_estimated AND v.item_type IN ('invoice', 'debit_note')
UNION ALL
SELECT 'disputed', v.item_id, v.disputed_on, NULL, v.recorded_at
FROM item_version v
WHERE v.creditor_id = {creditor} AND v.valid_from > {from_day} AND v.valid_from <= {day} AND v.disputed_amount > 0
  AND v.disputed_on < v.valid_from
  AND NOT EXISTS (SELECT 1 FROM item_version u WHERE u.item_id = v.item_id AND u.debtor_id = v.debtor_id
                  AND u.replaced_at = v.recorded_at AND u.disputed_amount > 0)
UNION ALL
SELECT 'disputed', r.item_id, r.opened_on, NULL, r.recorded_at
FROM dispute r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.state = 'open' AND {first_dispute}
UNION ALL
SELECT 'plan', e.key::bigint, r.accepted_on, NULL, r.recorded_at
FROM plan r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor} CROSS JOIN LATERAL jsonb_each(r.items) e
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.state = 'active'
  AND NOT EXISTS (SELECT 1 FROM plan o WHERE o.plan_no = r.plan_no AND o.id < r.id AND o.state = 'active')
UNION ALL
SELECT 'promise', e.key::bigint, r.made_on, r.promised_on, r.recorded_at
FROM promise r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor}
CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(r.items) WHEN 'object' THEN r.items END) e
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.state = 'open' AND {first_promise}
UNION ALL
SELECT 'hold', r.item_id, r.from_on, r.until_on, r.recorded_at
FROM hold r JOIN debtor b ON b.id = r.debtor_id AND b.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.scope = 'item' AND r.state = 'active' AND {first_hold}
"""
"""What became known of late, of items: what was so, since when, until when, and when we learned of it."""

OF_DEBTORS = """
SELECT 'hold' AS cause, r.debtor_id, r.case_id, r.from_on AS since, r.until_on AS until, r.recorded_at AS known_at
FROM hold r JOIN debtor b ON b.id = r.debtor_id AND b.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.scope IN ('debtor', 'case') AND r.state = 'active'
  AND {first_hold}
UNION ALL
SELECT 'hold', b.id, NULL, r.from_on, r.until_on, r.recorded_at
FROM hold r JOIN debtor b ON b.party_id = r.party_id AND b.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.scope = 'party' AND r.state = 'active' AND {first_hold}
UNION ALL
SELECT 'hold', r.debtor_id, NULL, r.opened_on, r.closed_on - 1, r.recorded_at
FROM ticket r JOIN debtor b ON b.id = r.debtor_id AND b.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day}
  AND NOT EXISTS (SELECT 1 FROM ticket o WHERE o.debtor_id = r.debtor_id AND o.ticket_no = r.ticket_no AND o.id < r.id)
UNION ALL
SELECT 'promise', k.debtor_id, k.id, r.made_on, r.promised_on, r.recorded_at
FROM promise r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor}
WHERE r.valid_from > {from_day} AND r.valid_from <= {day} AND r.state = 'open' AND {first_promise}
  AND jsonb_typeof(r.items) IS DISTINCT FROM 'object'
UNION ALL
SELECT 'answer', r.debtor_id, r.case_id, r.received_on, COALESCE(r.read_on, {day}), r.recorded_at
FROM answer r
WHERE r.creditor_id = {creditor} AND r.valid_from > {from_day} AND r.valid_from <= {day} AND {first_answer}
UNION ALL
SELECT 'callback', r.debtor_id, r.case_id, r.called_on, r.callback_on, r.recorded_at
FROM contact_result r
WHERE r.creditor_id = {creditor} AND r.called_on > {from_day} AND r.callback_on IS NOT NULL
"""
"""The same, of whole customers."""

CONTACTS = """
WITH item_late AS ({of_items}), debtor_late AS ({of_debtors}),
named AS (
  SELECT l.cause, l.since, l.until, l.known_at, a.id AS action_id, a.case_id, a.kind, a.state, a.executed_on, a.ended_at
  FROM item_late l JOIN action_item i ON i.item_id = l.item_id JOIN action a ON a.id = i.action_id
  WHERE a.creditor_id = {creditor} AND a.business_date > {from_day} - 30 AND (a.written OR a.kind = 'handoff')),
met AS (
  SELECT n.cause, n.action_id, n.case_id, 'M' || m.id AS record_no
  FROM named n JOIN message_action j ON j.action_id = n.action_id JOIN message m ON m.id = j.message_id
  WHERE m.state = 'sent' AND m.written AND m.sent_on > n.since AND m.ended_at < n.known_at
    AND (n.until IS NULL OR m.sent_on <= n.until)
  UNION ALL
  SELECT n.cause, n.action_id, n.case_id, 'A' || n.action_id FROM named n
  WHERE n.kind = 'handoff' AND n.state = 'executed' AND n.executed_on > n.since AND n.ended_at < n.known_at
    AND (n.until IS NULL OR n.executed_on <= n.until)
  UNION ALL
  SELECT l.cause, j.action_id, m.case_id, 'M' || m.id
  FROM debtor_late l JOIN message m ON m.debtor_id = l.debtor_id AND (l.case_id IS NULL OR m.case_id = l.case_id)
  LEFT JOIN LATERAL (SELECT min(action_id) AS action_id FROM message_action x WHERE x.message_id = m.id) j ON TRUE
  WHERE m.state = 'sent' AND m.written AND m.sent_on > l.since AND m.ended_at < l.known_at
    AND (l.until IS NULL OR m.sent_on <= l.until))
SELECT DISTINCT ON (w.record_no) w.record_no, w.cause, w.action_id, w.case_id, k.party_id, k.debtor_id, {country}
FROM met w {profile}
WHERE NOT EXISTS (SELECT 1 FROM touch t WHERE t.record_no = w.record_no AND t.kind = ANY(ARRAY[{kinds}]))
ORDER BY w.record_no, array_position(ARRAY[{causes}], w.cause), w.action_id
"""

GOOD_TURNS = """
SELECT 'plan_finished' AS kind, r.plan_no AS record_no, r.case_id, k.party_id
FROM plan r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor}
WHERE r.state = 'finished' AND r.replaced_at IS NULL AND r.valid_from > {from_day}
UNION ALL
SELECT 'query_solved_in_time', r.dispute_no, r.case_id, k.party_id
FROM dispute r JOIN "case" k ON k.id = r.case_id AND k.creditor_id = {creditor}
WHERE r.state IN ('accepted', 'part_accepted', 'rejected') AND r.replaced_at IS NULL AND r.decided_on <= r.answer_by
  AND r.decided_on > {from_day}
UNION ALL
SELECT CASE WHEN w.subject = {copy} THEN 'copy' ELSE 'query_solved_in_time' END, 'W' || w.id, w.case_id, k.party_id
FROM work_task w JOIN "case" k ON k.id = w.case_id
WHERE w.creditor_id = {creditor} AND w.state = 'done' AND w.kind = 'department' AND w.outcome = 'done'
  AND w.done_on <= w.due_on AND w.done_on > {from_day}
UNION ALL
SELECT 'welcome_answered', r.answer_no, m.case_id, k.party_id
FROM answer r JOIN message m ON m.id = r.message_id AND m.template = 'welcome' JOIN "case" k ON k.id = m.case_id
WHERE r.creditor_id = {creditor} AND r.received_on > {from_day} AND r.replaced_at IS NULL
"""
"""What ended of late as it should."""

RATE = """
INSERT INTO touch (creditor_id, party_id, case_id, action_id, kind, record_no, rating, wrongful, cause, touched_on,
                   recorded_at)
SELECT {creditor}, n.party_id, n.case_id, n.action_id, n.kind, n.record_no,
       CASE WHEN n.rating > 0 AND (row_number() OVER (PARTITION BY n.party_id, n.rating > 0 ORDER BY n.record_no) > 1
                 OR EXISTS (SELECT 1 FROM touch o WHERE o.party_id = n.party_id AND o.touched_on = {day}
                            AND o.rating > 0))
            THEN 0 ELSE n.rating END, n.kind = '{wrongful}', n.cause, {day}, {at}
FROM pg_temp.rated n
WHERE NOT EXISTS (SELECT 1 FROM touch o WHERE o.kind = n.kind AND o.record_no = n.record_no)
RETURNING case_id, record_no AS record, kind AS state
"""
"""A positive counts once a day: what else went well that day is kept, with nothing."""

RATED = {
    "party_id": pl.Int64,
    "case_id": pl.Int64,
    "action_id": pl.Int64,
    "kind": pl.String,
    "record_no": pl.String,
    "cause": pl.String,
}


def find_wrongful_contacts(settling: Settling) -> pl.DataFrame:
    """Letters and placements that what we learned later speaks against: rated, told, and to be apologised for."""
    marks = _marks(settling)
    firsts = {
        f"first_{table}": FIRST.format(table=table, number=f"{table}_no")
        for table in ("dispute", "promise", "hold", "answer")
    }
    query = CONTACTS.format(
        **marks,
        of_items=OF_ITEMS.format(**marks, **firsts),
        of_debtors=OF_DEBTORS.format(**marks, **firsts),
        country=COUNTRY,
        profile=PROFILE.format(case="w.case_id"),
        causes=_listed(KINDS),
        kinds=_listed(KINDS.values()),
    )
    found = settling.frames.read(query)
    if found.is_empty():
        return changes()
    found = found.with_columns(kind=pl.col("cause").replace_strict(KINDS, return_dtype=pl.String))
    touched = _rate(settling, found)
    wrong = found.filter(pl.col("kind") == WRONGFUL)
    _apologise(settling, wrong)
    settling.drafts.extend(_event(settling, row) for row in wrong.iter_rows(named=True))
    return touched


def rate_good_turns(settling: Settling) -> pl.DataFrame:
    """Plans finished, questions answered and copies sent in time, a welcome answered: each does good, once."""
    line = settling.pack.reasons.get(NonPaymentReason.LOST_INVOICE)
    about = line.work.about if line is not None and line.work is not None else ""
    copy = "'" + about.replace("'", "''") + "'"
    found = settling.frames.read(GOOD_TURNS.format(**_marks(settling), copy=copy))
    if found.is_empty():
        return changes()
    found = found.with_columns(kind=pl.col("kind").replace({"copy": "copy_in_a_day"}))
    return _rate(settling, found.with_columns(action_id=pl.lit(None, pl.Int64), cause=pl.lit(None, pl.String)))


def rate_late_answers(settling: Settling) -> pl.DataFrame:
    """Each five working days that a dispute waits beyond its answer date count against us, once each."""
    marks = _marks(settling)
    rows = settling.frames.read(
        f"""
        SELECT d.case_id, k.party_id, d.answer_by, d.dispute_no, {COUNTRY},
               (SELECT count(*) FROM touch t WHERE t.party_id = k.party_id AND t.case_id = d.case_id
                AND t.kind = 'late_answer' AND t.touched_on > d.answer_by) AS rated
        FROM dispute d {PROFILE.format(case="d.case_id")}
        WHERE k.creditor_id = {marks["creditor"]} AND d.replaced_at IS NULL AND d.state = 'open'
          AND d.answer_by < {marks["day"]}
        """  # noqa: S608 - typed literals
    )
    if rows.is_empty():
        return changes()
    times = (rows["rated"] + 1).cast(pl.Int64)
    reached = shift_working_days(rows["answer_by"], times * LATE_ANSWER_STEP, rows["country"])
    late = (
        rows.with_columns(record_no=pl.col("dispute_no") + "/" + times.cast(pl.String))
        .filter(reached < settling.as_of)
        .unique("case_id", keep="first", maintain_order=True)
    )
    return _rate(
        settling,
        late.with_columns(kind=pl.lit("late_answer"), action_id=pl.lit(None, pl.Int64), cause=pl.lit(None, pl.String)),
    )


def _rate(settling: Settling, found: pl.DataFrame) -> pl.DataFrame:
    """Write the touches that the pack rates; the changes."""
    ratings = pl.DataFrame(
        {"kind": list(settling.pack.ratings), "rating": list(settling.pack.ratings.values())},
        schema={"kind": pl.String, "rating": pl.Int32},
    )
    rated = found.select(pl.col(name).cast(dtype) for name, dtype in RATED.items()).join(ratings, on="kind")
    if rated.is_empty():
        return changes()
    settling.frames.stage("rated", rated)
    touched = settling.frames.read(RATE.format(**_marks(settling), wrongful=WRONGFUL))
    return changes(touched.with_columns(what=pl.lit("touch"), amount=pl.lit(None)))


def _apologise(settling: Settling, wrong: pl.DataFrame) -> None:
    """A person says sorry within a working day and names the cause."""
    if wrong.is_empty():
        return
    today = pl.Series("due_on", [settling.as_of]).new_from_index(0, len(wrong))
    work = wrong.select(
        *("case_id", "debtor_id", "record_no"),
        kind=pl.lit(str(WorkKind.REPLY)),
        subject=pl.col("cause").replace_strict(APOLOGIES, return_dtype=pl.String),
        role=pl.lit(str(Role.COLLECTOR)),
        due_on=shift_working_days(today, 1, wrong["country"]),
    )
    open_many(settling.frames, settling.creditor_id, work, settling.as_of, settling.at)


def _event(settling: Settling, row: dict[str, object]) -> EventDraft:
    return EventDraft(
        "contact_found_wrongful",
        "engine",
        business_date=settling.as_of,
        creditor_id=settling.creditor_id,
        debtor_id=int(str(row["debtor_id"])),
        case_id=int(str(row["case_id"])),
        action_id=None if row["action_id"] is None else int(str(row["action_id"])),
        body={"contact": row["record_no"], "cause": row["cause"]},
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in dict.fromkeys(words))


def _marks(settling: Settling) -> dict[str, str]:
    return {
        "creditor": str(int(settling.creditor_id)),
        "day": f"DATE '{settling.as_of}'",
        "from_day": f"DATE '{settling.as_of - REMEMBERED}'",
        "at": f"TIMESTAMPTZ '{settling.at.isoformat()}'",
    }
