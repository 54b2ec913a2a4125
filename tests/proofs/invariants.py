"""The laws as questions to the database: each statement returns the rows that break one.

Every statement begins with the ids that a person needs to look the breach up; they read the tables of `views`.
"""

from dataclasses import dataclass

SPOKEN = (
    "'callback_agreed', 'promised', 'plan_asked', 'spoke_no_commitment',"
    " 'refuses', 'complaint', 'distress', 'do_not_call'"
)
"""Results of a call in which the right person was spoken."""


@dataclass(frozen=True)
class Invariant:
    """One law: what it says, and the SQL that finds its breaches."""

    name: str
    says: str
    breaches: str


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "asked_was_open",
        "nothing was asked that was not open, of that customer and overdue, as known when it was begun (law 7)",
        """
        SELECT action_id, item_id, step, day, asked, open_amount, due_on FROM proof_named
        WHERE round_id IS NOT NULL AND kind <> 'call' AND asked > 0
          AND (open_amount IS NULL OR asked > open_amount OR item_type NOT IN ('invoice', 'debit_note')
               OR due_on >= day OR owner <> debtor_id)
        """,
    ),
    Invariant(
        "asked_within_net",
        "no more was asked of a case than its overdue items less credit notes, cash and promises (law 7)",
        """
        WITH asked AS (
          SELECT action_id, case_id, debtor_id, currency, day, instant, sum(asked) AS total,
            kind = 'message' AND NOT written AS speaks FROM proof_named
          WHERE round_id IS NOT NULL AND kind IN ('message', 'handoff')
          GROUP BY action_id, case_id, debtor_id, currency, day, instant, kind, written)
        SELECT a.action_id, a.case_id, a.day, a.total, net.overdue, net.credits FROM asked a
        JOIN LATERAL (
          SELECT COALESCE(sum(v.open_amount) FILTER (
                   WHERE v.item_type IN ('invoice', 'debit_note') AND v.due_on < a.day), 0) AS overdue,
                 COALESCE(sum(v.open_amount) FILTER (WHERE v.item_type IN ('credit_note', 'payment')), 0) AS credits,
                 COALESCE(sum(v.open_amount) FILTER (
                   WHERE v.item_type IN ('invoice', 'debit_note') AND v.due_on >= a.day), 0) AS later
          FROM proof_item v WHERE v.debtor_id = a.debtor_id AND v.currency = a.currency AND v.valid_from <= a.day
            AND v.recorded_at <= a.instant
            AND (v.replaced_at IS NULL OR v.replaced_at > a.instant OR v.replaced_from > a.day)) net ON TRUE
        LEFT JOIN LATERAL (
          SELECT COALESCE(sum(GREATEST(p.amount - p.received, 0)), 0) AS promised FROM promise p
          WHERE p.case_id = a.case_id AND p.state = 'open' AND p.valid_from <= a.day AND p.recorded_at <= a.instant
            AND (p.replaced_at IS NULL OR p.replaced_at > a.instant OR p.replaced_from > a.day)) told ON TRUE
        -- What confirms a promise, or thanks for a part of it, speaks of what is promised and asks for none of it.
        WHERE a.total > GREATEST(
               net.overdue - CASE WHEN a.speaks THEN 0 ELSE GREATEST(net.credits - net.later, 0) END, 0)
           OR (told.promised > 0 AND NOT a.speaks AND a.total > GREATEST(net.overdue - told.promised, 0))
        """,
    ),
    Invariant(
        "disputed_not_asked",
        "no disputed, placed or planned part of an item was asked (law 7)",
        """
        SELECT n.action_id, n.item_id, n.step, n.day, n.asked, n.open_amount, less.amount FROM proof_named n
        JOIN LATERAL (
          SELECT GREATEST(
            (SELECT COALESCE(sum(amount - CASE WHEN state = 'open' THEN 0 ELSE amount - accepted_amount END), 0)
               FROM dispute p WHERE p.item_id = n.item_id AND p.state IN ('open', 'accepted', 'part_accepted')
                AND p.valid_from <= n.day AND p.recorded_at <= n.instant
                AND (p.replaced_at IS NULL OR p.replaced_at > n.instant OR p.replaced_from > n.day)),
            (SELECT COALESCE(sum((p.items ->> n.item_id::text)::bigint), 0) FROM placement p
              WHERE p.case_id = n.case_id AND p.state = 'placed' AND p.action_id <> n.action_id
                AND p.valid_from <= n.day AND p.recorded_at <= n.instant
                AND (p.replaced_at IS NULL OR p.replaced_at > n.instant OR p.replaced_from > n.day))) AS amount
        ) less ON TRUE
        WHERE n.round_id IS NOT NULL AND n.kind IN ('message', 'handoff') AND n.step <> 'dispute_answer'
          AND less.amount > 0 AND n.asked > GREATEST(n.open_amount - less.amount, 0)
          AND NOT EXISTS (SELECT 1 FROM proof_item c WHERE c.debtor_id = n.debtor_id AND c.item_type = 'credit_note'
                          AND c.reference = n.document_no AND c.valid_from <= n.day)
        """,
    ),
    Invariant(
        "budget_spacing",
        "two written contacts of a party, whatever it pays for, lie 3 working days of the later one's country apart"
        " (law 6)",
        """
        WITH days AS (SELECT DISTINCT s.addressee, s.country, s.day FROM proof_sent s
                      JOIN action a ON a.id = s.action_id AND a.written WHERE s.written)
        SELECT x.addressee, x.day, y.day, cy.ordinal - cx.ordinal AS apart FROM days x
        JOIN days y ON y.addressee = x.addressee AND y.day > x.day AND y.day <= x.day + 14
        JOIN proof_calendar cx ON cx.country = y.country AND cx.day = x.day
        JOIN proof_calendar cy ON cy.country = y.country AND cy.day = y.day
        WHERE cy.ordinal - cx.ordinal < 3
        """,
    ),
    Invariant(
        "budget_total",
        "a party gets at most 3 written contacts in 20 working days over all that it pays for (law 6)",
        """
        WITH days AS (SELECT DISTINCT s.addressee, s.country, s.day FROM proof_sent s
                      JOIN action a ON a.id = s.action_id AND a.written WHERE s.written)
        SELECT x.addressee, x.day, count(*) FROM days x
        JOIN days y ON y.addressee = x.addressee AND y.day <= x.day AND y.day > x.day - 45
        JOIN proof_calendar cx ON cx.country = x.country AND cx.day = x.day
        JOIN proof_calendar cy ON cy.country = x.country AND cy.day = y.day
        WHERE cx.ordinal - cy.ordinal < 20 GROUP BY x.addressee, x.day HAVING count(*) > 3
        """,
    ),
    Invariant(
        "one_letter_a_day",
        "one written contact of a party a day, whoever of our creditors writes and about whichever account (law 6)",
        """
        SELECT s.addressee, s.day, count(DISTINCT s.debtor_id) FROM proof_sent s
        JOIN action a ON a.id = s.action_id AND a.written WHERE s.written
        GROUP BY s.addressee, s.day HAVING count(DISTINCT (a.creditor_id, s.debtor_id)) > 1
        """,
    ),
    Invariant(
        "working_days_only",
        "nobody was written to or rung on a day off (rule 26)",
        """
        SELECT 'message', s.message_id, s.day FROM proof_sent s JOIN proof_calendar c USING (country, day)
        WHERE NOT c.working
        UNION ALL
        SELECT 'call', r.id, r.called_on FROM contact_result r JOIN proof_debtor d USING (debtor_id)
        JOIN proof_calendar c ON c.country = d.country AND c.day = r.called_on WHERE NOT c.working
        """,
    ),
    Invariant(
        "no_demand_at_christmas",
        "no demand left from 20 December to 2 January, nor on the eve of a holiday (rule 26)",
        """
        SELECT e.action_id, e.step, e.day FROM proof_effect e
        JOIN proof_calendar c ON c.country = e.country AND c.day = e.day + 1
        WHERE e.escalating AND e.state IN ('executed', 'in_progress', 'unknown')
          AND (to_char(e.day, 'MMDD') >= '1220' OR to_char(e.day, 'MMDD') <= '0102'
               OR (NOT c.working AND extract(isodow FROM c.day) < 6))
        """,
    ),
    Invariant(
        "businesses_only",
        "no consumer got a final demand or went to an agency",
        "SELECT action_id, step, party_kind FROM proof_effect WHERE escalating AND party_kind <> 'business'",
    ),
    Invariant(
        "threat_was_heard",
        "every item that a demand or placement names had an earlier notice with evidence, 10 working days old (law 5)",
        f"""
        SELECT n.action_id, n.item_id, n.step, n.day, heard.strong, heard.weak_channels, heard.first_on
        FROM proof_named n
        JOIN proof_calendar today ON today.country = n.country AND today.day = n.day
        LEFT JOIN LATERAL (
          SELECT bool_or(v.strong_on <= n.day) AS strong,
                 count(DISTINCT v.channel) FILTER (WHERE v.weak_on <= n.day) AS weak_channels,
                 bool_or(v.channel = 'post' AND v.weak_on <= n.day) AS by_post,
                 min(v.sent_on) FILTER (WHERE v.weak_on <= n.day OR v.strong_on <= n.day) AS first_on
          FROM action_item ai JOIN proof_evidence v ON v.action_id = ai.action_id
          WHERE ai.item_id = n.item_id AND v.sent_on < n.day) heard ON TRUE
        LEFT JOIN LATERAL (
          SELECT bool_or(r.code IN ({SPOKEN})) AS spoken
          FROM contact_result r WHERE r.case_id = n.case_id AND r.called_on <= n.day
            AND r.called_on >= heard.first_on) talk ON TRUE
        LEFT JOIN proof_calendar since ON since.country = n.country AND since.day = heard.first_on
        WHERE n.escalating AND n.asked > 0
          AND (heard.first_on IS NULL OR today.ordinal - since.ordinal < 10
               OR NOT (COALESCE(heard.strong, FALSE) OR COALESCE(talk.spoken, FALSE)
                       OR (heard.weak_channels >= 2 AND heard.by_post)))
        """,
    ),
    Invariant(
        "placed_on_a_letter",
        "nothing went to an agency on a demand whose letter had come back by then (law 5)",
        """
        SELECT e.action_id, e.case_id, e.day, demand.action_id FROM proof_effect e
        JOIN LATERAL (
          SELECT d.action_id FROM proof_effect d WHERE d.round_id = e.round_id AND d.escalating AND d.kind = 'message'
            AND d.state = 'executed' AND d.instant < e.instant ORDER BY d.action_id DESC LIMIT 1) demand ON TRUE
        WHERE e.kind = 'handoff' AND e.state <> 'cancelled' AND NOT EXISTS (
          SELECT 1 FROM proof_sent s WHERE s.action_id = demand.action_id AND s.channel = 'post' AND s.state = 'sent'
            AND NOT EXISTS (SELECT 1 FROM evidence b WHERE b.message_id = s.message_id
              AND b.kind IN ('bounced', 'returned') AND b.observed_on <= e.day AND b.recorded_at <= e.instant))
        """,
    ),
    Invariant(
        "call_was_tried",
        "before a demand the right person was spoken, or rung on 3 days at 2 times of day, or a CM waived it (law 5)",
        f"""
        SELECT e.action_id, e.case_id, e.step, e.day FROM proof_effect e JOIN round r ON r.id = e.round_id
        JOIN LATERAL (
          SELECT count(DISTINCT c.called_on) AS days, count(DISTINCT c.day_part) AS parts,
                 COALESCE(bool_or(c.code IN ({SPOKEN})), FALSE) AS spoken
          FROM contact_result c WHERE c.case_id = e.case_id AND c.called_on BETWEEN r.opened_on AND e.day) calls ON TRUE
        WHERE e.escalating AND NOT (calls.spoken OR (calls.days >= 3 AND calls.parts >= 2))
          AND NOT EXISTS (SELECT 1 FROM event v WHERE v.case_id = e.case_id AND v.kind = 'work_done'
                          AND v.body ->> 'outcome' = 'waived' AND v.business_date BETWEEN r.opened_on AND e.day)
        """,
    ),
    Invariant(
        "manager_was_heard",
        "before a demand the account manager was heard in that round (law 5)",
        """
        SELECT e.action_id, e.case_id, e.step, e.day FROM proof_effect e WHERE e.escalating
          AND NOT EXISTS (SELECT 1 FROM action a WHERE a.round_id = e.round_id AND a.kind = 'consult'
                          AND a.state = 'executed' AND a.result IN ('agree', 'not_heard') AND a.executed_on <= e.day)
        """,
    ),
    Invariant(
        "people_approved",
        "a demand or placement had the approvals it needs, of its content, by different people (law 9)",
        """
        SELECT e.action_id, e.step, e.approvals_needed, count(DISTINCT p.actor) FROM proof_effect e
        LEFT JOIN approval p ON p.action_id = e.action_id AND p.verdict = 'approved' AND p.content_hash = e.content_hash
              AND p.recorded_at <= e.instant
        WHERE e.escalating GROUP BY e.action_id, e.step, e.approvals_needed
        HAVING count(DISTINCT p.actor) < GREATEST(e.approvals_needed, 1)
        """,
    ),
    Invariant(
        "checked_before_placing",
        "nothing went to an agency unchecked, nor while credit of the customer lay unapplied (rule 20)",
        """
        SELECT e.action_id, e.case_id, e.day, want.kind FROM proof_effect e
        CROSS JOIN (VALUES ('identity'), ('insolvency_register'), ('limitation'), ('agency_licence')) want(kind)
        WHERE e.kind = 'handoff' AND e.state <> 'cancelled' AND NOT EXISTS (
          SELECT 1 FROM placement_check c WHERE c.kind = want.kind AND c.result = 'clear' AND c.checked_on <= e.day
            AND c.recorded_at <= e.instant
            AND c.until_on >= e.day + CASE c.kind WHEN 'limitation' THEN 90 ELSE 0 END
            AND (c.debtor_id = e.debtor_id
                 OR (c.debtor_id IS NULL AND c.creditor_id = e.creditor_id AND c.country = e.country)))
        UNION ALL
        SELECT e.action_id, e.case_id, e.day, v.item_type FROM proof_effect e
        JOIN proof_item v ON v.debtor_id = e.debtor_id AND v.currency = e.currency AND v.open_amount > 0
         AND v.item_type IN ('credit_note', 'payment') AND v.valid_from <= e.day AND v.recorded_at <= e.instant
         AND (v.replaced_at IS NULL OR v.replaced_at > e.instant OR v.replaced_from > e.day)
        WHERE e.kind = 'handoff' AND e.state <> 'cancelled'
        """,
    ),
    Invariant(
        "four_eyes",
        "nobody approved what follows from their own record in that round (rule 10)",
        """
        SELECT p.action_id, p.actor FROM approval p JOIN action a ON a.id = p.action_id AND a.escalating
        JOIN round r ON r.id = a.round_id
        WHERE p.verdict = 'approved' AND (
          EXISTS (SELECT 1 FROM contact_result c WHERE c.case_id = a.case_id AND c.actor = p.actor
                  AND c.called_on BETWEEN r.opened_on AND p.decided_on AND c.recorded_at < p.recorded_at)
          OR EXISTS (SELECT 1 FROM promise c WHERE c.case_id = a.case_id AND c.actor = p.actor
                  AND c.made_on BETWEEN r.opened_on AND p.decided_on AND c.recorded_at < p.recorded_at)
          OR EXISTS (SELECT 1 FROM stated_reason c WHERE c.case_id = a.case_id AND c.actor = p.actor
                  AND c.stated_on BETWEEN r.opened_on AND p.decided_on AND c.recorded_at < p.recorded_at))
        """,
    ),
    Invariant(
        "skipped_with_reason",
        "no step was skipped or cancelled without a reason (law 8)",
        "SELECT id, case_id, step FROM action WHERE state IN ('skipped', 'cancelled') AND COALESCE(reason, '') = ''",
    ),
    Invariant(
        "no_contact_while_stopped",
        "nobody was written to or rung under a legal stop or a hold of party, customer or case (rule 25)",
        """
        SELECT e.action_id, e.step, e.day, h.hold_no, h.reason FROM proof_effect e
        JOIN hold h ON h.state = 'active' AND e.day BETWEEN h.from_on AND h.until_on
         AND h.valid_from <= e.day AND h.recorded_at <= e.instant
         AND (h.replaced_at IS NULL OR h.replaced_at > e.instant OR h.replaced_from > e.day)
         AND ((h.scope = 'party' AND h.party_id = e.party_id) OR (h.scope = 'debtor' AND h.debtor_id = e.debtor_id)
              OR (h.scope = 'case' AND h.case_id = e.case_id))
        WHERE e.kind IN ('message', 'handoff') AND e.written AND e.state <> 'cancelled'
        UNION ALL
        SELECT e.action_id, e.step, e.day, p.debtor_id::text, p.legal_stop FROM proof_effect e
        JOIN debtor_profile p ON p.debtor_id = e.debtor_id AND p.legal_stop <> 'none' AND p.valid_from <= e.day
         AND p.recorded_at <= e.instant
         AND (p.replaced_at IS NULL OR p.replaced_at > e.instant OR p.replaced_from > e.day)
        WHERE e.state <> 'cancelled'
        """,
    ),
    Invariant(
        "no_threat_while_open",
        "no demand or placement while a promise, dispute, plan or unread answer was open (rule 9)",
        """
        SELECT e.action_id, e.step, e.day, told.kind, told.number FROM proof_effect e
        JOIN LATERAL (
          SELECT 'promise' AS kind, promise_no AS number, valid_from, recorded_at, replaced_from, replaced_at
           FROM promise WHERE case_id = e.case_id AND state = 'open'
          UNION ALL SELECT 'dispute', dispute_no, valid_from, recorded_at, replaced_from, replaced_at FROM dispute
           WHERE case_id = e.case_id AND state = 'open'
          UNION ALL SELECT 'plan', plan_no, valid_from, recorded_at, replaced_from, replaced_at FROM plan
           WHERE case_id = e.case_id AND state IN ('offered', 'active')
          UNION ALL SELECT 'answer', answer_no, valid_from, recorded_at, replaced_from, replaced_at FROM answer
           WHERE case_id = e.case_id AND read_on IS NULL) told
          ON told.valid_from <= e.day AND told.recorded_at <= e.instant
         AND (told.replaced_at IS NULL OR told.replaced_at > e.instant OR told.replaced_from > e.day)
        WHERE e.escalating AND e.state <> 'cancelled'
        """,
    ),
    Invariant(
        "no_duplicate_message",
        "nobody got the same message twice on a day, nor the same content at all (law 3)",
        """
        SELECT recipient, template, day::text, count(DISTINCT message_id) FROM proof_sent
        GROUP BY case_id, recipient, channel, template, day HAVING count(DISTINCT message_id) > 1
        """,
    ),
    Invariant(
        "no_duplicate_step",
        "a written step of a round was not taken twice for the same oldest item (rule 3)",
        """
        WITH oldest AS (
          SELECT DISTINCT ON (n.action_id) n.action_id, n.case_id, n.round_id, n.step, n.occurrence, n.item_id
          FROM proof_named n WHERE n.kind = 'message' AND n.written AND n.state = 'executed' AND n.round_id IS NOT NULL
          ORDER BY n.action_id, n.due_on, n.item_id)
        SELECT case_id, round_id, step, item_id, array_agg(action_id) FROM oldest
        GROUP BY case_id, round_id, step, occurrence, item_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "one_step_a_tick",
        "a case took at most one outward step a tick",
        """
        SELECT case_id, business_date, array_agg(step) FROM action
        WHERE state <> 'skipped' AND kind IN ('message', 'statement', 'call', 'plan_offer', 'handoff', 'decide')
        GROUP BY case_id, business_date, tick_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "term_is_kept",
        "until a date that a message named was past, the round went no step further (rule 19; its reactions may)",
        """
        SELECT a.id, a.step, a.business_date, m.id AS message_id, m.reply_by FROM action a
        JOIN action b ON b.round_id = a.round_id AND b.id <> a.id AND b.state = 'executed'
          AND b.ended_at < a.proposed_at
        JOIN message_action ma ON ma.action_id = b.id
        JOIN message m ON m.id = ma.message_id AND m.state = 'sent' AND m.sent_at < a.proposed_at
        WHERE a.kind IN ('message', 'call') AND (a.written OR a.kind = 'call') AND a.occurrence IS NULL
          AND a.state IN ('in_progress', 'executed') AND m.reply_by >= a.business_date
          AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = m.id AND e.kind IN ('bounced', 'returned')
            AND e.recorded_at < a.proposed_at)
        """,
    ),
    Invariant(
        "closed_when_settled",
        "a round closed only when all its items were settled (rule 1)",
        """
        SELECT r.id, r.case_id, r.closed_on, v.document_no, v.open_amount FROM round r
        JOIN round_item ri ON ri.round_id = r.id
        JOIN proof_item v ON v.item_id = ri.item_id AND v.valid_from <= r.closed_on AND v.recorded_at <= r.closed_at
         AND (v.replaced_at IS NULL OR v.replaced_at > r.closed_at OR v.replaced_from > r.closed_on)
        WHERE r.closed_on IS NOT NULL AND v.open_amount > 0
        """,
    ),
    Invariant(
        "calls_within_bounds",
        "one call attempt a day, though a customer may ring back (guardrails)",
        """
        SELECT case_id, called_on, count(*) FROM contact_result WHERE code IN ('no_answer', 'voicemail')
        GROUP BY case_id, called_on HAVING count(*) > 1
        """,
    ),
    Invariant(
        "wrongful_contacts_are_apologised_for",
        "what was found to be wrongful has its cause, and a person was asked to apologise (law 4, practice section 6)",
        """
        SELECT id, party_id, kind, touched_on FROM touch t WHERE wrongful AND (cause IS NULL OR NOT EXISTS (
          SELECT 1 FROM work_task w WHERE w.case_id = t.case_id AND w.kind = 'reply' AND w.record_no = t.record_no))
        """,
    ),
)
