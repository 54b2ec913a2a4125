"""What must always be true of the database, as small checks, run by `maatpak doctor`.

Constraints and triggers make most wrong states impossible; these are the ones that span tables. A breach tells how many
rows and which first, and never changes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import text
from sqlmodel import Session

SHOWN = 10
"""Ids that a breach names."""


@dataclass(frozen=True)
class Breach:
    """Rows for which an invariant does not hold."""

    invariant: str
    count: int
    first_ids: tuple[int, ...]
    meaning: str


class Invariant:
    """One thing that must be true; `query` selects the ids of the rows for which it is not."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    """What a row found here says, for the person who has to look at it."""
    query: ClassVar[str]

    @classmethod
    def check(cls, session: Session, now: datetime) -> Breach | None:
        """The breach, if there is one."""
        counted = f"SELECT id, count(*) OVER () FROM ({cls.query}) AS found (id) ORDER BY id LIMIT {SHOWN}"  # noqa: S608
        parameters: dict[str, Any] = {"now": now} if ":now" in cls.query else {}
        rows = session.connection().execute(text(counted), parameters).all()
        if not rows:
            return None
        return Breach(cls.name, int(rows[0][1]), tuple(int(row[0]) for row in rows), cls.meaning)


class EscalationsAreApproved(Invariant):
    """Law 5 and 9: an escalating step had all its approvals before it took effect."""

    name = "escalations_approved"
    meaning = "Actions that escalated with fewer approvals than they needed."
    query = """
        SELECT a.id FROM action a
        WHERE a.escalating AND a.state IN ('in_progress', 'executed', 'unknown')
          AND (SELECT count(DISTINCT p.actor) FROM approval p
               WHERE p.action_id = a.id AND p.verdict = 'approved' AND p.content_hash = a.content_hash)
              < greatest(a.approvals_needed, 1)
    """


class ApproversAreOthers(Invariant):
    """Law 9: who moved the case did not approve what followed from it."""

    name = "approver_moved_case"
    meaning = "Escalating actions approved by the person who had moved the case's round."
    query = """
        SELECT DISTINCT a.id FROM action a
        JOIN approval p ON p.action_id = a.id AND p.verdict = 'approved'
        JOIN round_course c ON c.round_id = a.round_id AND c.actor = p.actor AND c.recorded_at < p.recorded_at
        WHERE a.escalating
    """


class ClosedRoundsRest(Invariant):
    """A closed round has nothing under way that would still write to the customer."""

    name = "closed_rounds_rest"
    meaning = "Written actions still on their way although their round is closed."
    query = """
        SELECT a.id FROM action a JOIN round r ON r.id = a.round_id
        WHERE r.closed_at IS NOT NULL AND a.written AND a.state IN ('proposed', 'awaiting_approval', 'approved')
    """


class MessagesServeActions(Invariant):
    """An executed written step left a message behind, or its place was taken by one that did."""

    name = "executed_left_message"
    meaning = "Written messages executed without any message in the outbox."
    query = """
        SELECT a.id FROM action a
        WHERE a.written AND a.kind = 'message' AND a.state = 'executed'
          AND NOT EXISTS (SELECT 1 FROM message_action m WHERE m.action_id = a.id)
    """


class QuarantineIsSilent(Invariant):
    """A debtor with a quarantined row is not contacted until it is resolved."""

    name = "quarantined_not_contacted"
    meaning = "Written messages queued for a debtor while a row of theirs was in quarantine."
    query = """
        SELECT DISTINCT m.id FROM message m
        JOIN debtor d ON d.id = m.debtor_id
        JOIN quarantined_row q ON q.creditor_id = m.creditor_id AND q.debtor_no = d.debtor_no
        WHERE m.written AND m.queued_at > q.recorded_at AND m.business_date >= q.business_date
          AND (q.resolved_at IS NULL OR m.queued_at < q.resolved_at)
    """


class LegalStopsAreObeyed(Invariant):
    """After a legal stop nothing is written, be it the master data's or a hold, which stands until it is lifted."""

    name = "legal_stop_obeyed"
    meaning = "Written messages queued for a debtor under a legal stop."
    query = """
        SELECT DISTINCT m.id FROM message m
        JOIN debtor_profile p ON p.debtor_id = m.debtor_id AND p.legal_stop <> 'none'
        WHERE m.written AND m.queued_at > p.recorded_at AND m.business_date >= p.valid_from
          AND (p.replaced_at IS NULL OR m.queued_at < p.replaced_at)
        UNION
        SELECT m.id FROM message m JOIN debtor d ON d.id = m.debtor_id
        JOIN hold h ON h.reason = 'legal_stop' AND h.state = 'active' AND CASE h.scope
            WHEN 'party' THEN h.party_id = d.party_id
            WHEN 'debtor' THEN h.debtor_id = d.id
            WHEN 'case' THEN h.case_id = m.case_id
            ELSE false END
        WHERE m.written AND m.queued_at > h.recorded_at AND m.business_date >= GREATEST(h.valid_from, h.from_on)
          AND (h.replaced_at IS NULL OR m.queued_at < h.replaced_at)
    """


class OneWrittenContactADay(Invariant):
    """Law 6: a party gets at most one written contact a day, whoever of our creditors writes."""

    name = "one_contact_a_day"
    meaning = "Claimed contact slots of a party on a day beyond the first."
    query = "SELECT party_id FROM contact_slot GROUP BY party_id, day HAVING count(*) > 1"


class LeasesEnd(Invariant):
    """A message that somebody began to send is settled one way or the other."""

    name = "leases_end"
    meaning = "Messages still `sending` a day after their lease ended: `maatpak deliver` settles them."
    query = "SELECT id FROM message WHERE state = 'sending' AND leased_until < :now - interval '1 day'"


class HeadIsLastEvent(Invariant):
    """Law 10: the head row is the last event's."""

    name = "head_is_last_event"
    meaning = "The event chain's head is not its last event: run `maatpak audit verify`."
    query = """
        SELECT h.seq FROM event_head h
        LEFT JOIN LATERAL (SELECT e.seq, e.hash FROM event e ORDER BY e.seq DESC LIMIT 1) last ON TRUE
        WHERE (h.seq, h.hash) <> (coalesce(last.seq, 0), coalesce(last.hash, repeat('0', 64)))
    """


class ItemsMatchTheirVersions(Invariant):
    """What a version repeats of its item's identity is what the item says."""

    name = "item_identity"
    meaning = "Item versions whose repeated columns differ from their item."
    query = """
        SELECT v.id FROM item_version v JOIN item i ON i.id = v.item_id
        WHERE (v.creditor_id, v.debtor_id, v.item_type, v.document_no, v.issued_on, v.currency)
              <> (i.creditor_id, i.debtor_id, i.item_type, i.document_no, i.issued_on, i.currency)
    """


class CasesFollowTheirParty(Invariant):
    """A case belongs to its debtor's party and lies in that one's shard, and a merged party has no accounts."""

    name = "case_party"
    meaning = "Cases whose party is not their debtor's, whose shard is not their party's, or whose party was merged."
    query = """
        SELECT k.id FROM "case" k JOIN debtor d ON d.id = k.debtor_id JOIN party p ON p.id = d.party_id
        WHERE (k.party_id, k.shard_key) <> (p.id, p.shard_key) OR p.merged_into IS NOT NULL
    """


INVARIANTS: Sequence[type[Invariant]] = (
    EscalationsAreApproved,
    ApproversAreOthers,
    ClosedRoundsRest,
    MessagesServeActions,
    QuarantineIsSilent,
    LegalStopsAreObeyed,
    OneWrittenContactADay,
    LeasesEnd,
    HeadIsLastEvent,
    ItemsMatchTheirVersions,
    CasesFollowTheirParty,
)


def breaches(session: Session, now: datetime) -> list[Breach]:
    """Every invariant that does not hold."""
    found = (invariant.check(session, now) for invariant in INVARIANTS)
    return [breach for breach in found if breach is not None]
