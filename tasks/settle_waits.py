"""What time did to work and silence: consultations pass on, alarms wake, approvals lapse.

Everything here is level-triggered: it asks "on or after", looks whether it was done, and catches up a missed day.
"""

import polars as pl

from maatpak.kernel.calendars import shift_working_days
from maatpak.kernel.reasons import SkipReason
from maatpak.kernel.words import DisputeState, HoldReason, LegalStop, Role, StepKind, WorkKind
from maatpak.ledger.tables import Dispute
from maatpak.ledger.versions import succeed_all
from tasks.cancelling import cancel_actions
from tasks.checking import unchecked
from tasks.claims import ASK_FOR_PROOF
from tasks.settle_money import Settling, changes

TO_DEPUTY, TO_MANAGER = 3, 5
"""Working days after which a consultation passes to the deputy, then to the credit manager (rule 9)."""
REVIEW_WITHIN = 2
ANSWER_READ_WITHIN = 2

HOLDS_CALL = (
    "h.replaced_at IS NULL AND h.state = 'active' AND h.from_on <= {day} AND h.until_on >= {day} AND CASE h.scope"
    " WHEN 'party' THEN h.party_id = c.party_id WHEN 'debtor' THEN h.debtor_id = c.debtor_id"
    " WHEN 'case' THEN h.case_id = c.case_id END"
)
"""Whether a hold keeps the case of a call quiet."""

HOLD_ENDED = "The hold has ended; what now?"
STOP_STANDS = "The legal stop is past its date and stands; keep it, or lift it with a second person."
NOT_BOOKED = "The payment that was found is not in the ledger: book it."
DISPUTE_OVERDUE = "The dispute is past its answer date."
ANSWER_UNREAD = "An answer lies unread."

COUNTRY = "COALESCE(p.country, c.country) AS country"
PROFILE = (
    'JOIN "case" k ON k.id = {case} JOIN creditor c ON c.id = k.creditor_id'
    " LEFT JOIN debtor_profile p ON p.debtor_id = k.debtor_id AND p.replaced_at IS NULL"
)


def settle_disputes(settling: Settling) -> pl.DataFrame:
    """A dispute over an item that is settled needs no answer any more."""
    rows = settling.frames.read(
        "SELECT d.id, d.case_id, d.dispute_no AS record, d.amount FROM dispute d"  # noqa: S608 - typed literals
        ' JOIN "case" k ON k.id = d.case_id JOIN item_version v ON v.debtor_id = k.debtor_id AND v.item_id = d.item_id'
        f" WHERE k.creditor_id = {settling.creditor_id} AND d.state = 'open' AND d.replaced_at IS NULL"
        f" AND v.open_amount = 0 AND v.valid_from <= DATE '{settling.as_of}'"
        f" AND (v.replaced_from IS NULL OR v.replaced_from > DATE '{settling.as_of}')"
    )
    if rows.is_empty():
        return changes()
    day = f"DATE '{settling.as_of}'"
    fixed = {"state": f"'{DisputeState.WITHDRAWN}'", "decided_on": day, "actor": "'engine'"}
    succeed_all(settling.frames, Dispute, rows.select("id"), settling.as_of, settling.at, fixed=fixed)
    return changes(rows.with_columns(what=pl.lit("dispute"), state=pl.lit(str(DisputeState.WITHDRAWN))))


def pass_consultations_on(settling: Settling) -> pl.DataFrame:
    """A consultation without an answer goes to the deputy after three working days, to the manager after two more."""
    rows = settling.frames.read(
        "SELECT t.id, t.case_id, t.opened_on, t.assignee, d.login AS deputy, COALESCE(p.country, c.country) AS country"  # noqa: S608
        f" FROM work_task t {PROFILE.format(case='t.case_id')}"
        " LEFT JOIN person m ON m.login = p.account_manager"
        " LEFT JOIN person d ON d.login = m.deputy AND d.active AND d.login <> m.login"
        f" WHERE t.creditor_id = {settling.creditor_id} AND t.state = 'open' AND t.kind = '{WorkKind.CONSULT}'"
        f" AND t.role = '{Role.ACCOUNT_MANAGER}'"
    )
    if rows.is_empty():
        return changes()
    day = pl.lit(settling.as_of)
    rows = rows.with_columns(
        first=shift_working_days(rows["opened_on"], TO_DEPUTY, rows["country"]),
        last=shift_working_days(rows["opened_on"], TO_MANAGER, rows["country"]),
        due_on=shift_working_days(
            pl.Series("d", [settling.as_of]).new_from_index(0, len(rows)), REVIEW_WITHIN, rows["country"]
        ),
    )
    to_manager = (day > pl.col("last")) | ((day > pl.col("first")) & pl.col("deputy").is_null())
    to_deputy = (day > pl.col("first")) & (pl.col("assignee").is_null() | (pl.col("assignee") != pl.col("deputy")))
    rows = rows.with_columns(
        state=pl.when(to_manager).then(pl.lit("credit_manager")).when(to_deputy).then(pl.lit("deputy"))
    ).filter(pl.col("state").is_not_null())
    if rows.is_empty():
        return changes()
    settling.frames.stage("passed_on", rows.select("id", "state", "deputy", "due_on"))
    settling.frames.execute(
        "UPDATE work_task t SET due_on = p.due_on,"  # noqa: S608 - words of our own
        f" role = CASE p.state WHEN 'deputy' THEN t.role ELSE '{Role.CREDIT_MANAGER}' END,"
        " assignee = CASE p.state WHEN 'deputy' THEN p.deputy END"
        " FROM pg_temp.passed_on p WHERE t.id = p.id AND t.state = 'open'"
    )
    return changes(rows.with_columns(what=pl.lit("consult"), record=pl.col("id").cast(pl.String), amount=pl.lit(None)))


def wake_reviews(settling: Settling) -> pl.DataFrame:
    """A hold past its end, a dispute past its answer date, money found and not booked, an answer that nobody read.

    Work for a person, once each.
    """
    creditor, day = settling.creditor_id, f"DATE '{settling.as_of}'"
    rows = settling.frames.read(
        f"""
        SELECT k.id AS case_id, k.debtor_id,
               CASE h.reason WHEN 'legal_stop' THEN '{STOP_STANDS}' ELSE '{HOLD_ENDED}' END AS subject,
               h.hold_no AS record, {COUNTRY}, h.until_on AS since, h.reason <> 'legal_stop' AS blocks,
               CASE WHEN h.reason IN ('legal_stop', 'disaster') THEN 'credit_manager' ELSE 'collector' END AS role
        FROM hold h JOIN debtor b ON b.id = h.debtor_id
        JOIN LATERAL (SELECT min(id) AS id FROM "case" x WHERE x.debtor_id = h.debtor_id
                      AND (h.case_id IS NULL OR x.id = h.case_id)) one ON true
        {PROFILE.format(case="one.id")}
        WHERE b.creditor_id = {creditor} AND h.replaced_at IS NULL AND h.state = 'active' AND h.until_on < {day}
        UNION ALL
        SELECT k.id, k.debtor_id, '{DISPUTE_OVERDUE}', d.dispute_no, {COUNTRY}, d.answer_by, false, 'credit_manager'
        FROM dispute d {PROFILE.format(case="d.case_id")}
        WHERE k.creditor_id = {creditor} AND d.replaced_at IS NULL AND d.state = 'open' AND d.answer_by < {day}
        UNION ALL
        SELECT k.id, k.debtor_id, '{NOT_BOOKED}', q.claim_no, {COUNTRY}, q.until_on, true, 'operator'
        FROM claimed_payment q {PROFILE.format(case="q.case_id")}
        WHERE k.creditor_id = {creditor} AND q.replaced_at IS NULL AND q.state = 'found' AND q.until_on < {day}
          AND q.until_on >= q.valid_from
        UNION ALL
        SELECT k.id, k.debtor_id, '{ANSWER_UNREAD}', a.answer_no, {COUNTRY}, a.received_on, false, 'credit_manager'
        FROM answer a {PROFILE.format(case="a.case_id")}
        WHERE k.creditor_id = {creditor} AND a.replaced_at IS NULL AND a.read_on IS NULL AND a.received_on < {day}
        """  # noqa: S608 - typed literals
    )
    if rows.is_empty():
        return changes()
    waits = pl.when(pl.col("subject") == ANSWER_UNREAD).then(pl.lit(ANSWER_READ_WITHIN)).otherwise(pl.lit(0))
    counts = rows.select(waits=waits).to_series()
    after = shift_working_days(rows["since"], counts, rows["country"])
    today = pl.Series("due_on", [settling.as_of]).new_from_index(0, len(rows))
    rows = rows.with_columns(
        due_on=shift_working_days(today, REVIEW_WITHIN, rows["country"]),
        after=pl.when(counts == 0).then(rows["since"]).otherwise(after),
    ).filter(pl.col("after") < settling.as_of)
    settling.frames.stage(
        "alarms", rows.select("case_id", "debtor_id", "subject", "record", "role", "blocks", "due_on")
    )
    woken = settling.frames.read(
        f"""
        INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, record_no, opened_on, due_on,
                               blocks, state, recorded_at)
        SELECT {creditor}, n.debtor_id, n.case_id, '{WorkKind.REVIEW}', n.subject, n.role, n.record, {day}, n.due_on,
               n.blocks, 'open', TIMESTAMPTZ '{settling.at.isoformat()}'
        FROM pg_temp.alarms n
        WHERE NOT EXISTS (SELECT 1 FROM work_task t WHERE t.case_id = n.case_id AND t.subject = n.subject
                          AND t.record_no = n.record)
        RETURNING case_id, subject AS what, record_no AS record
        """  # noqa: S608 - typed literals
    )
    return changes(woken.with_columns(state=pl.lit("review"), amount=pl.lit(None)))


def end_claim_work(settling: Settling) -> pl.DataFrame:
    """Cash need not look for a payment whose claim has ended; where it was not found, somebody asks for a proof."""
    creditor, day, at = settling.creditor_id, f"DATE '{settling.as_of}'", f"TIMESTAMPTZ '{settling.at.isoformat()}'"
    ended = settling.frames.read(
        f"""
        UPDATE work_task t SET state = 'done', outcome = c.state, done_on = {day}, done_by = 'engine', done_at = {at}
        FROM claimed_payment c
        WHERE t.creditor_id = {creditor} AND t.state = 'open' AND c.claim_no = t.record_no AND c.replaced_at IS NULL
          AND CASE WHEN t.subject = '{NOT_BOOKED}' THEN c.until_on < c.valid_from
              ELSE t.kind = '{WorkKind.CASH}' AND c.state <> 'open' END
        RETURNING t.case_id, t.debtor_id, c.claim_no AS record, c.state
        """  # noqa: S608 - typed literals
    )
    missing = ended.filter(pl.col("state") == "not_found")
    if not missing.is_empty():
        settling.frames.stage("unproven", missing)
        settling.frames.execute(
            "INSERT INTO work_task (creditor_id, debtor_id, case_id, kind, subject, role, record_no, opened_on,"  # noqa: S608
            f" due_on, blocks, state, recorded_at) SELECT {creditor}, debtor_id, case_id, '{WorkKind.REPLY}',"
            f" '{ASK_FOR_PROOF}', '{Role.COLLECTOR}', record, {day}, {day}, true, 'open', {at} FROM pg_temp.unproven"
        )
    return changes(ended.with_columns(what=pl.lit("cash"), amount=pl.lit(None)))


def end_callbacks(settling: Settling) -> pl.DataFrame:
    """A call of its own, agreed on the telephone, ends with what it was for: the round, or the freedom to call.

    A hold that stood when the call was agreed does not end it: whoever agreed knew of it.
    """
    day, at = f"DATE '{settling.as_of}'", f"TIMESTAMPTZ '{settling.at.isoformat()}'"
    ended = settling.frames.read(
        f"""
        WITH call AS (
            SELECT t.id, t.case_id, t.recorded_at, k.debtor_id, k.party_id
            FROM work_task t JOIN "case" k ON k.id = t.case_id
            WHERE t.creditor_id = {settling.creditor_id} AND t.kind = '{WorkKind.CALL}' AND t.state = 'open'
              AND t.action_id IS NULL),
        judged AS (
            SELECT c.id, CASE
                WHEN EXISTS (SELECT 1 FROM debtor_profile p WHERE p.debtor_id = c.debtor_id AND p.replaced_at IS NULL
                             AND p.legal_stop <> '{LegalStop.NONE}')
                  OR EXISTS (SELECT 1 FROM hold h WHERE {HOLDS_CALL.format(day=day)}
                             AND h.reason = '{HoldReason.LEGAL_STOP}') THEN '{SkipReason.LEGAL_STOP}'
                WHEN NOT EXISTS (SELECT 1 FROM round r WHERE r.case_id = c.case_id AND r.closed_at IS NULL)
                THEN '{SkipReason.ROUND_CLOSED}'
                WHEN EXISTS (SELECT 1 FROM hold h WHERE {HOLDS_CALL.format(day=day)} AND h.recorded_at > c.recorded_at)
                THEN '{SkipReason.ON_HOLD}' END AS reason
            FROM call c)
        UPDATE work_task t SET state = 'cancelled', outcome = j.reason, done_at = {at}
        FROM judged j WHERE t.id = j.id AND j.reason IS NOT NULL
        RETURNING t.case_id, t.id::text AS record, j.reason AS state
        """  # noqa: S608 - typed literals and words of our own
    )
    return changes(ended.with_columns(what=pl.lit("call"), amount=pl.lit(None)))


def lapse_approvals(settling: Settling) -> pl.DataFrame:
    """Proposals that waited too long for a verdict, and approvals that were not used in time, are taken back.

    A placement that waits for what must be checked first says so: no verdict could let it go.
    """
    rows = settling.frames.read(
        "SELECT a.id AS action_id, a.case_id, a.kind, a.amount, a.state, a.business_date,"  # noqa: S608
        f" {COUNTRY}, (SELECT min(v.lapses_on) FROM approval v WHERE v.action_id = a.id"
        " AND v.content_hash = a.content_hash AND v.verdict = 'approved') AS lapses_on"
        f" FROM action a {PROFILE.format(case='a.case_id')}"
        f" WHERE a.creditor_id = {settling.creditor_id} AND a.approval_role IS NOT NULL"
        " AND a.state IN ('awaiting_approval', 'approved')"
    )
    if rows.is_empty():
        return changes()
    waited = shift_working_days(rows["business_date"], settling.guardrails.approvals.lapse_after, rows["country"])
    rows = rows.with_columns(
        until=pl.when(pl.col("state") == "approved").then(pl.col("lapses_on")).otherwise(waited)
    ).filter(pl.col("until") < settling.as_of)
    placements = rows.filter(pl.col("kind") == StepKind.HANDOFF)["action_id"].to_list()
    lacking = unchecked(settling.frames, placements, settling.guardrails.placement, settling.as_of)
    rows = rows.with_columns(
        reason=pl.when(pl.col("action_id").is_in(lacking.implode()))
        .then(pl.lit(str(SkipReason.CHECK_MISSING)))
        .otherwise(pl.lit(str(SkipReason.APPROVAL_LAPSED)))
    )
    cancel_actions(settling.frames, rows.select("action_id", "reason"), settling.at)
    return changes(
        rows.select(
            "case_id",
            "amount",
            what=pl.lit("action"),
            record=pl.col("action_id").cast(pl.String),
            state="reason",
        )
    )
