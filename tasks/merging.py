"""Two accounts of a creditor that are one customer: their parties become one, by one person's word and another's.

From then on they share one contact budget, one experience and what holds for the whole party. Accounts, their numbers,
their items, records and addresses stay what and where they are, so that files keep meaning both; an account that a file
names later by the merged party goes to the other one. All rows that name the party by its id follow, under the
creditor's lock; the event says which accounts moved. There is no way back but by hand, from that event: what was
counted together meanwhile cannot be told apart again. Facts as of days before it cannot be rebuilt for these customers,
as their history is one now; their frames and decisions stay, and a replay says how many it left out
(docs/decisions/0016).
"""

from sqlalchemy import text
from sqlmodel import col, select, update

from maatpak.kernel.errors import RefusedError, TransientError, UsageError
from maatpak.kernel.words import Role, WorkKind
from maatpak.ledger.locks import lock_parties, try_creditor
from maatpak.ledger.tables import Action, Case, ContactResult, Debtor, Hold, Party, Touch, WorkTask
from maatpak.ledger.versions import succeed
from tasks.desk import Desk
from tasks.notes import write_note
from tasks.rights import DESK
from tasks.worklist import open_work

MERGE_CONFIRM = "Confirm that two accounts are one customer."
"""Subject of the work by which a second person merges two parties; the case's notes have the reason."""

MOVE_CLAIMS = """
UPDATE contact_slot s SET party_id = :into WHERE party_id = :gone
  AND NOT EXISTS (SELECT 1 FROM contact_slot o WHERE o.party_id = :into AND o.day = s.day);
DELETE FROM contact_wait w WHERE party_id = :gone
  AND EXISTS (SELECT 1 FROM contact_wait o WHERE o.party_id = :into AND o.case_id = w.case_id);
UPDATE contact_wait SET party_id = :into WHERE party_id = :gone
"""
"""A day on which both had their letter keeps both claims: what was sent was sent."""


def ask_merge(desk: Desk, case: Case, other_no: str, reason: str) -> WorkTask:
    """Ask a second person to confirm that the case's account and another one of the creditor are one customer.

    Raises:
        RefusedError: both parties are customers of other creditors, too.
        UsageError: there is no such account, they are one party already, or the reason is missing.
    """
    desk.require("say that two accounts are one customer", *DESK)
    other = desk.session.exec(
        select(Debtor).where(Debtor.creditor_id == desk.creditor.id, Debtor.debtor_no == other_no)
    ).first()
    if other is None:
        raise UsageError(f"{desk.creditor.code} has no debtor {other_no!r}.", advice="`maatpak cases` shows them.")
    if other.party_id == case.party_id:
        raise UsageError("The two accounts are one customer already.", advice="There is nothing to merge.")
    gone, into = _direction(desk, case.party_id, other.party_id)
    write_note(desk, case, f"One customer with {other_no}: {reason.strip()}" if reason.strip() else "")
    task = open_work(
        desk, case, WorkKind.REVIEW, MERGE_CONFIRM, Role.CREDIT_MANAGER, working_days=2, record_no=f"{gone}>{into}",
        asked_by=desk.person.login,
    )  # fmt: skip
    desk.record("merge_asked", case=case, task=task.id, party=gone, into=into)
    return task


def _direction(desk: Desk, one: int, two: int) -> tuple[int, int]:
    """(who goes, who stays): only a party of this creditor alone may go, and of two such ones the younger."""
    foreign = select(Debtor.party_id).where(
        col(Debtor.party_id).in_([one, two]), Debtor.creditor_id != desk.creditor.id
    )
    shared = set(desk.session.exec(foreign))
    if len(shared) == 2:
        raise RefusedError(
            "Both are customers of other creditors, too, whose cases this creditor's people do not move.",
            advice="Have the master data give both the same party_ref before their first import.",
        )
    return (one, two) if two in shared or (one not in shared and one > two) else (two, one)


def confirm_merge(desk: Desk, case: Case, task: WorkTask) -> None:
    """The second person's yes: the one party becomes the other.

    Raises:
        TransientError: a run or somebody else is at work on the creditor.
        RefusedError: a party has become another one, or somebody else's customer, since it was asked.
    """
    if not try_creditor(desk.session, case.creditor_id):
        raise TransientError(f"{desk.creditor.code} is being worked on.", advice="Say it again in a minute.")
    gone, into = (int(each) for each in str(task.record_no).split(">"))
    lock_parties(desk.session, [gone, into])
    parties = [desk.session.get_one(Party, each, populate_existing=True) for each in (gone, into)]
    if any(each.merged_into is not None for each in parties) or _direction(desk, gone, into)[0] != gone:
        raise RefusedError("The two are no longer what they were when this was asked.", advice="Refuse it; ask anew.")
    _move(desk, parties[0], parties[1])
    moved = list(desk.session.exec(select(Debtor.id).where(Debtor.party_id == gone).order_by(col(Debtor.id))))
    desk.session.execute(update(Debtor).where(col(Debtor.party_id) == gone).values(party_id=into))
    desk.record("parties_merged", case=case, task=task.id, party=gone, into=into, debtors=moved, asked_by=task.asked_by)


def _move(desk: Desk, gone: Party, into: Party) -> None:
    """Everything that names the party by its id, but its accounts."""
    old, new, session = gone.id, into.id, desk.session
    for hold in session.exec(select(Hold).where(Hold.party_id == old, col(Hold.replaced_at).is_(None))).all():
        succeed(session, hold, desk.as_of, desk.now, party_id=new)
    session.execute(update(Case).where(col(Case.party_id) == old).values(party_id=new, shard_key=into.shard_key))
    session.execute(update(Touch).where(col(Touch.party_id) == old).values(party_id=new))
    for table in (Action, ContactResult):
        session.execute(update(table).where(col(table.payer_party_id) == old).values(payer_party_id=new))
    for statement in MOVE_CLAIMS.split(";"):
        session.execute(text(statement), {"gone": old, "into": new})
    session.execute(update(Party).where(col(Party.merged_into) == old).values(merged_into=new))
    gone.merged_into, gone.merged_at = new, desk.now
    session.flush()
